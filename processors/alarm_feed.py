"""The reader of ecg.alarms for the webhook: a group of its own, so that a slow receiver holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.alarms import AlarmEvent
from schemas.codec import decode_alarm
from schemas.errors import Rejected
from schemas.kafka import client_options
from schemas.logs import logger
from schemas.settings import AlarmSettings, KafkaSettings, WorkerSettings

if TYPE_CHECKING:
    from processors.webhook import Webhook

_AGAIN_S: Final = 5.0
_SLOWEST_MS: Final = 600_000
"""A batch may take this long before Kafka gives its partitions to another worker."""
_BATCH: Final = 8
_KEEP_EVERY: Final = 20

_log = logger(__name__)


@asynccontextmanager
async def webhook_running(
    alarms: AlarmSettings, kafka: KafkaSettings, worker: WorkerSettings
) -> AsyncIterator[asyncio.Task[None] | None]:
    """Posts what comes on ecg.alarms while the block runs; nothing without a URL. The workers share the partitions."""
    if not alarms.webhook_url:
        yield None
        return
    running = asyncio.create_task(_for_ever(alarms, kafka, f"{worker.group}-webhook"), name="alarm webhook")
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _for_ever(alarms: AlarmSettings, kafka: KafkaSettings, group: str) -> None:
    """Start again after every outage: the sample path must not notice."""
    from processors.webhook import Webhook  # noqa: PLC0415  # an HTTP client, for those who have a webhook

    async with Webhook(alarms) as webhook:
        while True:
            try:
                await _read(webhook, kafka, group)
            except (KafkaError, OSError) as error:
                _log.warning("alarm_webhook_waits_for_kafka", why=repr(error))
            except Exception:  # noqa: BLE001  # this task's outermost loop: the samples go on without the webhook
                _log.exception("alarm_webhook_failed")
            await asyncio.sleep(_AGAIN_S)


async def _read(webhook: Webhook, kafka: KafkaSettings, group: str) -> None:
    """From where the group stands; a new group begins with what comes from now on, not with history."""
    consumer = AIOKafkaConsumer(
        topics.ALARMS,
        **client_options(kafka),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        max_poll_interval_ms=_SLOWEST_MS,
    )
    await consumer.start()
    try:
        for turn in count():
            batches = await consumer.getmany(timeout_ms=500, max_records=_BATCH)
            for record in (one for batch in batches.values() for one in batch):
                await post(webhook, record)
            if batches or turn % _KEEP_EVERY == 0:
                await consumer.commit()  # without news too: a group that never committed would begin at the end again
    finally:
        await consumer.stop()


async def post(webhook: Webhook, record: Any) -> None:
    """Deliver one record of ecg.alarms, if it is wanted; what can't be delivered has been told loudly."""
    event = _event(record.value)
    if event is not None and webhook.wants(event):
        await webhook.deliver(event)


def _event(value: bytes | None) -> AlarmEvent | None:
    try:
        return decode_alarm(value or b"")
    except Rejected as error:
        _log.warning("not_an_alarm_event", why=str(error))
        return None
