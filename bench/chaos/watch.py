"""How far the store is, looked at once a second, and how long it took to catch up after each fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.chaos import store
from bench.chaos.fleet import Fleet
from bench.chaos.scenes import Injected
from schemas.clock import to_us
from schemas.errors import Busy
from storage.database import Database

USUAL_LAG_S = 4.0
"""What is between a sample and its second of metrics when nothing happens, with room; it is no catching up."""


@dataclass(frozen=True, slots=True)
class Seen:
    """At this moment all devices' metrics were stored up to this second of the load."""

    at_s: float
    reached_s: float


STALL_S = 3.0
"""A bench that is late by more than this was not run: the machine stood still, or had no time."""

_TICK_S = 0.5


@dataclass(slots=True)
class Stalls:
    """When the bench itself was not run; a fault that nobody injected, and everything else has it too."""

    longest_s: float = 0.0

    async def look(self) -> None:
        """Until cancelled."""
        while True:
            before_s = time.monotonic()
            await asyncio.sleep(_TICK_S)
            self.note(time.monotonic() - before_s - _TICK_S)

    def note(self, late_s: float) -> None:
        if late_s > STALL_S:
            self.longest_s = max(self.longest_s, late_s)

    def in_words(self) -> str:
        """Nothing, or an addition to what was injected."""
        return f"; the machine stood still {self.longest_s:.0f} s" if self.longest_s else ""


@dataclass(slots=True)
class Watch:
    """Looks of one run."""

    fleet: Fleet
    seen: list[Seen] = field(default_factory=list)

    async def look(self, database: Database) -> None:
        """Until cancelled; while the database is away there is nothing to see."""
        recordings = [bedside.recording_id for bedside in self.fleet.bedsides]
        while True:
            try:
                newest = await store.newest_seconds(database, recordings)
            except Busy:
                newest = {}
            if newest:
                reached = [to_us(newest[name]) if name in newest else self.fleet.begun_us for name in recordings]
                self.seen.append(Seen(time.monotonic(), (min(reached) - self.fleet.begun_us) / 1e6 + 1))
            await asyncio.sleep(1)


def longest_catch_up_s(
    faults: Sequence[Injected], seen: Sequence[Seen], begun_s: float, seconds: float, settled_s: float
) -> float | None:
    """The longest time from a fault's end until all that was due by then was stored; None without faults."""
    return max((_catch_up_s(fault, seen, begun_s, seconds, settled_s) for fault in faults), default=None)


def _catch_up_s(fault: Injected, seen: Sequence[Seen], begun_s: float, seconds: float, settled_s: float) -> float:
    wanted_s = min(fault.ended_s - begun_s, seconds) - USUAL_LAG_S
    reached = (look.at_s for look in seen if look.at_s >= fault.ended_s and look.reached_s >= wanted_s)
    return max(0.0, next(reached, settled_s) - fault.ended_s)
