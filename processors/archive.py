"""The archive service: closed hours into the object store, then out of the database, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from processors.sinks import patiently
from schemas import clock
from schemas.errors import Busy
from schemas.logs import logger
from schemas.settings_store import ArchiveSettings
from schemas.telemetry import (
    ARCHIVE_BYTES,
    ARCHIVE_EXPIRED_ROWS,
    ARCHIVE_HELD,
    ARCHIVE_HOURS,
    ARCHIVE_OLDEST_S,
    ARCHIVE_SAMPLES,
    ARCHIVE_SECONDS,
)
from storage import archive_expiry, archive_index
from storage.archive import Moved, archive_next
from storage.archive_expiry import Chunk, OldHour
from storage.database import Database
from storage.objects import Objects

_POLL_S: Final = 30.0
_STALE_S: Final = 900.0
"""A server may be away for ten minutes before the service gives up; one round of a large backlog is looked at too."""

_LANES: Final = 4
"""Hours on their way at once, of different devices: while one waits for the object store another is being coded."""

_log = logger(__name__)


@dataclass(slots=True)
class Totals:
    """What was done since the process began; samples count all leads."""

    hours: int = 0
    anew: int = 0
    samples: int = 0
    bytes: int = 0
    expired_rows: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class _Times:
    now: datetime
    closed: datetime
    """Hours before it are closed."""
    hot: datetime
    """Samples before it may leave the database."""


class ArchiveService:
    """Archives what is closed and expires what is archived; any number of processes share it through the database."""

    def __init__(
        self,
        database: Database,
        store: Objects,
        settings: ArchiveSettings,
        now: Callable[[], datetime] = clock.now,
        after_round: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._database, self._store, self._settings = database, store, settings
        self._now, self._after_round = now, after_round
        self._worked_s: float | None = None
        self._has_chunks: bool | None = None
        self.totals = Totals()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`, after the hours in hand. Raises Busy when a server stays away for long."""
        while not stopping.is_set():
            await self.round(stopping)
            await _pause(stopping)

    async def round(self, stopping: asyncio.Event | None = None) -> None:
        """Everything that is due now. Raises Busy when a server stays away for long."""
        if self._settings.enabled:
            await patiently(self._enrol)
            await asyncio.gather(*(self._lane(stopping) for _ in range(_LANES)))
            await self._expire(stopping)
        if self._after_round is not None:
            await patiently(self._after_round)
        self._worked()

    async def ready(self) -> None:
        """Raise Busy unless the archive got on lately."""
        if self._worked_s is None or time.monotonic() - self._worked_s > _STALE_S:
            raise Busy(
                "the archive has not got on lately; see that PostgreSQL and the object store run (leadwire doctor)"
            )

    async def _enrol(self) -> None:
        times = self._times()
        async with self._database.transaction() as conn:
            await archive_index.enrol(conn)
            oldest = await archive_index.oldest_waiting(conn, times.closed)
        ARCHIVE_OLDEST_S.set((times.closed - oldest).total_seconds() if oldest is not None else 0)
        self._worked()

    async def _lane(self, stopping: asyncio.Event | None) -> None:
        while not _is_set(stopping):
            began = time.perf_counter()
            moved = await patiently(lambda: archive_next(self._database, self._store, *self._due()))
            if moved is None:
                return
            self._count(moved, began)

    def _due(self) -> tuple[datetime, datetime]:
        times = self._times()
        return times.closed, times.now

    def _count(self, moved: Moved, began: float) -> None:
        self._worked()
        if moved.held is not None:
            ARCHIVE_HELD.inc()
            self.totals.held += 1
            _log.error("samples can't be archived", device_id=str(moved.device_id), why=moved.held)
        if moved.hours:
            ARCHIVE_SECONDS.observe(time.perf_counter() - began)
        ARCHIVE_HOURS.inc(moved.hours)
        ARCHIVE_SAMPLES.inc(moved.samples)
        ARCHIVE_BYTES.inc(moved.bytes)
        totals = self.totals
        totals.hours, totals.anew = totals.hours + moved.hours, totals.anew + moved.anew
        totals.samples, totals.bytes = totals.samples + moved.samples, totals.bytes + moved.bytes

    async def _expire(self, stopping: asyncio.Event | None) -> None:
        if self._has_chunks is None:
            self._has_chunks = await patiently(lambda: archive_expiry.has_chunks(self._database))
        if self._has_chunks:
            await self._expire_chunks(stopping)
            return
        seen = set[OldHour]()
        while not _is_set(stopping):
            found = await patiently(lambda: archive_expiry.old_hours(self._database, self._times().hot))
            new = [old for old in found if old not in seen]
            if not new:
                return
            for old in new:
                if await self._expire_hour(old):
                    seen.add(old)

    async def _expire_hour(self, old: OldHour) -> bool:
        """Whether it is done with for this round; not when it was only archived by now."""
        began = time.perf_counter()
        done = await patiently(lambda: archive_expiry.expire_hour(self._database, self._store, old, self._now()))
        self._expired(done.rows)
        if done.moved is None:
            return True
        self._count(done.moved, began)
        return not done.moved.hours

    def _expired(self, rows: int) -> None:
        ARCHIVE_EXPIRED_ROWS.inc(rows)
        self.totals.expired_rows += rows
        self._worked()

    async def _expire_chunks(self, stopping: asyncio.Event | None) -> None:
        for chunk in await patiently(lambda: archive_expiry.old_chunks(self._database, self._times().hot)):
            for old in await patiently(partial(archive_expiry.unarchived_hours, self._database, chunk)):
                if _is_set(stopping):
                    return
                await self._archive_late(old)
            self._expired(await self._drop(chunk))

    async def _archive_late(self, old: OldHour) -> None:
        began = time.perf_counter()
        moved = await patiently(lambda: archive_expiry.archive_again(self._database, self._store, old, self._now()))
        if moved is not None:
            self._count(moved, began)

    async def _drop(self, chunk: Chunk) -> int:
        """0 when it must wait for the next round: rows came, or somebody holds the chunk."""
        try:
            return await archive_expiry.drop_chunk(self._database, chunk, self._now())
        except Busy as error:
            _log.warning("a chunk of samples stays for now", chunk=chunk.name, why=str(error))
            return 0

    def _times(self) -> _Times:
        now = self._now()
        closed = _hour(now - timedelta(hours=self._settings.after_hours))
        return _Times(now, closed, min(closed, _hour(now - timedelta(days=self._settings.hot_days))))

    def _worked(self) -> None:
        self._worked_s = time.monotonic()


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _is_set(stopping: asyncio.Event | None) -> bool:
    return stopping is not None and stopping.is_set()


async def _pause(stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_POLL_S):
            await stopping.wait()
    except TimeoutError:
        return
