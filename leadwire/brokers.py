"""Topics, made with the right partitions and retention before anything is sent."""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from schemas import topics
from schemas.errors import Busy, Misconfigured
from schemas.settings import KafkaSettings

_TIMEOUT_MS: Final = 10_000


async def ensure_topics(settings: KafkaSettings) -> list[str]:
    """Make the topics that are missing; returns their names. Raises Busy when the broker is away."""
    present = await partition_counts(settings)
    missing = [name for name in topics.ALL if name not in present]
    if missing:
        await _create(settings, missing)
    return missing


async def partition_counts(settings: KafkaSettings) -> dict[str, int]:
    """Partitions of each of our topics that exists. Raises Busy when the broker is away."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, request_timeout_ms=_TIMEOUT_MS)
    try:
        await consumer.start()
        known = await consumer.topics()
        return {name: len(consumer.partitions_for_topic(name) or ()) for name in topics.ALL if name in known}
    except KafkaConnectionError as error:
        raise _away(settings, error) from error
    finally:
        await consumer.stop()


async def sample_partitions(settings: KafkaSettings) -> int:
    """The partition count of ecg.samples, as it was made. Raises Misconfigured when there is no such topic."""
    count = (await partition_counts(settings)).get(topics.SAMPLES)
    if not count:
        raise Misconfigured(f"topic {topics.SAMPLES} does not exist at {settings.bootstrap}; run `leadwire migrate`")
    return count


async def _create(settings: KafkaSettings, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap, request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        answer = await admin.create_topics([_new_topic(name, settings) for name in names])
    except KafkaError as error:
        raise _away(settings, error) from error
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        kind = for_code(code)
        if code and kind is not TopicAlreadyExistsError:
            raise Misconfigured(
                f"topic {name} could not be made ({kind.__name__}); check the broker's rights and limits"
            )


def _new_topic(name: str, settings: KafkaSettings) -> NewTopic:
    retention_ms = settings.retention_hours * 3_600_000
    return NewTopic(
        name,
        num_partitions=settings.partitions,
        replication_factor=settings.replication,
        topic_configs={
            "cleanup.policy": "delete",  # samples are never compacted: every record counts
            "retention.ms": str(retention_ms),
            "min.insync.replicas": str(max(1, settings.replication - 1)),
        },
    )


def _away(settings: KafkaSettings, error: KafkaError) -> Busy:
    return Busy(f"no Kafka at {settings.bootstrap} ({error}); start it, or set LEADWIRE_KAFKA_BOOTSTRAP")
