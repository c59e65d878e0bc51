"""Leadwire's own storage functions, measured: samples in, random windows out, whole recordings out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from bench.store.corpus import BATCH, Corpus, Window, digest, in_batches, joined, live
from bench.store.servers import Server
from bench.store.timings import Spent, millions_a_second, quantiles_ms, spending
from storage.access import everything
from storage.database import Database
from storage.samples import read_stretches, write_recordings, write_stretches


@dataclass(frozen=True, slots=True)
class Sides:
    """The pool that writes and the pool that reads, as the services have them."""

    writer: Database
    reader: Database


async def prepare(database: Database, corpus: Corpus) -> None:
    """Empty tables of samples, and the recordings with their devices."""
    async with database.transaction() as conn:
        await conn.execute("TRUNCATE ecg_waveforms, recordings, devices CASCADE")
        await _devices(conn, corpus)
        await write_recordings(conn, [held.recording for held in corpus.held])


async def _devices(conn: AsyncConnection, corpus: Corpus) -> None:
    """With ids of our choosing, which no interface offers."""
    ids = [held.recording.device_id for held in corpus.held]
    await conn.execute(
        "INSERT INTO devices (device_id, device_type, token_hash) "
        "SELECT id, 'ecg', sha256(id::text::bytea) FROM unnest(%s::uuid[]) AS id",
        [ids],
    )


async def write(database: Database, server: Server, corpus: Corpus) -> Mapping[str, Any]:
    """Everything in the live order, a transaction for each batch, one connection."""
    rows = 0
    with spending(server.cpu_s) as spent:
        for batch in in_batches(live(corpus)):
            async with database.transaction() as conn:
                await write_stretches(conn, batch)
            rows += len(batch)
    return {
        "rows": rows,
        "batch": BATCH,
        **_rates(corpus.samples, spent),
        "rows_per_s": round(rows / spent.wall_s),
    }


async def read_windows(database: Database, server: Server, chosen: Sequence[Window]) -> Mapping[str, Any]:
    """Each in a transaction of its own, one after the other. Raises ValueError for samples that differ."""
    taken_s = []
    with spending(server.cpu_s) as spent:
        for window in chosen:
            started_s = time.perf_counter()
            samples = await _read(database, window.held.recording.recording_id, window.first, window.end)
            taken_s.append(time.perf_counter() - started_s)
            if not np.array_equal(samples, window.samples):
                raise ValueError(f"{window.held.name} [{window.first}, {window.end}) came back changed")
    return {**quantiles_ms(taken_s), "server_cpu_ms_each": round(1000 * spent.server_cpu_s / len(chosen), 3)}


async def read_all(database: Database, server: Server, corpus: Corpus) -> Mapping[str, Any]:
    """Every recording as a whole, one after the other, compared and let go. Raises ValueError if it differs."""
    spent, same = Spent(), {}
    for held in corpus.held:
        recording_id = held.recording.recording_id
        with spending(server.cpu_s, spent):
            found = await _read(database, recording_id, 0, held.count)
        same[held.name] = digest({recording_id: found})
        if same[held.name] != digest({recording_id: held.samples}):
            raise ValueError(f"what was read of {held.name} is not what was written: SHA-256 {same[held.name]}")
    return {**_rates(corpus.samples, spent), "sha256": same}


async def _read(database: Database, recording_id: UUID, first: int, end: int) -> NDArray[np.int16]:
    async with database.transaction() as conn:
        return joined(await read_stretches(conn, everything(), recording_id, first, end))


def _rates(samples: int, spent: Spent) -> dict[str, Any]:
    return {
        "samples": samples,
        **spent.told(),
        "m_samples_per_s": millions_a_second(samples, spent.wall_s),
        "m_samples_per_client_core_s": millions_a_second(samples, spent.client_cpu_s),
    }
