"""PART=sustained: 5,000 devices live for ten minutes, the database on one core, the writer on the other."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from bench.store.corpus import load
from bench.store.fleet import RATE_HZ, TICKS_A_SECOND, Fleet, together
from bench.store.formats import say
from bench.store.memory import partition_state
from bench.store.pace import Kept, pace
from bench.store.server_books import books, checkpoints_every, difference
from bench.store.servers import CLIENT_CORE, Server, running
from bench.store.silent import Silent
from bench.store.timings import spending
from processors.sinks import Sinks
from schemas import topics
from schemas.clock import now_us
from schemas.errors import Misconfigured
from storage.checkpoints import Checkpoint
from storage.database import Database, writer
from storage.migrate import migrate
from storage.samples import write_recordings

PARTITIONS: Final = 64
CHECKPOINT_INTERVAL_S: Final = 10.0
"""Each partition's state is saved so often: the worker's default."""
MOST_TICKS: Final = 20
"""Written at once when the writer is behind: two seconds of the fleet."""
_TOLD_EVERY_S: Final = 30
_CHECKPOINTS_IN_A_RUN: Final = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """How long, of how many devices, on which servers."""

    servers: tuple[str, ...]
    seconds: int
    devices: int


async def measure(wanted: Wanted) -> Mapping[str, Any]:
    """One server after the other. Raises Misconfigured on a machine without two cores."""
    if (os.cpu_count() or 1) < 2:
        raise Misconfigured("this machine has one core; the database needs one and the writer another")
    bank = await asyncio.to_thread(_bank)
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-") as name:
        for kind in wanted.servers:
            with running(kind, Path(name) / kind) as server:
                say(f"sustained on {server.version}: {wanted.seconds} s")
                told[kind] = await _one(server, wanted, bank)
    return told


def _bank() -> NDArray[np.int16]:
    """Samples of 250 Hz from the QT database, two leads; made up where it is not there."""
    try:
        corpus = load("qtdb", 8)
    except FileNotFoundError:
        corpus = load("made", 8)
    return np.concatenate([held.samples for held in corpus.held], axis=1)


async def _one(server: Server, wanted: Wanted, bank: NDArray[np.int16]) -> Mapping[str, Any]:
    if server.process is None or server.is_npm:
        return {"server": server.version, "skipped": "no PostgreSQL of this machine, so not to be held to one core"}
    await migrate(server.url, server.settings)
    database = writer(server.settings)
    await database.open()
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {CLIENT_CORE})
        server.hold()
        return await _loaded(server, database, wanted, bank)
    finally:
        os.sched_setaffinity(0, cores)
        server.let_go()
        await database.close()


async def _loaded(server: Server, database: Database, wanted: Wanted, bank: NDArray[np.int16]) -> Mapping[str, Any]:
    state = partition_state(Fleet(wanted.devices, now_us(), bank), max(1, wanted.devices // PARTITIONS))
    fleet = Fleet(wanted.devices, now_us() + 1_000_000, bank)
    await register(database, fleet)
    load_ = _Load(fleet, Sinks(database, Silent(), 1), state)
    async with (
        await AsyncConnection.connect(server.url, autocommit=True) as alone,
        checkpoints_every(server.url, wanted.seconds / (_CHECKPOINTS_IN_A_RUN + 0.5)),
    ):
        before = await books(alone)
        with spending(server.cpu_s) as spent:
            ticks = await load_.run(wanted.seconds)
        after = await books(alone)
    samples = load_.stretches * 2 * RATE_HZ * 10
    return {
        "server": server.version,
        "seconds": wanted.seconds,
        "devices": wanted.devices,
        "rows": load_.rows_told(),
        "state_bytes": len(state),
        **pace(ticks).told(),
        "server_core": round(spent.server_cpu_s / spent.wall_s, 3),
        "writer_core": round(spent.client_cpu_s / spent.wall_s, 3),
        **difference(before, after, samples, spent.wall_s),
    }


async def register(database: Database, fleet: Fleet) -> None:
    """Its people, devices and recordings, with ids of our choosing."""
    users, devices = list(fleet.users), [source.device_id for source in fleet.sources]
    async with database.transaction() as conn:
        await conn.execute(
            "INSERT INTO users (user_id, username, password_hash) "
            "SELECT id, 'user-' || id, '' FROM unnest(%s::uuid[]) AS id",
            [users],
        )
        await conn.execute(
            "INSERT INTO devices (device_id, user_id, device_type, token_hash) "
            "SELECT d, u, 'ecg', sha256(d::text::bytea) FROM unnest(%s::uuid[], %s::uuid[]) AS new (d, u)",
            [devices, users],
        )
        await write_recordings(conn, fleet.recordings())


class _Load:
    """Writes what is due, all of it at once when it is late, and checkpoints in between, as a worker does."""

    def __init__(self, fleet: Fleet, sinks: Sinks, state: bytes) -> None:
        self._fleet, self._sinks, self._state = fleet, sinks, state
        self.beats = self.metrics = self.stretches = self.saved = self.batches = 0

    async def run(self, seconds: int) -> list[Kept]:
        """Each tick of the run, when it was due and how late it was committed."""
        begun_s, kept, tick = time.monotonic(), list[Kept](), 0
        told_s = _TOLD_EVERY_S
        while tick < seconds * TICKS_A_SECOND:
            await asyncio.sleep(max(0.0, begun_s + (tick + 1) / TICKS_A_SECOND - time.monotonic()))
            due = int((time.monotonic() - begun_s) * TICKS_A_SECOND)
            end = max(tick + 1, min(due, tick + MOST_TICKS, seconds * TICKS_A_SECOND))
            await self._write(tick, end)
            now_s = time.monotonic() - begun_s
            kept += [_kept(each, now_s) for each in range(tick, end)]
            tick = end
            await self._checkpoint(now_s)
            if now_s >= told_s:
                say(f"{now_s:.0f} s, {1000 * kept[-1].lag_s:.0f} ms behind")
                told_s += _TOLD_EVERY_S
        return kept

    async def _write(self, first: int, end: int) -> None:
        rows = together([self._fleet.rows(tick) for tick in range(first, end)])
        await self._sinks.write(rows)
        self.beats += sum(each.results.beats.size for each in rows.decided)
        self.metrics += sum(each.results.metrics.size for each in rows.decided)
        self.stretches += len(rows.stretches)
        self.batches += 1

    async def _checkpoint(self, now_s: float) -> None:
        """The partitions whose turn has come: all of them once in the interval, evenly."""
        while self.saved < int(now_s * PARTITIONS / CHECKPOINT_INTERVAL_S):
            number = self.saved % PARTITIONS
            at = datetime.now(UTC)
            heard_of = {source.device_id: at for source in self._fleet.sources[number::PARTITIONS]}
            saved = Checkpoint(topics.SAMPLES, number, self.saved, "bench-1", self._state)
            await self._sinks.checkpoint([], [saved], heard_of)
            self.saved += 1

    def rows_told(self) -> dict[str, int]:
        return {
            "beats": self.beats,
            "metrics": self.metrics,
            "stretches": self.stretches,
            "checkpoints_of_partitions": self.saved,
            "transactions": self.batches + self.saved,
        }


def _kept(tick: int, now_s: float) -> Kept:
    due_s = (tick + 1) / TICKS_A_SECOND
    return Kept(due_s, now_s - due_s)
