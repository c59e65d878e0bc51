"""Ours beside two others on the same rig: our engine under Quix Streams, and the naive design on fewer devices."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.peers.subprocesses import PYTHON
from bench.pipeline.latency import Late
from bench.pipeline.report import report
from bench.pipeline.run import OURS as OUR_STORE
from bench.pipeline.run import Results, Stored, run
from bench.pipeline.stack import OURS, PEER_STARTED, BrokerKind, Program, rig
from schemas.errors import Misconfigured
from schemas.settings import Settings
from storage.database import Database

REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who takes part, and on how many devices."""

    name: str
    program: Program
    stored: Stored
    devices: int


def contestants(devices: int, naive_devices: int) -> list[Contestant]:
    """Raises Misconfigured without the peers' environment."""
    if not PYTHON.exists():
        raise Misconfigured(f"there is no {PYTHON}; `make bench-pipeline PEERS=1` makes the peers' environment")
    ours = Path(np.__file__).parents[1]
    quix_program = Program((str(PYTHON), "-m", "bench.pipeline.quix"), PEER_STARTED, (REPOSITORY, ours))
    naive_program = Program((sys.executable, "-m", "bench.pipeline.naive"), PEER_STARTED)
    return [
        Contestant("leadwire", OURS, OUR_STORE, devices),
        Contestant("quix streams, our engine and sinks", quix_program, OUR_STORE, devices),
        Contestant("naive", naive_program, Stored("naive_samples", inserted, singly=True), naive_devices),
    ]


def contest(broker: BrokerKind, folder: Path | None, each: list[Contestant], seconds: int) -> dict[str, Any]:
    """One run each, one after the other; each on a fresh stack."""
    told = {}
    for one in each:
        with rig(broker, folder, one.program) as stack:
            told[one.name] = report(asyncio.run(run(stack, one.devices, seconds, stored=one.stored)))
    return {"seconds": seconds, "broker": broker, "ratios": ratios(told), "contestants": told}


def ratios(told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """How much more CPU time than ours each takes for the same samples: its worker, and everything but the load."""
    ours = next(iter(told.values()))
    return {
        name: {
            "worker": _ratio(_worker_s(each), _worker_s(ours)),
            "all but the load": _ratio(_serving_s(each), _serving_s(ours)),
        }
        for name, each in told.items()
    }


def _worker_s(told: Mapping[str, Any]) -> float:
    return float(told["cpu"]["processes"]["worker"]["per_million_samples_s"] or 0.0)


def _serving_s(told: Mapping[str, Any]) -> float:
    processes = told["cpu"]["processes"]
    return float(sum(each["per_million_samples_s"] or 0.0 for name, each in processes.items() if name != "load"))


def _ratio(theirs: float, ours: float) -> float | None:
    return round(theirs / ours, 2) if ours else None


async def inserted(_settings: Settings, database: Database) -> Results:
    """From the naive worker's tables: every row notes when it was inserted."""
    return Results(
        metrics=await _late(database, "SELECT window_end, stored_at FROM naive_metrics"),
        beats=await _late(database, "SELECT at, stored_at FROM naive_beats"),
    )


async def _late(database: Database, query: str) -> Late:
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT (extract(epoch FROM a) * 1e6)::bigint, extract(epoch FROM b - a)::float8 "
            f"FROM ({query}) AS t (a, b)"
        )
        rows = await cursor.fetchall()
    at_us = np.array([row[0] for row in rows], np.int64)
    return Late(at_us, np.array([row[1] for row in rows], np.float64), np.zeros(len(rows), np.int16))
