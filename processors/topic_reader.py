"""A topic read once, from its beginning to where it ends now; no group, nothing committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from processors.topic_counts import partition_counts
from schemas import topics
from schemas.errors import Busy, NotFound
from schemas.kafka import client_options
from schemas.settings import KafkaSettings


async def read_topic(
    settings: KafkaSettings, topic: str, device_id: UUID | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Records partition by partition; with a device only of the partition its blocks fall on.

    Raises NotFound for an unknown topic and Busy when Kafka is away.
    """
    count = (await partition_counts(settings)).get(topic)
    if count is None:
        raise NotFound(f"there is no topic {topic!r}; make it first, or name one of {', '.join(topics.ALL)}")
    numbers = range(count) if device_id is None else [topics.partition_of(device_id, count)]
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, group_id=None)
    try:
        await consumer.start()
        for number in numbers:
            async for record in _read(consumer, TopicPartition(topic, number)):
                yield record
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} does not answer ({error}); see that it runs") from error
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    consumer.assign([partition])
    first = (await consumer.beginning_offsets([partition]))[partition]
    end = (await consumer.end_offsets([partition]))[partition]
    if first == end:
        return
    consumer.seek(partition, first)
    while await consumer.position(partition) < end:
        for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
            yield record
