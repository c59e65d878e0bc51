"""Many devices at once: each source played by its own connection, spread over the block's length."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.player import Progress, Target, play
from ingest.sources import Source


@dataclass(frozen=True, slots=True)
class Seat:
    """One device of a fleet."""

    source: Source
    target: Target


@dataclass(slots=True)
class FleetProgress:
    """The latest progress of every seat, by its number; read it whenever you like."""

    seats: dict[int, Progress] = field(default_factory=dict)

    @property
    def blocks(self) -> int:
        """Blocks sent so far, repeats not counted."""
        return sum(progress.blocks for progress in self.seats.values())

    @property
    def reconnects(self) -> int:
        return sum(progress.reconnects for progress in self.seats.values())


async def play_fleet(
    seats: Sequence[Seat],
    *,
    speed: float = 1.0,
    block_s: float = 1.0,
    stop: asyncio.Event | None = None,
    progress: FleetProgress | None = None,
) -> FleetProgress:
    """Play every seat and return when all have ended, or soon after `stop` is set.

    Seats begin evenly over one block's length, as devices in the field do, so that the gateway sees a steady
    flow. When one seat fails the others are stopped, and its error is raised.
    """
    told = progress or FleetProgress()
    ending = stop or asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            for number, seat in enumerate(seats):
                delay_s = block_s * number / len(seats)
                group.create_task(_play_seat(number, seat, delay_s, speed, block_s, ending, told))
    except* Exception as errors:  # noqa: BLE001  # not swallowed: the first of the group is raised as itself
        raise errors.exceptions[0] from None
    return told


async def _play_seat(
    number: int, seat: Seat, delay_s: float, speed: float, block_s: float, stop: asyncio.Event, told: FleetProgress
) -> None:
    def note(progress: Progress) -> None:
        told.seats[number] = progress

    await asyncio.sleep(delay_s)
    await play(seat.source, seat.target, speed=speed, block_s=block_s, on_progress=note, stop=stop)
