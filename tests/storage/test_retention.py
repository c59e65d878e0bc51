"""On a plain PostgreSQL what is older than its table is kept goes, a batch at a time; elsewhere nothing is touched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from schemas.history import TABLES
from storage.database import writer
from storage.hrv import write_hrv
from storage.migrate import migrate
from storage.retention import Expired, expire
from storage.rhythms import write_rhythms
from storage.samples import write_stretches
from tests.storage.conftest import own_database, settings_for
from tests.storage.made import (
    START_US,
    a_beat,
    a_hrv_stretch,
    a_patient,
    a_stretch,
    an_episode,
    metrics_at,
    write_beats,
    write_metrics,
)

AT = to_datetime(START_US) + timedelta(days=365, seconds=4)
NAMES = [table.name for table in TABLES]
OLD, YOUNG = 0, 8
"""Seconds into the recording; at AT the former are older than a year, the latter are not."""

pytestmark = pytest.mark.embedded


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """A database of its own: what expires here is not what another test has left."""
    with own_database(postgres_url) as made:
        yield made


@pytest.fixture
async def alone(url: str) -> AsyncIterator[AsyncConnection]:
    settings = settings_for(url)
    await migrate(url, settings)
    database = writer(settings)
    await database.open()
    async with database.transaction() as conn:
        await write_old_and_young(conn)
    await database.close()
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        yield conn


async def write_old_and_young(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    recording = patient.recording
    seconds = [*range(OLD, OLD + 4), *range(YOUNG, YOUNG + 4)]
    await write_metrics(conn, [metrics_at(recording, second) for second in seconds], patient.owner)
    await write_beats(conn, [a_beat(recording, second * 250) for second in seconds])
    await write_stretches(conn, [a_stretch(recording, second * 250, 250) for second in seconds])
    await write_rhythms(conn, [an_episode(recording, "closed", 1, second * 250) for second in seconds])
    await write_hrv(conn, [a_hrv_stretch(recording, number) for number in (0, 1)], AT)


async def counts(conn: AsyncConnection) -> dict[str, int]:
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(name), sql.Identifier(name)) for name in NAMES
    )
    return dict(await (await conn.execute(query)).fetchall())


async def test_what_is_too_old_goes_and_nothing_else(alone: AsyncConnection, url: str) -> None:
    assert await counts(alone) == dict.fromkeys(NAMES, 8) | {"ecg_hrv": 2}
    found = await expire(alone, settings_for(url), AT, archives=False)
    assert {each.table: each.rows for each in found} == dict.fromkeys(NAMES, 4) | {"ecg_hrv": 1}
    assert all(each.is_done for each in found)
    assert await counts(alone) == dict.fromkeys(NAMES, 4) | {"ecg_hrv": 1}


async def test_it_goes_on_where_it_stopped_and_then_finds_nothing(alone: AsyncConnection, url: str) -> None:
    settings = settings_for(url, LEADWIRE_TABLE_RETENTION_DAYS=dict.fromkeys(NAMES, 0) | {"ecg_beats": 365})
    assert await expire(alone, settings, AT, archives=False, batches=1, rows=3) == [
        Expired("ecg_beats", 3, is_done=False)
    ]
    assert await expire(alone, settings, AT, archives=False, batches=2, rows=3) == [
        Expired("ecg_beats", 1, is_done=True)
    ]
    assert await expire(alone, settings, AT, archives=False, batches=2, rows=3) == [
        Expired("ecg_beats", 0, is_done=True)
    ]


async def test_with_an_archive_samples_stay(alone: AsyncConnection, url: str) -> None:
    found = await expire(alone, settings_for(url), AT, archives=True)
    assert "ecg_waveforms" not in {each.table for each in found}
    assert (await counts(alone))["ecg_waveforms"] == 8


async def test_a_row_that_is_being_written_is_left_to_the_next_time(alone: AsyncConnection, url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as other:
        await other.execute("SELECT FROM ecg_rhythms WHERE started_at < %s FOR UPDATE LIMIT 1", [AT - timedelta(365)])
        rows = {each.table: each.rows for each in await expire(alone, settings_for(url), AT, archives=False)}
        assert (rows["ecg_rhythms"], rows["ecg_beats"]) == (3, 4)
    rows = {each.table: each.rows for each in await expire(alone, settings_for(url), AT, archives=False)}
    assert (rows["ecg_rhythms"], rows["ecg_beats"]) == (1, 0)
