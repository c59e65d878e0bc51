"""The design everybody begins with, done decently, to be measured against: `take()`, windows, rows one by one."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import neurokit2
import numpy as np
import psycopg
from numpy.typing import NDArray

from bench.pipeline.stack import PEER_STARTED
from leadwire.probes import signalled
from processors.app import create_app
from schemas import topics
from schemas.clock import index_to_us, to_datetime
from schemas.codec import decode_pack
from schemas.samples import SampleBlock
from schemas.settings import Settings

WINDOW_S: Final = 10

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS naive_samples (
        recording_id uuid, first_index bigint, sample_count integer, data bytea, PRIMARY KEY (recording_id, first_index)
    );
    CREATE TABLE IF NOT EXISTS naive_beats (
        recording_id uuid, r_index bigint, at timestamptz, stored_at timestamptz DEFAULT clock_timestamp(),
        PRIMARY KEY (recording_id, r_index)
    );
    CREATE TABLE IF NOT EXISTS naive_metrics (
        recording_id uuid, window_end timestamptz, heart_rate_bpm real, quality real,
        stored_at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (recording_id, window_end)
    );
"""


@dataclass(slots=True)
class Window:
    """What was received of a device since the last window."""

    first_index: int
    started_at_us: int
    seconds: list[NDArray[np.float64]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """What neurokit2 makes of a window: R peaks as positions in it, the mean rate, the mean quality."""

    peaks: list[int]
    heart_rate_bpm: float
    quality: float


class NaiveWorker:
    """Keeps ten seconds of each device, gives each full window to neurokit2, inserts what it finds row by row."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self._windows: dict[UUID, Window] = {}

    async def take(self, values: list[bytes]) -> None:
        for block in (block for value in values for block in decode_pack(value)):
            await self._store_samples(block)
            for found in self._analysed(block):
                await self._store_found(block, *found)

    def _analysed(self, block: SampleBlock) -> Iterator[tuple[Window, Found]]:
        window = self._windows.setdefault(block.recording_id, Window(block.first_index, block.started_at_us))
        window.seconds.append(block.samples[0] * (block.uv_per_lsb[0] / 1000))
        if len(window.seconds) == WINDOW_S:
            del self._windows[block.recording_id]
            yield window, analyse(np.concatenate(window.seconds), round(block.rate_hz))

    async def _store_samples(self, block: SampleBlock) -> None:
        await self._connection.execute(
            "INSERT INTO naive_samples VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (block.recording_id, block.first_index, block.count, block.samples.tobytes()),
        )

    async def _store_found(self, block: SampleBlock, window: Window, found: Found) -> None:
        for peak in found.peaks:
            at = to_datetime(window.started_at_us + index_to_us(peak, block.rate_hz))
            await self._connection.execute(
                "INSERT INTO naive_beats VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (block.recording_id, window.first_index + peak, at),
            )
        end = to_datetime(window.started_at_us + WINDOW_S * 1_000_000)
        await self._connection.execute(
            "INSERT INTO naive_metrics VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (block.recording_id, end, found.heart_rate_bpm, found.quality),
        )


def analyse(ecg_mv: NDArray[np.float64], rate_hz: int) -> Found:
    """neurokit2's `ecg_process` on one window; nothing where it finds too little to go on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            signals, info = neurokit2.ecg_process(ecg_mv, sampling_rate=rate_hz)
    except (ValueError, IndexError, ZeroDivisionError):  # what it raises when there are too few beats
        return Found([], float("nan"), 0.0)
    rate, quality = signals["ECG_Rate"].mean(), signals["ECG_Quality"].mean()
    return Found([int(peak) for peak in info["ECG_R_Peaks"]], float(rate), float(quality))


async def run(settings: Settings) -> None:
    """Until a signal."""
    analyse(np.sin(np.arange(2500) / 40.0), 250)  # imports and compiles before the load begins
    connection = await psycopg.AsyncConnection.connect(settings.database.url, autocommit=True)
    await connection.execute(_TABLES)
    worker = NaiveWorker(connection)
    app = create_app(settings.kafka, settings.worker)

    @app.agent(app.topic(topics.SAMPLES, key_type=bytes, value_type=bytes))
    async def process(stream: Any) -> None:
        async for values in stream.take(settings.worker.batch_max, within=settings.worker.batch_within_s):
            await worker.take(values)

    app.finalize()
    stopping = signalled()
    await app.start()
    print(PEER_STARTED, flush=True)
    await stopping.wait()
    await app.stop()
    await connection.close()


if __name__ == "__main__":
    asyncio.run(run(Settings()))
