"""From a report request to a PDF in the object store and its row in ecg_reports."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from processors.publish import DeadLetter, Publisher, replays_of
from processors.report.data import ReportData, content, gather
from processors.sinks import patiently
from schemas import topics
from schemas.clock import now, to_datetime
from schemas.codec import decode_report_event
from schemas.errors import NotFound, Rejected
from schemas.logs import logger
from schemas.reports import ReportEvent
from schemas.telemetry import REJECTS, REPORTS_WRITTEN
from storage import reports
from storage.archive_shelf import Shelf
from storage.database import Database
from storage.object_keys import report_key
from storage.objects import Objects
from storage.reports import FinishedReport
from storage.summaries import PeriodMeans

_SETTLE_S: Final = 15.0
"""Longer than a checkpoint interval, after which the last samples are stored."""

_POLL_S: Final = 0.5
_SHELF_BYTES: Final = 2 * 2**20
"""An hour of a lead: a report shows seconds of it here and there."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One Kafka record of ecg.reports."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    replays: int = 0


def request_record(event: Any) -> RequestRecord:
    """The RequestRecord of a Faust event."""
    message = event.message
    value = message.value or b""  # Kafka allows none
    return RequestRecord(message.tp.partition, message.offset, message.key, value, replays_of(message.headers))


class Reporter:
    """Writes one report at a time; the same request twice gives the same object and row."""

    def __init__(self, database: Database, objects: Objects, publisher: Publisher) -> None:
        self._database = database
        self._objects = objects
        self._shelf = Shelf(lambda: objects, _SHELF_BYTES)
        self._publisher = publisher

    async def take(self, request: RequestRecord) -> None:
        """Answer one record of ecg.reports, or make it a dead letter. Raises Busy when a server stays away for long."""
        try:
            event = decode_report_event(request.value)
        except Rejected as error:
            await self._reject(request, error)
            return
        if event.state != "requested":
            return  # our own answer
        try:
            await patiently(lambda: self._write(event))
            answer = replace(event, state="ready")
        except (NotFound, Rejected) as error:
            await patiently(lambda: self._fail(event))
            answer = replace(event, state="failed", detail=str(error))
        REPORTS_WRITTEN.labels(answer.state).inc()
        await patiently(lambda: self._publisher.report(answer))

    async def _reject(self, request: RequestRecord, error: Rejected) -> None:
        """In ecg.rejects before this returns, and so before the record is acknowledged."""
        letter = DeadLetter(
            request.key, request.value, error, topics.REPORTS, request.partition, request.offset, request.replays
        )
        await patiently(lambda: self._publisher.rejects([letter]))
        REJECTS.labels(error.title).inc()
        _log.warning("not a report event", partition=request.partition, offset=request.offset, why=str(error))

    async def _write(self, event: ReportEvent) -> None:
        data = await self._settled(event)
        pdf = await asyncio.to_thread(_pdf, data)
        key = report_key(event.device_id, event.report_id)
        await self._objects.put(key, pdf, "application/pdf")
        finished = _finished(data.summary.means, key, pdf, self._objects, event)
        async with self._database.transaction() as connection:
            await reports.finish_report(connection, event.report_id, finished)

    async def _settled(self, event: ReportEvent) -> ReportData:
        """The period's data, once nothing of it is on its way any more or the wait is over."""
        deadline = asyncio.get_running_loop().time() + _SETTLE_S
        while True:
            data = await gather(self._database, self._shelf, event)
            if data.reaches_end or asyncio.get_running_loop().time() > deadline:
                return data
            await asyncio.sleep(_POLL_S)

    async def _fail(self, event: ReportEvent) -> None:
        async with self._database.transaction() as connection:
            await reports.fail_report(connection, event.report_id, now())


def _pdf(data: ReportData) -> bytes:
    from processors.report.pdf import render  # noqa: PLC0415  # drawing takes a tenth of a worker's start

    return render(content(data))


def _finished(means: PeriodMeans, key: str, pdf: bytes, store: Objects, event: ReportEvent) -> FinishedReport:
    return FinishedReport(
        key=key,
        size=len(pdf),
        cloud_service=store.service,
        cloud_url=store.location(key),
        sha256=hashlib.sha256(pdf).digest(),
        heart_rate=_whole(means.heart_rate_mean),
        pr_interval=_whole(means.pr_mean_ms),
        qrs_duration=_whole(means.qrs_mean_ms),
        qtc_interval=_whole(means.qtc_mean_ms),
        st_segment=None if means.st_mv is None else f"{means.st_mv:+.2f} mV",
        qrs_axis=None if means.qrs_axis_deg is None else f"{means.qrs_axis_deg:.0f}°",
        report_date=to_datetime(event.period_end_us),
        uploaded_at=now(),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
