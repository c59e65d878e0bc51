"""One measured run: the load against a fresh stack, and everything that was seen of it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from bench.pipeline.latency import Late, read_late
from bench.pipeline.ledger import Ledger, stored_balance
from bench.pipeline.processes import Machine, Usage, machine, usage
from bench.pipeline.sampler import Sampler
from bench.pipeline.stack import Rig, make_devices, prepare, settings_used
from schemas import topics
from schemas.settings import Settings
from storage.database import Database, writer

SETTLE_S: Final = 60.0
"""How long the store may take after the last block until every acknowledged sample must be there."""

_SETTLE_EVERY_S: Final = 2.0

Disturb = Callable[[Rig], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator did: its books, and how well it kept time."""

    acknowledged: Mapping[UUID, int]
    began_us: int
    cpu_s: float
    latest_s: float
    retries: int


@dataclass(frozen=True, slots=True)
class Spent:
    """From just before the load to when all was stored: per process, and of the machine. `elapsed_s` of wall clock."""

    before: Mapping[str, Usage]
    after: Mapping[str, Usage]
    machine_before: Machine
    machine_after: Machine
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Disk:
    """What PostgreSQL has written of its log, and how large the database has become."""

    wal_bytes: int
    database_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything a run gave, not yet judged."""

    devices: int
    seconds: int
    load: Load
    ledger: Ledger
    settled_s: float
    metrics: Late
    beats: Late
    sampler: Sampler
    began_s: float
    ended_s: float
    spent: Spent
    disk: Disk
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a contestant's samples rest, how its results are read back, and whether each block is a record."""

    table: str
    results: Callable[[Settings, Database], Awaitable[Results]]
    singly: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """What was read back: how late metrics were, and beats."""

    metrics: Late
    beats: Late


async def published(settings: Settings, _database: Database) -> Results:
    """From the topics: our results are published right after their commit."""
    return Results(await read_late(settings.kafka, topics.METRICS), await read_late(settings.kafka, topics.BEATS))


OURS: Final = Stored("ecg_waveforms", published)


async def run(rig: Rig, count: int, seconds: int, disturb: Disturb | None = None, stored: Stored = OURS) -> Measured:
    """Measure `count` devices for `seconds` on a rig that nothing has run on yet; `disturb` runs beside the load."""
    settings = Settings()
    await prepare(settings)
    database = writer(settings.database)
    await database.open()
    recordings = {uuid4(): device_id for device_id in await make_devices(database, count)}
    await rig.start_worker()
    disk_before, before, machine_before, begun_s = await disk(database), _usages(rig), machine(), time.monotonic()
    async with Sampler(rig.watched, settings.kafka, settings.worker.group) as sampler:
        load = await loaded(rig, recordings, seconds, stored.singly, disturb)
        ended_s = time.monotonic()
        ledger = await settle(database, load.acknowledged, stored.table)
        settled_s = time.monotonic() - ended_s
        await sampler.look()
    after = _usages(rig)
    spent = Spent(before, after, machine_before, machine(), time.monotonic() - begun_s)
    disk_after = await disk(database)
    used = await settings_used(settings, database, rig)
    rig.stop_worker()  # it has done its part, and reading back needs the machine
    results = await stored.results(settings, database)
    await database.close()
    return Measured(
        devices=count,
        seconds=seconds,
        load=load,
        ledger=ledger,
        settled_s=settled_s,
        metrics=results.metrics,
        beats=results.beats,
        sampler=sampler,
        began_s=ended_s - seconds,
        ended_s=ended_s,
        spent=spent,
        disk=Disk(disk_after.wal_bytes - disk_before.wal_bytes, disk_after.database_bytes - disk_before.database_bytes),
        settings=used,
    )


async def loaded(
    rig: Rig, recordings: Mapping[UUID, UUID], seconds: int, singly: bool, disturb: Disturb | None
) -> Load:
    """The load and what disturbs it, side by side, each to its end."""
    async with asyncio.TaskGroup() as beside:
        if disturb is not None:
            beside.create_task(disturb(rig))
        load = beside.create_task(generate(rig, recordings, seconds, singly))
    return load.result()


async def generate(rig: Rig, recordings: Mapping[UUID, UUID], seconds: int, singly: bool = False) -> Load:
    """The load generator as a process of its own; its books when it ends."""
    lines = [json.dumps({"device_id": str(d), "recording_id": str(r)}) for r, d in recordings.items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.pipeline.load", "--seconds", str(seconds), *(["--singly"] if singly else [])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**28,
    )
    rig.load_pid = process.pid
    printed, _ = await process.communicate("\n".join(lines).encode())
    rig.load_pid = None
    if process.returncode:
        raise SystemExit(f"the load generator ended with {process.returncode}; what it said is above")
    told = json.loads(printed)
    books = {UUID(recording): count for recording, count in told["acknowledged"].items()}
    return Load(books, told["began_us"], told["cpu_s"], told["latest_s"], told["retries"])


async def settle(database: Database, acknowledged: Mapping[UUID, int], table: str) -> Ledger:
    """The ledger once everything acknowledged is stored, or after SETTLE_S what is not."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        ledger = await stored_balance(database, acknowledged, table)
        if ledger.lost == 0 or time.monotonic() > deadline:
            return ledger
        await asyncio.sleep(_SETTLE_EVERY_S)


async def disk(database: Database) -> Disk:
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, pg_database_size(current_database())"
        )
        row = await cursor.fetchone()
    return Disk(*row) if row else Disk(0, 0)


def _usages(rig: Rig) -> dict[str, Usage]:
    found = {watched.name: usage(watched) for watched in rig.watched()}
    return {name: told for name, told in found.items() if told is not None}
