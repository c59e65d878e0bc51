"""PART=outages: writers and the archive at work while the database, the object store and the archive itself go away."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.store.archiver import Archiver
from bench.store.corpus import made
from bench.store.fleet import STRETCH_S, Fleet
from bench.store.formats import say
from bench.store.proof import prove
from bench.store.silent import Silent
from bench.store.stand import Stand, stand
from bench.store.sustained import register
from processors.sinks import Rows, Sinks
from schemas.clock import to_us
from schemas.errors import Misconfigured
from storage.database import writer
from storage.migrate import migrate

AWAY_S: Final = 60.0
_HOURS: Final = 2
"""Of samples of each device: every run of the archive meets hours that are whole and hours that still grow."""
_BEHIND: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`seconds` of writing, in which the outages lie; of `devices` devices."""

    servers: tuple[str, ...]
    seconds: int
    devices: int
    seed: int


async def measure(wanted: Wanted) -> Mapping[str, Any]:
    """One server after the other."""
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-") as name:
        for kind in wanted.servers:
            (Path(name) / kind).mkdir()
            say(f"outages on {kind}: {wanted.seconds} s of writing, then all of it is read")
            try:
                async with stand(kind, Path(name) / kind) as here:
                    told[kind] = await _one(here, wanted)
            except Misconfigured as error:
                told[kind] = {"skipped": str(error)}
                say(f"{kind} is left out: {error}")
    return told


async def _one(here: Stand, wanted: Wanted) -> Mapping[str, Any]:
    await migrate(here.url, here.settings)
    await here.object_store().ensure()
    fleet = Fleet(wanted.devices, _began_us(), made(4, 600.0).held[0].samples)
    database = writer(here.settings)
    await database.open()
    try:
        await register(database, fleet)
        archiver, stopping = Archiver(here, random.Random(wanted.seed)), asyncio.Event()  # noqa: S311  # moments, no secrets
        sinks = Sinks(database, Silent(), 1)
        async with asyncio.TaskGroup() as busy:  # one that fails ends the others
            busy.create_task(archiver.loop(stopping))
            faulting = busy.create_task(_faults(here, wanted.seconds))
            written = await _write(sinks, fleet, wanted.seconds)
            faults = await faulting
            stopping.set()
        say(f"written: {written} stretches of each device; the archive is seen out")
        rounds = await archiver.see_out()
        proof = await prove(here, database, fleet, written)
    finally:
        await database.close()
    say(f"proof: {proof.told()}")
    return {
        "seconds": wanted.seconds,
        "devices": wanted.devices,
        "faults": faults,
        "archive_runs": {**archiver.told(), "to_see_it_out": rounds},
        **proof.told(),
    }


def _began_us() -> int:
    """So that the last sample is as old as the archive wants."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return to_us(hour - _BEHIND - timedelta(hours=_HOURS)) + STRETCH_S * 1_000_000


async def _write(sinks: Sinks, fleet: Fleet, seconds: int) -> int:
    """Hours of samples spread over the run, a stretch of every device at a time; how many of each were committed."""
    count = _HOURS * 3600 // STRETCH_S - 10  # a device begins up to ten seconds after another
    begun_s = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun_s + number * seconds / count - time.monotonic()))
        await sinks.write(Rows(stretches=[fleet.stretch(device, number) for device in range(fleet.devices)]))
    return count


Fault = Callable[[Stand, float], Awaitable[None]]


async def _store_away(here: Stand, away_s: float) -> None:
    await here.store_away(away_s)


async def _database_away(here: Stand, away_s: float) -> None:
    await here.database_away(away_s)


async def _database_killed(here: Stand, away_s: float) -> None:
    await here.database_killed()


async def _store_killed(here: Stand, away_s: float) -> None:
    await here.store_away(0.0)


_SCRIPT: Final[tuple[tuple[float, str, Fault], ...]] = (
    (0.05, "database killed", _database_killed),
    (0.12, "object store away", _store_away),
    (0.40, "database away", _database_away),
    (0.65, "object store killed", _store_killed),
    (0.72, "database killed", _database_killed),
    (0.80, "object store killed", _store_killed),
    (0.90, "database killed", _database_killed),
)
"""When each begins, as a share of the run. The archive itself is killed all along."""


async def _faults(here: Stand, seconds: int) -> list[dict[str, Any]]:
    begun_s, told = time.monotonic(), []
    away_s = min(AWAY_S, seconds / 6)
    for share, name, fault in _SCRIPT:
        await asyncio.sleep(max(0.0, begun_s + share * seconds - time.monotonic()))
        started_s = time.monotonic()
        say(f"{name} ...")
        await fault(here, away_s)
        told.append({"what": name, "at_s": round(started_s - begun_s), "for_s": round(time.monotonic() - started_s, 1)})
    return told
