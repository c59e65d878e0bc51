"""Samples from before 0014 are found, read and drawn as they were; what comes now joins them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from schemas.clock import to_datetime
from schemas.samples import WaveformStretch
from storage import migrate as migrating
from storage.access import everything
from storage.database import writer
from storage.drawings import read_drawing
from storage.migrate import migrate, migrations
from storage.samples import kept, read_stretches, write_stretches
from storage.whereabouts import Extent
from tests.servers.fixtures import skipping_or_failing
from tests.servers.timescale import running_timescale
from tests.storage.conftest import own_database, settings_for
from tests.storage.made import START_US, a_stretch
from tests.unit.api.examples import a_recording as any_recording

ROWS = ((0, 1000), (1000, 1000), (1500, 900), (9000, 500))
STRAY = timedelta(days=-3)
"""The last row's clock had been set back."""

WRITE_DEVICE = "INSERT INTO devices (device_id, device_type, token_hash) VALUES (%s, 'ecg', %s)"
WRITE_RECORDING = """
INSERT INTO recordings (recording_id, device_id, started_at, rate_hz, leads, uv_per_lsb) VALUES (%s, %s, %s, %s, %s, %s)
"""
WRITE_AS_BEFORE_0014 = """
INSERT INTO ecg_waveforms (
    recording_id, device_id, first_index, sample_count, started_at, ended_at, rate_hz, leads, uv_per_lsb, codec, data
)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s)
"""
RECORDING = replace(
    any_recording(250.0), user_id=None, started_at_us=START_US, leads=("MLII", "V1"), uv_per_lsb=(5.0, 2.5)
)


@pytest.fixture(
    params=[pytest.param(True, marks=pytest.mark.timescale), pytest.param(False, marks=pytest.mark.embedded)]
)
def timescale(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def empty_url(timescale: bool, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a schema, of either dialect."""
    if not timescale:
        with own_database(request.getfixturevalue("postgres_url")) as url:
            yield url
        return
    with skipping_or_failing("TimescaleDB"), running_timescale(tmp_path / "timescale") as address:
        if not address.is_shared:
            yield address.url
            return
        with own_database(address.url) as url:
            yield url


@pytest.fixture
async def old_url(empty_url: str, timescale: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as it stood before 0014, with four stretches; in the columnstore where there is one."""
    with monkeypatch.context() as patch:
        before = [step for step in migrations(timescale=timescale) if step.name < "0014"]
        patch.setattr(migrating, "migrations", lambda **_: before)
        patch.setattr(migrating, "apply_policies", no_policies)
        await migrate(empty_url, settings_for(empty_url))
    async with await psycopg.AsyncConnection.connect(empty_url, autocommit=True) as conn:
        await conn.execute(WRITE_DEVICE, [RECORDING.device_id, b"hash"])
        head = [RECORDING.recording_id, RECORDING.device_id]
        tail = [RECORDING.rate_hz, list(RECORDING.leads), list(RECORDING.uv_per_lsb)]
        await conn.execute(WRITE_RECORDING, [*head, to_datetime(START_US), *tail])
        for stretch in stretches():
            began = to_datetime(stretch.started_at_us)
            values = [stretch.first_index, stretch.samples.shape[1], began, ended(stretch), *tail]
            await conn.execute(WRITE_AS_BEFORE_0014, [*head, *values, as_codec_1(stretch.samples)])
        if timescale:
            await conn.execute("SELECT compress_chunk(c) FROM show_chunks('ecg_waveforms') AS c")
    return empty_url


async def no_policies(*_: object, **__: object) -> None:
    """Those of now are for tables that weren't there then."""


def stretches() -> list[WaveformStretch]:
    made = [a_stretch(RECORDING, *row) for row in ROWS]
    return [*made[:-1], replace(made[-1], started_at_us=made[-1].started_at_us + STRAY // timedelta(microseconds=1))]


def ended(stretch: WaveformStretch) -> datetime:
    return to_datetime(stretch.started_at_us) + timedelta(seconds=stretch.samples.shape[1] / stretch.rate_hz)


def as_codec_1(samples: NDArray[np.int16]) -> bytes:
    steps = np.diff(samples.astype("<i2"), axis=1, prepend=np.zeros((len(samples), 1), "<i2"))
    low, high = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T
    return zlib.compress(low.tobytes() + high.tobytes())


async def test_old_samples_are_found_read_and_drawn(old_url: str) -> None:
    await migrate(old_url, settings_for(old_url))
    database = writer(settings_for(old_url))
    await database.open()
    async with database.transaction() as conn:
        found = await kept(conn, everything(), RECORDING.recording_id)
        read = await read_stretches(conn, everything(), RECORDING.recording_id, 0, 10_000)
        drawn = await read_drawing(conn, found, 0, 9500, 1)
    await database.close()
    assert (found.recording, found.extent, found.longest) == (RECORDING, Extent(0, 9500), 1000)
    assert (found.clock_early_us, found.clock_late_us) == (-STRAY // timedelta(microseconds=1), 0)
    assert [(s.first_index, s.samples.shape[1]) for s in read] == [(0, 1000), (1000, 1000), (2000, 400), (9000, 500)]
    assert all(np.array_equal(s.samples, a_stretch(RECORDING, s.first_index, s.samples.shape[1]).samples) for s in read)
    assert (drawn.envelope.minimum.tolist(), drawn.envelope.maximum.tolist()) == ([[0], [-9499]], [[9499], [0]])


async def test_new_samples_join_the_old_ones(old_url: str) -> None:
    await migrate(old_url, settings_for(old_url))
    database = writer(settings_for(old_url))
    await database.open()
    async with database.transaction() as conn:
        await write_stretches(conn, [a_stretch(RECORDING, 0, 1200), a_stretch(RECORDING, 1500, 100)])
        read = await read_stretches(conn, everything(), RECORDING.recording_id, 0, 2400)
    await database.close()
    together = np.concatenate([stretch.samples for stretch in read], axis=1)
    assert np.array_equal(together, a_stretch(RECORDING, 0, 2400).samples)
