"""Kafka as the api sees it: the end of every partition, read without a group, and a sign of life."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from api.live_messages import TOPICS, LiveRecord
from schemas.errors import Busy
from schemas.kafka import client_options, remedy
from schemas.settings import KafkaSettings

_WAIT_MS: Final = 500
_BATCH: Final = 500
_NEW_TOPICS_MS: Final = 10_000
_ASK_MS: Final = 2000


class KafkaSource:
    """The live topics from their ends; every process reads all partitions, for its own watchers."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Return once the end of every partition is known, so nothing published later is missed. Raises Busy."""
        consumer = AIOKafkaConsumer(
            *TOPICS,
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            metadata_max_age_ms=_NEW_TOPICS_MS,
        )
        try:
            await consumer.start()
            await asyncio.gather(*(consumer.position(partition) for partition in consumer.assignment()))
        except (KafkaError, OSError) as error:
            await consumer.stop()
            raise _away(self._settings, error) from error
        self._consumer = consumer

    async def records(self) -> Sequence[LiveRecord]:
        consumer = self._consumer
        if consumer is None:
            return ()
        try:
            batches = await consumer.getmany(timeout_ms=_WAIT_MS, max_records=_BATCH)
        except KafkaError as error:
            raise _away(self._settings, error) from error
        return [LiveRecord(one.topic, one.key, one.value or b"") for batch in batches.values() for one in batch]

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()


async def ping(settings: KafkaSettings) -> None:
    """Ask the broker for its metadata, over a connection of its own. Raises Busy."""
    client = AIOKafkaClient(**client_options(settings), request_timeout_ms=_ASK_MS)
    try:
        await client.bootstrap()
    except (KafkaError, OSError) as error:
        raise _away(settings, error) from error
    finally:
        await client.close()


def _away(settings: KafkaSettings, error: Exception) -> Busy:
    reason = f"no Kafka at {settings.bootstrap} ({type(error).__name__})"
    return Busy(f"{reason}; {remedy(settings)}")
