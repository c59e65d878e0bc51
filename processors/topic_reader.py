"""A topic read once, from its beginning to where it ends now; no group, nothing committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.errors import Busy, NotFound
from schemas.settings import KafkaSettings


async def read_topic(
    settings: KafkaSettings, topic: str, device_id: UUID | None = None
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Records partition by partition; with a device only of the partition its blocks fall on.

    Raises NotFound for an unknown topic and Busy when Kafka is away.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False, group_id=None)
    try:
        await consumer.start()
        for partition in await _partitions(consumer, topic, device_id):
            async for record in _read(consumer, partition):
                yield record
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} does not answer ({error}); see that it runs") from error
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str, device_id: UUID | None) -> list[TopicPartition]:
    if topic not in await consumer.topics():
        raise NotFound(f"there is no topic {topic!r}; make it first, or name one of {', '.join(topics.ALL)}")
    numbers = sorted(consumer.partitions_for_topic(topic) or ())
    if device_id is not None:
        numbers = [topics.partition_of(device_id, len(numbers))]
    return [TopicPartition(topic, number) for number in numbers]


async def _read(consumer: AIOKafkaConsumer, partition: TopicPartition) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    while await consumer.position(partition) < end:
        for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
            yield record
