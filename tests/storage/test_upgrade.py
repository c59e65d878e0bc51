"""A schema with data in it is brought up to date without losing any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import pytest

from schemas.clock import now, to_us
from schemas.history import AGGREGATES
from schemas.pages import PageRequest
from storage import migrate as migrating
from storage import policies
from storage.access import everything
from storage.burden import daily_burden, hourly_burden
from storage.database import Database, writer
from storage.metrics import MetricsFilter, list_metrics
from storage.migrate import migrate, migrations
from storage.percentiles import percentiles
from storage.summaries import Step, TrendPoint, trend
from tests.servers.fixtures import skipping_or_failing
from tests.servers.timescale import running_timescale
from tests.storage.conftest import own_database, settings_for

DEVICE_ID = UUID(int=0xD1)
OLD_AGGREGATES = AGGREGATES[:3]
AT_0013 = AGGREGATES[:4]
BEFORE_0015 = {"LEADWIRE_TABLE_COMPRESS_AFTER_HOURS": {aggregate.name: 0 for aggregate in AGGREGATES}}
"""Aggregates could not go into the columnstore then."""
STEPS: tuple[Step, ...] = ("1min", "1h", "1day")
MINUTES = 12 * 60
BEGAN = (now() - timedelta(days=6)).replace(hour=0, minute=0, second=0, microsecond=0)

WRITE_AS_BEFORE_0006 = """
INSERT INTO ecg_metrics (
    metric_id, device_id, recording_id, arrhythmia_type, recorded_at, heart_rate_bpm, quality, engine_version
)
SELECT gen_random_uuid(), %s, %s, 'Pause', %s::timestamptz + k * interval '15 s', 60 + k %% 40, 0.5, 'old-1'
FROM generate_series(0, 4 * %s - 1) AS k
"""

WRITE_AT_0013 = """
WITH device AS (
    INSERT INTO devices (device_id, device_type) VALUES (%(id)s, 'ecg')
),
recording AS (
    INSERT INTO recordings (recording_id, device_id, started_at, rate_hz, leads, uv_per_lsb)
    VALUES (%(id)s, %(id)s, %(began)s, 250, '{II}', '{5}')
),
beats AS (
    INSERT INTO ecg_beats (recording_id, device_id, r_index, beat_at, beat_class, confidence, engine_version)
    SELECT %(id)s, %(id)s, k * 250, %(began)s::timestamptz + k * interval '15 s', 'N', 90, 'old-1'
    FROM generate_series(1, %(rows)s) AS k
)
INSERT INTO ecg_metrics (
    metric_id, device_id, recording_id, arrhythmia_type, recorded_at, heart_rate_bpm, quality, engine_version
)
SELECT
    gen_random_uuid(), %(id)s, %(id)s, 'Pause', %(began)s::timestamptz + k * interval '15 s', 60 + k %% 40, 0.5, 'old-1'
FROM generate_series(1, %(rows)s) AS k
"""


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
    """A database as it stood before 0006, with half a day of one device; compressed and aggregated where that goes."""
    with monkeypatch.context() as patch:
        before = [step for step in migrations(timescale=timescale) if step.name < "0006"]
        patch.setattr(migrating, "migrations", lambda **_: before)
        patch.setattr(policies, "HYPERTABLES", [name for name in policies.HYPERTABLES if name != "ecg_hrv"])
        patch.setattr(policies, "AGGREGATES", OLD_AGGREGATES)
        await migrate(empty_url, settings_for(empty_url, **BEFORE_0015))
    async with await psycopg.AsyncConnection.connect(empty_url, autocommit=True) as conn:
        await conn.execute(WRITE_AS_BEFORE_0006, [DEVICE_ID, DEVICE_ID, BEGAN, MINUTES])
        if timescale:
            await conn.execute("SELECT compress_chunk(c) FROM show_chunks('ecg_metrics') AS c")
            await refresh(conn, BEGAN - timedelta(days=2))
    return empty_url


@pytest.fixture
async def url_0013(empty_url: str, timescale: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database as it stood at 0013, with two days of metrics and some beats; aggregated where that goes."""
    with monkeypatch.context() as patch:
        before = [step for step in migrations(timescale=timescale) if step.name < "0014"]
        patch.setattr(migrating, "migrations", lambda **_: before)
        patch.setattr(policies, "AGGREGATES", AT_0013)
        await migrate(empty_url, settings_for(empty_url, **BEFORE_0015))
    async with await psycopg.AsyncConnection.connect(empty_url, autocommit=True) as conn:
        await conn.execute(WRITE_AT_0013, {"id": DEVICE_ID, "began": BEGAN, "rows": 4 * MINUTES})
        if timescale:
            await conn.execute("SELECT compress_chunk(c) FROM show_chunks('ecg_metrics') AS c")
            for aggregate in AT_0013:
                query = "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz)"
                await conn.execute(query, [aggregate.name, now() - timedelta(days=1)])
    return empty_url


async def test_from_0013_on_nothing_is_filled_anew_and_what_is_new_knows_the_old_rows(
    url_0013: str, timescale: bool
) -> None:
    database = writer(settings_for(url_0013))
    await database.open()
    before, held = await trends(database), await materialized(url_0013) if timescale else {}
    await migrate(url_0013, settings_for(url_0013))
    assert await trends(database) == before
    span = to_us(BEGAN), to_us(now())
    async with database.transaction() as conn:
        found = await percentiles(conn, everything(), DEVICE_ID, *span, "heart_rate")
        days = await daily_burden(conn, everything(), DEVICE_ID, *span)
        hours = await hourly_burden(conn, everything(), DEVICE_ID, *span)
    rates = np.array([60 + k % 40 for k in range(1, 4 * MINUTES + 1)])
    assert found is not None
    assert found.seconds == 4 * MINUTES
    assert found.p50 == pytest.approx(np.median(rates), abs=1)
    assert sum(day.beats for day in days) == sum(hour.ectopy.beats for hour in hours) == 4 * MINUTES
    if timescale:
        assert (await materialized(url_0013)).items() >= held.items()
    await database.close()


async def materialized(url: str) -> dict[str, str]:
    """Which table holds each continuous aggregate: another one after it was made anew."""
    async with await psycopg.AsyncConnection.connect(url) as conn:
        cursor = await conn.execute("""
            SELECT view_name, materialization_hypertable_name
            FROM timescaledb_information.continuous_aggregates
        """)
        return dict(await cursor.fetchall())


async def refresh(conn: psycopg.AsyncConnection, since: object) -> None:
    for aggregate in OLD_AGGREGATES:
        await conn.execute("CALL refresh_continuous_aggregate(%s::regclass, %s::timestamptz, NULL)", [
            aggregate.name, since,
        ])  # fmt: skip


async def trends(database: Database) -> list[list[TrendPoint]]:
    start_us, end_us = to_us(BEGAN), to_us(now())
    async with database.transaction() as conn:
        return [await trend(conn, everything(), DEVICE_ID, start_us, end_us, step) for step in STEPS]


async def test_rows_and_aggregates_are_as_they_were(old_url: str, timescale: bool) -> None:
    database = writer(settings_for(old_url))
    await database.open()
    before = await trends(database)
    report = await migrate(old_url, settings_for(old_url))
    assert report.applied == [step.name for step in migrations(timescale=timescale) if step.name >= "0006"]
    assert await trends(database) == before
    assert [len(points) for points in before] == [MINUTES, 12, 1]
    async with database.transaction() as conn:
        page = await list_metrics(conn, everything(), MetricsFilter(), PageRequest(1, 1))
    assert (page.total, page.items[0].seconds, page.items[0].leads, page.items[0].main_lead) == (
        4 * MINUTES,
        1,
        [],
        None,
    )
    await database.close()


@pytest.mark.parametrize("timescale", [pytest.param(True, marks=pytest.mark.timescale)], indirect=True)
async def test_what_a_policy_refreshes_later_hides_nothing_older(old_url: str) -> None:
    database = writer(settings_for(old_url))
    await database.open()
    before = await trends(database)
    await migrate(old_url, settings_for(old_url))
    async with await psycopg.AsyncConnection.connect(old_url, autocommit=True) as conn:
        await conn.execute(WRITE_AS_BEFORE_0006, [DEVICE_ID, DEVICE_ID, now() - timedelta(hours=1), 1])
        await refresh(conn, now() - timedelta(days=2))
    assert [points[: len(old)] for points, old in zip(await trends(database), before, strict=True)] == before
    await database.close()
