"""The HRV service: stretches that are due, one after the other, beside everything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Final

from processors.hrv.stretches import judge
from processors.sinks import patiently
from schemas import clock
from schemas.errors import Busy
from schemas.hrv import STRETCH_S, HrvStretch
from schemas.telemetry import HRV_OLDEST_S, HRV_SECONDS, HRV_STRETCHES
from storage import hrv
from storage.database import Database
from storage.hrv import DueStretch, DueTimes, StretchBeats

SETTLE: Final = timedelta(seconds=30)
"""After its end a stretch's beats are on their way for so long: seconds as a rule, a checkpoint's time at worst."""

BATCH: Final = 64
"""Stretches of one transaction: a second of work. Finding them takes 60 ms among 5,000 devices, however many."""

_POLL_S: Final = 5.0
_STALE_S: Final = 60.0


class HrvService:
    """Computes what is due until told to stop; any number of processes share the work through the database.

    Figures are made in a thread of their own, one stretch at a time, so that health is answered meanwhile.
    """

    def __init__(self, database: Database, now: Callable[[], datetime] = clock.now) -> None:
        self._database = database
        self._now = now
        self._seed = SystemRandom().getrandbits(31)
        self._looked_s: float | None = None
        self._pool = ThreadPoolExecutor(1, "hrv")

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`, after the batch in hand. Raises Busy when the database stays away for long."""
        while not stopping.is_set():
            done = await patiently(self.step)
            if not done:
                await _pause(stopping)
        self._pool.shutdown()

    async def step(self) -> int:
        """One batch; how many stretches were due, of which others may have taken some. Raises Busy."""
        times = DueTimes(self._now(), SETTLE)
        async with self._database.transaction() as conn:
            found = await hrv.due(conn, times, BATCH, seed=self._seed)
            HRV_OLDEST_S.set(_age_s(found, times))
            ours = await hrv.claim(conn, found, times) if found else []
            beats = await hrv.read_beats(conn, ours) if ours else []
            rows = await asyncio.get_running_loop().run_in_executor(self._pool, _judged, beats)
            await hrv.write_hrv(conn, rows, times.now)
        for row in rows:
            HRV_STRETCHES.labels(row.reason or "done").inc()
        self._looked_s = time.monotonic()
        return len(rows)

    async def ready(self) -> None:
        """Raise Busy unless the database was looked through lately."""
        if self._looked_s is None or time.monotonic() - self._looked_s > _STALE_S:
            raise Busy("no look for due stretches has succeeded lately; see that PostgreSQL runs (leadwire doctor)")


def _judged(stretches: Sequence[StretchBeats]) -> list[HrvStretch]:
    rows = []
    for stretch in stretches:
        with HRV_SECONDS.time():
            rows.append(judge(stretch))
    return rows


def _age_s(found: Sequence[DueStretch], times: DueTimes) -> float:
    ends = [stretch.start + timedelta(seconds=STRETCH_S) + times.settle for stretch in found]
    return max(((times.now - end).total_seconds() for end in ends), default=0.0)


async def _pause(stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_POLL_S):
            await stopping.wait()
    except TimeoutError:
        return
