"""Where results go: the database in one transaction, then their topics. Write, then acknowledge."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

from processors.alarms import AlarmNews
from processors.publish import Decided, Publisher
from schemas.alarms import AlarmEvent
from schemas.clock import now_us
from schemas.errors import Busy
from schemas.logs import logger
from schemas.results import Results, merged
from schemas.rhythms import RhythmEpisode
from schemas.samples import Gap, Recording, WaveformStretch
from schemas.telemetry import ALARMS_RAISED, BEATS, SAMPLES_MISSED, STORED_SECONDS
from storage import alarms, beats, checkpoints, devices, metrics, rhythms, samples
from storage.checkpoints import Checkpoint
from storage.database import Database
from storage.stretches import Packed

GIVE_UP_S: Final = 600
"""A server may be away this long; then the worker stops and starts anew from its checkpoint."""

_log = logger(__name__)
Result = TypeVar("Result")


@dataclass(slots=True)
class Rows:
    """All rows one batch leads to; identity makes a second writing harmless."""

    recordings: list[Recording] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    episodes: list[RhythmEpisode] = field(default_factory=list)
    stretches: list[WaveformStretch] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    alarms: AlarmNews = field(default_factory=AlarmNews)
    owners: dict[UUID, UUID | None] = field(default_factory=dict)

    def extend(self, other: Rows) -> None:
        """Take in the rows of another partition."""
        for name in ("recordings", "decided", "episodes", "stretches", "gaps"):
            getattr(self, name).extend(getattr(other, name))
        self.alarms.extend(other.alarms)
        self.owners.update(other.owners)

    def any(self) -> bool:
        """Whether there is anything to write."""
        found = self.recordings or self.decided or self.episodes or self.stretches or self.gaps
        return bool(found) or self.alarms.any()


class Sinks:
    """Writes rows and checkpoints; when this returns, they are committed.

    Calls may overlap: one publishes while the next stores. Each of the two goes by the order of the calls.

    Every second of metrics is published, and one in `metrics_every_s` is kept (see storage/metrics.py).
    """

    def __init__(self, database: Database, publisher: Publisher, metrics_every_s: int = 1) -> None:
        self._database = database
        self._publisher = publisher
        self._metrics_every_s = metrics_every_s
        self._storing, self._publishing = asyncio.Lock(), asyncio.Lock()
        self._failed: BaseException | None = None

    async def write(self, rows: Rows) -> None:
        """Store the rows, then publish them. Raises Busy after GIVE_UP_S of retries."""
        if not rows.any():
            return
        results = merged([each.results for each in rows.decided]) if rows.decided else None
        async with self._in_turn(self._storing):
            stretches = await samples.packed(rows.stretches)  # once, whether or not the database takes it at once
            told = await patiently(lambda: self._store(rows, stretches, results))
        async with self._in_turn(self._publishing):
            await patiently(lambda: self._publisher.results(rows.decided, rows.episodes, told))
        _count(rows, results)
        _observe_latency(results)

    async def checkpoint(
        self, stretches: Sequence[WaveformStretch], saved: Sequence[Checkpoint], heard_of: Mapping[UUID, datetime]
    ) -> None:
        """The open stretches, the state they belong to and when devices were seen, in one transaction.

        It comes when everything before it is stored and told.
        """
        async with self._in_turn(self._storing), self._in_turn(self._publishing):
            packed = await samples.packed(stretches)
            await patiently(lambda: self._checkpoint(packed, saved, heard_of))

    @asynccontextmanager
    async def _in_turn(self, lock: asyncio.Lock) -> AsyncIterator[None]:
        """After one failure nothing else is written: a checkpoint behind it would cover what is not there."""
        async with lock:
            if self._failed is not None:
                raise self._failed
            try:
                yield
            except BaseException as error:
                self._failed = error
                raise

    async def _store(self, rows: Rows, stretches: Packed, results: Results | None) -> list[AlarmEvent]:
        """The alarms of the rows as they stand now, somebody's acknowledgement included."""
        async with self._database.transaction() as connection:
            await samples.write_recordings(connection, rows.recordings)
            await samples.write_packed(connection, stretches)
            await samples.write_gaps(connection, rows.gaps)
            if results is not None:
                await beats.write_beats(connection, results)
                await metrics.write_metrics(connection, results, rows.owners, self._metrics_every_s)
            await rhythms.write_rhythms(connection, rows.episodes)
            over = await alarms.end_before(connection, rows.alarms.returned)
            return over + await alarms.write_alarms(connection, rows.alarms.events)

    async def _checkpoint(
        self, stretches: Packed, saved: Sequence[Checkpoint], heard_of: Mapping[UUID, datetime]
    ) -> None:
        async with self._database.transaction() as connection:
            await samples.write_packed(connection, stretches)
            await devices.touch(connection, heard_of)
            await checkpoints.save(connection, saved)


async def patiently(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call again with growing, jittered pauses while a server is away, for at most GIVE_UP_S."""

    @retry(
        retry=retry_if_exception_type(Busy),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(GIVE_UP_S),
        before_sleep=lambda state: _log.warning("waiting", attempt=state.attempt_number, why=str(_reason(state))),
        reraise=True,
    )
    async def attempt() -> Result:
        return await call()

    return await attempt()


def _reason(state: object) -> BaseException | None:
    outcome = getattr(state, "outcome", None)
    return outcome.exception() if outcome is not None else None


def _count(rows: Rows, results: Results | None) -> None:
    if results is not None:
        for beat_class, count in Counter(results.beats["beat_class"].tolist()).items():
            BEATS.labels(beat_class).inc(count)
    for alarm in rows.alarms.events:
        if alarm.ended_at_us is None:
            ALARMS_RAISED.labels(alarm.kind, alarm.priority).inc()
    for gap in rows.gaps:
        SAMPLES_MISSED.inc(gap.end_index - gap.first_index)


def _observe_latency(results: Results | None) -> None:
    """From a second's last sample to now, when it is stored and told."""
    if results is not None:
        waited_s = (now_us() - results.metrics["window_start_us"]) / 1e6 - 1.0
        for seconds in waited_s.tolist():
            STORED_SECONDS.observe(max(0.0, seconds))
