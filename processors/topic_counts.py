"""Which topics there are, and how many partitions each has."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.errors import Busy
from schemas.kafka import client_options, remedy
from schemas.settings import KafkaSettings

_TIMEOUT_MS = 10_000


async def partition_counts(settings: KafkaSettings) -> dict[str, int]:
    """Partitions by topic, of every topic there is. Raises Busy when Kafka is away."""
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=_TIMEOUT_MS)
    try:
        await admin.start()
        names = await admin.list_topics()  # asking for a name that is not there would make that topic on Tansu
        described = await admin.describe_topics(names) if names else []
    except KafkaError as error:
        raise Busy(f"no Kafka at {settings.bootstrap} ({error}); {remedy(settings)}") from error
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}
