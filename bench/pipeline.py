"""The whole path under load on this machine: lost, doubled, late, and what it costs. One JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import psutil
from numpy.typing import NDArray

from bench.load import RATE_HZ
from bench.signal import UV_PER_LSB, synthetic_ecg
from bench.windowed import WINDOW_S, window_cpu_s
from leadwire.children import Child
from leadwire.embedded import Stack, embedded_stack
from leadwire.provision import provision
from processors.topic_reader import read_topic
from schemas import topics
from schemas.codec import decode_metrics
from schemas.settings import Settings
from storage import devices
from storage.database import Database, writer
from storage.devices import NewDevice

SETTLE_S = 60.0
"""How long the store may take after the last block until every acknowledged sample must be there."""

_WORKER_START_S = 60.0
_WINDOWS = 8


@dataclass(frozen=True, slots=True)
class Ledger:
    """Per-device books, added up: samples acknowledged, of them not stored, and stored more than once."""

    acknowledged: int
    lost: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the generator did: acknowledged samples by recording, its CPU seconds, how long it took."""

    acknowledged: Mapping[UUID, int]
    cpu_s: float
    elapsed_s: float


async def bench(stack: Stack, count: int, seconds: int) -> dict[str, object]:
    """Run the load against a fresh stack and measure. `stack.env()` must be in os.environ."""
    settings = Settings()
    await provision(settings)
    database = writer(settings.database)
    await database.open()
    recordings = {uuid4(): device_id for device_id in await make_devices(database, count)}
    worker = stack.children.start("worker", [sys.executable, "-m", "leadwire", "worker"])
    await _until_assigned(worker)
    before = _cpu_s(stack, worker)
    load = await asyncio.to_thread(generate, recordings, seconds)
    ledger = await settle(database, load.acknowledged)
    after = _cpu_s(stack, worker)
    latencies_s = await latencies(settings)
    await database.close()
    return _result(count, seconds, load, ledger, latencies_s, {name: after[name] - before[name] for name in after})


async def make_devices(database: Database, count: int) -> list[UUID]:
    """Registered devices, as a gateway knows them."""
    async with database.transaction() as connection:
        made = [await devices.register(connection, NewDevice(None), secrets.token_bytes(32)) for _ in range(count)]
    return [device.device_id for device in made]


async def _until_assigned(worker: Child) -> None:
    deadline = time.monotonic() + _WORKER_START_S
    while "worker started" not in worker.last_words(50):
        if worker.exit_code is not None or time.monotonic() > deadline:
            raise SystemExit(f"the worker did not start: {worker.last_words()}")
        await asyncio.sleep(0.1)


def generate(recordings: Mapping[UUID, UUID], seconds: int) -> Load:
    """The load generator as a process of its own; its books when it ends."""
    lines = [json.dumps({"device_id": str(d), "recording_id": str(r)}) for r, d in recordings.items()]
    begun_s = time.monotonic()
    cpu_before_s = os.times().children_user + os.times().children_system
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", "--seconds", str(seconds)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    cpu_s = os.times().children_user + os.times().children_system - cpu_before_s
    told: dict[str, int] = json.loads(done.stdout)
    return Load({UUID(r): n for r, n in told.items()}, cpu_s, time.monotonic() - begun_s)


async def settle(database: Database, acknowledged: Mapping[UUID, int]) -> Ledger:
    """The ledger once everything acknowledged is stored, or after SETTLE_S what is not."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        ledger = await balance(database, acknowledged)
        if ledger.lost == 0 or time.monotonic() > deadline:
            return ledger
        await asyncio.sleep(1)


async def balance(database: Database, acknowledged: Mapping[UUID, int]) -> Ledger:
    """Compare what was acknowledged with the stretches stored, recording by recording."""
    async with database.transaction() as connection:
        cursor = await connection.execute("""
            SELECT recording_id, first_index, first_index + sample_count
            FROM ecg_waveforms
            ORDER BY recording_id, first_index
        """)
        rows = await cursor.fetchall()
    distinct: dict[UUID, int] = dict.fromkeys(acknowledged, 0)
    ends: dict[UUID, int] = dict.fromkeys(acknowledged, 0)
    doubled = 0
    for recording_id, first, end in rows:
        reached = ends.get(recording_id, 0)
        doubled += max(0, min(reached, end) - first)
        distinct[recording_id] = distinct.get(recording_id, 0) + max(0, end - max(first, reached))
        ends[recording_id] = max(reached, end)
    lost = sum(max(0, wanted - distinct[recording_id]) for recording_id, wanted in acknowledged.items())
    return Ledger(sum(acknowledged.values()), lost, doubled)


async def latencies(settings: Settings) -> NDArray[np.float64]:
    """Seconds from the last sample of each metrics window to its being stored.

    Metrics are published right after their transaction has committed, so the record's own time is when they were
    stored, late by the publishing only.
    """
    return np.array([
        record.timestamp / 1000 - decode_metrics(record.value or b"").window_start_us / 1e6 - 1.0
        async for record in read_topic(settings.kafka, topics.METRICS)
    ])  # fmt: skip


def _cpu_s(stack: Stack, worker: Child) -> dict[str, float]:
    told = {child.name: _tree_cpu_s(child.pid) for child in stack.children.running}
    return told | {"worker": _tree_cpu_s(worker.pid)}


def _tree_cpu_s(pid: int) -> float:
    root = psutil.Process(pid)
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    return float(sum(t.user + t.system for t in times))


def _result(
    count: int,
    seconds: int,
    load: Load,
    ledger: Ledger,
    latencies_s: NDArray[np.float64],
    cpu_s: Mapping[str, float],
) -> dict[str, object]:
    p50, p95, p99 = np.percentile(latencies_s, [50, 95, 99]) if latencies_s.size else (None, None, None)
    windowed = 1 / window_cpu_s(synthetic_ecg(WINDOW_S) * UV_PER_LSB / 1000, RATE_HZ, _WINDOWS)
    ours = count * seconds / cpu_s["worker"] if cpu_s["worker"] else None
    return {
        "devices": count,
        "seconds": seconds,
        "samples_per_s": round(ledger.acknowledged / seconds),
        "cpu_s": {name: round(value, 2) for name, value in cpu_s.items()} | {"load generator": round(load.cpu_s, 2)},
        "p50_s": _rounded(p50),
        "p95_s": _rounded(p95),
        "p99_s": _rounded(p99),
        "metrics_seen": int(latencies_s.size),
        "lost": ledger.lost,
        "duplicates": ledger.duplicates,
        "worker_devices_per_core": _rounded(ours),
        "neurokit2_windowed_devices_per_core": _rounded(windowed),
        "ratio": _rounded(ours / windowed) if ours else None,
        "rate_hz": RATE_HZ,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)


def main() -> None:
    """Measure and print one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--devices", type=int, default=100)
    arguments.add_argument("--seconds", type=int, default=30)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-") as folder, embedded_stack(Path(folder)) as stack:
        os.environ.update(stack.env())
        print(json.dumps(asyncio.run(bench(stack, wanted.devices, wanted.seconds))))


if __name__ == "__main__":
    main()
