"""A topic read once, from its beginning to where it ends now; no group, nothing committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from processors.topic_counts import partition_counts
from schemas import topics
from schemas.errors import Busy, NotFound
from schemas.kafka import client_options
from schemas.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Held:
    """The offsets [first, end) that a partition holds. Tansu's `end` is one past the FIRST record of the last batch."""

    first: int
    end: int


async def read_topic(
    settings: KafkaSettings, topic: str, device_id: UUID | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Records partition by partition; with a device only of the partition its blocks fall on.

    Raises NotFound for an unknown topic and Busy when Kafka is away.
    """
    count = await partition_count(settings, topic)
    numbers = range(count) if device_id is None else [topics.partition_of(device_id, count)]
    async with _consumer(settings) as consumer:
        for partition, held in (await _held(consumer, [TopicPartition(topic, number) for number in numbers])).items():
            async for record in _read(consumer, partition, held.first, held.end, held.end):
                yield record


async def read_span(
    settings: KafkaSettings, topic: str, number: int, first: int, end: int
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Records of one partition with offsets of [first, end), as far as they are there. Raises NotFound, Busy."""
    count = await partition_count(settings, topic)
    if not 0 <= number < count:
        raise NotFound(f"{topic} has no partition {number}; name one of 0 to {count - 1}")
    async with _consumer(settings) as consumer:
        partition = TopicPartition(topic, number)
        held = (await _held(consumer, [partition]))[partition]
        async for record in _read(consumer, partition, max(first, held.first), end, held.end):
            if record.offset < end:
                yield record


async def partition_count(settings: KafkaSettings, topic: str) -> int:
    """Partitions of a topic. Raises NotFound for an unknown one and Busy when Kafka is away."""
    count = (await partition_counts(settings)).get(topic)
    if count is None:
        raise NotFound(f"there is no topic {topic!r}; make it first, or name one of {', '.join(topics.ALL)}")
    return count


@asynccontextmanager
async def _consumer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, group_id=None)
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} does not answer ({error}); see that it runs") from error
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, partition: TopicPartition, first: int, end: int, ends_now: int
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Records from `first` until `end` is reached, or the partition is at its end; those of a last batch go beyond."""
    consumer.assign([partition])
    consumer.seek(partition, first)
    while (at := await consumer.position(partition)) < end:
        records = (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        if not records and at >= ends_now:
            return
        for record in records:
            yield record


async def _held(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Held]:
    """What each partition holds now; asked of all at once, for an answer may wait for a fetch that is on its way."""
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    return {partition: Held(first[partition], end[partition]) for partition in partitions}
