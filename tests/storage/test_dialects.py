"""The same rows give the same answers on PostgreSQL and on TimescaleDB, compressed and refreshed too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.metrics import Metrics
from schemas.pages import PageRequest
from schemas.quality import LeadQuality
from schemas.rhythms import ATRIAL_FIBRILLATION
from schemas.samples import Gap, Recording
from storage.access import Access
from storage.beats import count_classes, list_beats
from storage.burden import ectopic_groups, hourly_burden
from storage.database import Database, writer
from storage.devices import list_devices, owners
from storage.hrv import DueTimes, due, list_hrv, read_beats, write_hrv
from storage.live import live_devices
from storage.metrics import MetricsFilter, list_metrics
from storage.migrate import migrate
from storage.policies import AGGREGATES, HYPERTABLES
from storage.rhythms import list_rhythms, write_rhythms
from storage.samples import (
    gaps,
    read_stretches,
    recordings,
    write_gaps,
    write_recordings,
    write_stretches,
)
from storage.summaries import summarise, trend
from tests.storage.conftest import settings_for
from tests.storage.made import (
    RATE_HZ,
    START_US,
    a_beat,
    a_hrv_stretch,
    a_stretch,
    an_episode,
    latest_metrics,
    metrics_at,
    write_beats,
    write_metrics,
)

pytestmark = [pytest.mark.embedded, pytest.mark.timescale]

USER_ID, DOCTOR_ID, DEVICE_ID, RECORDING_ID = (UUID(int=number) for number in (0xA1, 0xA2, 0xA3, 0xA4))
RECORDING = Recording(RECORDING_ID, DEVICE_ID, USER_ID, START_US, RATE_HZ, ("MLII", "V1"), (5.0, 2.5))
PERIOD = (START_US, START_US + 3_600_000_000)
SECONDS = 150
AT = to_datetime(START_US + 400_000_000)
TIMES = DueTimes(AT + timedelta(minutes=1), timedelta(seconds=30))
CALLERS = [Access(None, "admin"), Access(USER_ID, "user"), Access(DOCTOR_ID, "doctor"), Access(UUID(int=1), "user")]

PEOPLE = """
INSERT INTO users (user_id, username, password_hash, role)
VALUES (%(user_id)s, 'dialect-patient', 'x', 'user'), (%(doctor_id)s, 'dialect-doctor', 'x', 'doctor')
ON CONFLICT DO NOTHING
"""
CARE = """
INSERT INTO care_assignments (doctor_id, patient_id, assigned_at)
VALUES (%(doctor_id)s, %(user_id)s, '2026-01-01')
ON CONFLICT DO NOTHING
"""
DEVICE = """
INSERT INTO devices (device_id, user_id, device_type, registered_at)
VALUES (%(device_id)s, %(user_id)s, 'ecg', '2026-01-01')
ON CONFLICT DO NOTHING
"""


async def write_everything(conn: AsyncConnection) -> None:
    ids = {"user_id": USER_ID, "doctor_id": DOCTOR_ID, "device_id": DEVICE_ID}
    for statement in (PEOPLE, CARE, DEVICE):
        await conn.execute(statement.encode(), ids)
    await write_recordings(conn, [RECORDING])
    await write_stretches(conn, [a_stretch(RECORDING, first, 2500) for first in range(0, 10_000, 2000)])
    await write_gaps(conn, [Gap(RECORDING_ID, 10_500, 11_000)])
    await write_beats(conn, [a_beat(RECORDING, index, "V" if index % 7 == 0 else "N") for index in range(0, 9000, 200)])
    await write_beats(conn, [replace(a_beat(RECORDING, i, "V"), rr_ms=400.0) for i in (10_000, 10_100, 10_200, 10_500)])
    await write_hrv(conn, [a_hrv_stretch(RECORDING)], AT)
    await write_rhythms(conn, [an_episode(RECORDING, "closed", 20, 0), an_episode(RECORDING, "opened", 4, 5000)])
    await write_metrics(conn, [a_second(second) for second in range(SECONDS)], {DEVICE_ID: USER_ID})
    await write_metrics(conn, [a_second(second) for second in range(SECONDS, SECONDS + 40)], {DEVICE_ID: USER_ID}, 20)


def a_second(second: int) -> Metrics:
    """Every third second without a rate, the last minute in fibrillation; angles of which any sine is exact."""
    figures: dict[str, object] = {"qrs_axis_deg": second % 2 * 90, "st_mv": second / 1024, "pr_ms": 160.0}
    figures["leads"] = (LeadQuality("MLII", 0.5), LeadQuality("V1", second / 200, ("noise",)))
    if second % 3 == 0:
        figures["heart_rate_bpm"] = None
    if second >= SECONDS - 60:
        figures["arrhythmia_type"] = ATRIAL_FIBRILLATION
    return metrics_at(RECORDING, second, **figures)


async def answers(conn: AsyncConnection, access: Access) -> dict[str, object]:
    """What every query of patient data says."""
    page = PageRequest(2, 20)
    stretches = await read_stretches(conn, access, RECORDING_ID, 10, 9000)
    found = [stretch for stretch in await due(conn, TIMES, 10) if stretch.device_id == DEVICE_ID]
    wanted = MetricsFilter(arrhythmia_type=ATRIAL_FIBRILLATION, start=to_datetime(START_US), device_id=DEVICE_ID)
    return {
        "devices": [d for d in (await list_devices(conn, access, PageRequest())).items if d.device_id == DEVICE_ID],
        "owners": await owners(conn, [DEVICE_ID]),
        "recordings": await recordings(conn, access, DEVICE_ID, *PERIOD),
        "stretches": [(s.first_index, s.started_at_us, s.samples.tobytes()) for s in stretches],
        "gaps": await gaps(conn, access, RECORDING_ID, 0, 20_000),
        "classes": await count_classes(conn, access, DEVICE_ID, *PERIOD),
        "live": [
            d for d in (await live_devices(conn, access, to_datetime(START_US))).items if d.device_id == DEVICE_ID
        ],
        "beats": await list_beats(conn, access, DEVICE_ID, *PERIOD, page),
        "due": found,
        "stretch": await read_beats(conn, found),
        "hrv": await list_hrv(conn, access, DEVICE_ID, *PERIOD, PageRequest()),
        "hours of beats": await hourly_burden(conn, access, DEVICE_ID, *PERIOD),
        "ectopic": await ectopic_groups(conn, access, DEVICE_ID, *PERIOD),
        "rhythms": await list_rhythms(conn, access, DEVICE_ID, *PERIOD, PageRequest()),
        "metrics": await list_metrics(conn, access, wanted, page),
        "latest": await latest_metrics(conn, access, device_id=DEVICE_ID),
        "summary": await summarise(conn, access, DEVICE_ID, *PERIOD),
        "minutes": await trend(conn, access, DEVICE_ID, *PERIOD, "1min"),
        "hours": await trend(conn, access, DEVICE_ID, *PERIOD, "1h"),
        "days": await trend(conn, access, DEVICE_ID, *PERIOD, "1day"),
    }


@asynccontextmanager
async def filled(url: str) -> AsyncIterator[Database]:
    settings = settings_for(url)
    await migrate(url, settings)
    opened = writer(settings)
    await opened.open()
    async with opened.transaction() as conn:
        await write_everything(conn)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def plain(postgres_url: str) -> AsyncIterator[Database]:
    async with filled(postgres_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def timescale(timescale_url: str) -> AsyncIterator[Database]:
    async with filled(timescale_url) as opened:
        yield opened


async def assert_same_answers(plain: Database, timescale: Database) -> None:
    for access in CALLERS:
        async with plain.transaction() as one, timescale.transaction() as other:
            expected, found = await answers(one, access), await answers(other, access)
        for name, answer in expected.items():
            assert found[name] == answer, f"{name} for {access}"


async def test_every_query_gives_the_same_answer(plain: Database, timescale: Database) -> None:
    async with plain.transaction() as conn:
        everything = await answers(conn, CALLERS[0])
    assert all(everything.values()), "a query that finds nothing compares nothing"
    await assert_same_answers(plain, timescale)


async def test_compressed_rows_give_the_same_answers_and_take_no_row_twice(
    plain: Database, timescale: Database, timescale_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(timescale_url, autocommit=True) as conn:
        for table in set(HYPERTABLES) - {"ecg_waveforms"}:  # whose bytes are coded already
            cursor = await conn.execute("SELECT compress_chunk(c, true) FROM show_chunks(%s::regclass) AS c", [table])
            assert await cursor.fetchall()
    await assert_same_answers(plain, timescale)
    async with timescale.transaction() as conn:
        await write_everything(conn)
    await assert_same_answers(plain, timescale)


async def test_refreshed_aggregates_give_the_same_answers(
    plain: Database, timescale: Database, timescale_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(timescale_url, autocommit=True) as conn:
        for aggregate in AGGREGATES:
            await conn.execute("CALL refresh_continuous_aggregate(%s::regclass, NULL, NULL)", [aggregate.name])
    await assert_same_answers(plain, timescale)


async def test_both_have_the_same_tables_and_columns(plain: Database, timescale: Database) -> None:
    async def columns(database: Database) -> list[tuple[str, str, str]]:
        async with database.transaction() as conn:
            cursor = await conn.execute("""
                SELECT table_name, column_name, data_type
                FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name <> 'made_later'
                ORDER BY table_name, ordinal_position
            """)
            return await cursor.fetchall()

    assert await columns(plain) == await columns(timescale)
