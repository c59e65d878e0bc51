"""An erased person is in no table, and nobody else is missing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection, sql
from pydantic import SecretStr

from schemas.clock import now, to_datetime
from schemas.errors import Busy, NotFound
from schemas.history import AGGREGATES
from schemas.pages import PageRequest
from schemas.samples import Gap
from schemas.settings_store import DatabaseSettings
from storage import alarms, hrv, reports, rhythms, samples, sessions
from storage.archive import archive_hours
from storage.archive_hours import hours_of_device
from storage.audit import AuditFilter, list_entries
from storage.audit_chain import verify
from storage.database import Database
from storage.erasure import Erased, erase
from storage.objects_local import LocalObjects
from storage.policies import COLUMNSTORE
from storage.reports import FinishedReport
from tests.storage import made
from tests.storage.made import START_US, Patient

IDS = ("user_id", "patient_id", "doctor_id", "device_id", "recording_id", "report_id")
EARLIER_US = START_US - 365 * 86_400_000_000
"""What is refreshed hides rows of that time that come later: no other test may write there."""
REFRESHED = timedelta(days=7)
COLUMNS = """
SELECT table_name, column_name
FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = ANY(%s) AND table_name <> 'audit_log'
ORDER BY 1, 2
"""
TEXTS = """
SELECT table_name
FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'audit_log'
"""


@dataclass(frozen=True, slots=True)
class Traces:
    """Every id that leads to a person, and an object of theirs."""

    patient: Patient
    report_id: UUID
    key: str

    @property
    def ids(self) -> list[UUID]:
        patient = self.patient
        return [patient.user.user_id, patient.device.device_id, patient.recording.recording_id, self.report_id]


@pytest.fixture
async def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path, SecretStr("x" * 32), "http://localhost")


async def leave_traces(conn: AsyncConnection, store: LocalObjects, started_at_us: int = START_US) -> Traces:
    """A patient with a row in every table that knows people, and a file."""
    patient = await made.a_patient(conn, started_at_us)
    recording, user_id = patient.recording, patient.user.user_id
    await made.write_beats(conn, [made.a_beat(recording, index) for index in range(100, 20_000, 200)])
    seconds = [made.metrics_at(recording, second, qtc_ms=410.0) for second in range(90)]
    await made.write_metrics(conn, seconds, patient.owner)
    await made.write_metrics(conn, seconds, patient.owner, 15)
    await rhythms.write_rhythms(conn, [made.an_episode(recording, "closed", 60)])
    await samples.write_stretches(conn, [made.a_stretch(recording, 0, 2500)])
    await samples.write_gaps(conn, [Gap(recording.recording_id, 2500, 2600)])
    await hrv.write_hrv(conn, [made.a_hrv_stretch(recording)], now())
    await alarms.write_alarms(conn, [made.alarm_of(recording, "Asystole", START_US)])
    await sessions.open_session(conn, uuid4(), user_id, b"hash", None, None, now() + timedelta(hours=1))
    doctor = await made.a_user(conn, "doctor")
    await conn.execute(
        "INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", [doctor.user_id, user_id]
    )
    await conn.execute("INSERT INTO upload_logs (user_id, file_path, filename) VALUES (%s, 'a', 'b')", [user_id])
    await conn.execute(
        "INSERT INTO alarm_limits (user_id, low_bpm, high_bpm, delay_s, changed_at) VALUES (%s, 40, 120, 5, now())",
        [user_id],
    )
    await an_archived_hour(conn, store, patient)
    await a_file(conn, store, patient)
    return await a_report(conn, store, patient)


async def an_archived_hour(conn: AsyncConnection, store: LocalObjects, patient: Patient) -> None:
    device_id = patient.device.device_id
    hour_at = to_datetime(patient.recording.started_at_us)
    await conn.execute("INSERT INTO archive_progress (device_id) VALUES (%s)", [device_id])
    [hour] = await hours_of_device(conn, device_id, hour_at)
    await archive_hours(conn, store, device_id, hour_at, [hour], now())


async def a_file(conn: AsyncConnection, store: LocalObjects, patient: Patient) -> None:
    file_id, user_id = uuid4(), patient.user.user_id
    key = f"files/{user_id}/{file_id}.txt"
    await conn.execute(
        """
        INSERT INTO cloud_files (
            file_id, user_id, kind, filename, file_path_s3, file_size, file_type, sha256, uploaded_by, upload_status
        )
        VALUES (%s, %s, 'file', 'f.txt', %s, 4, 'txt', sha256('f'), %s, 'uploaded')
        """,
        [file_id, user_id, key, user_id],
    )
    await store.put(key, b"file", "text/plain")


async def a_report(conn: AsyncConnection, store: LocalObjects, patient: Patient) -> Traces:
    report_id, at = uuid4(), to_datetime(START_US)
    device_id, key = patient.device.device_id, f"reports/{patient.device.device_id}/{report_id}.pdf"
    await reports.request_report(
        conn, report_id, device_id, patient.user.user_id, "r.pdf", patient.user.username, None, None, at
    )
    finished = FinishedReport(key, 4, "local", 72, None, None, None, None, None, at, at)
    await reports.finish_report(conn, report_id, finished)
    await store.put(key, b"%PDF", "application/pdf")
    return Traces(patient, report_id, key)


async def found(database: Database, traces: Traces) -> dict[str, int]:
    """How many rows each column of each table and view still has of them; and each table, by their name."""
    left: dict[str, int] = {}
    async with database.transaction() as conn:
        for table, column in await (await conn.execute(COLUMNS.encode(), [list(IDS)])).fetchall():
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} = ANY(%s)").format(
                sql.Identifier(table), sql.Identifier(column)
            )
            left[f"{table}.{column}"] = await count(conn, query, traces.ids)
        for [table] in await (await conn.execute(TEXTS.encode())).fetchall():
            query = sql.SQL("SELECT count(*) FROM {} AS t WHERE strpos(t::text, %s) > 0").format(sql.Identifier(table))
            left[table] = await count(conn, query, traces.patient.user.username)
    return {name: rows for name, rows in left.items() if rows}


async def count(conn: AsyncConnection, query: sql.Composed, value: object) -> int:
    row = await (await conn.execute(query, [value])).fetchone()
    assert row is not None
    return int(row[0])


async def gone(database: Database, store: LocalObjects, traces: Traces) -> Erased:
    return await erase(database, store, traces.patient.user.username, "test", now())


async def test_nothing_of_them_is_left_and_nothing_of_others_is_missing(
    database: Database, store: LocalObjects
) -> None:
    async with database.transaction() as conn:
        mine, others = await leave_traces(conn, store), await leave_traces(conn, store)
    before = await found(database, others)
    done = await gone(database, store, mine)
    assert await found(database, mine) == {}
    assert await found(database, others) == before
    with pytest.raises(NotFound):
        await store.get(mine.key)
    assert await store.get(others.key) == b"%PDF"
    assert (done.objects, done.rows["users"], done.rows["ecg_beats"]) == (5, 1, 100)


async def test_every_table_with_such_a_column_had_a_row_of_them(database: Database, store: LocalObjects) -> None:
    """Else the test above proves nothing about a table that was added later."""
    async with database.transaction() as conn:
        mine = await leave_traces(conn, store)
        doctor = await made.a_user(conn, "doctor")
        columns = await (await conn.execute(COLUMNS.encode(), [list(IDS)])).fetchall()
    tables = {name.split(".")[0] for name in await found(database, mine)}
    assert {table for table, _ in columns} - tables == set()
    await gone(database, store, mine)
    assert doctor


async def test_an_audit_line_is_left_with_ids_only(database: Database, store: LocalObjects) -> None:
    async with database.transaction() as conn:
        mine = await leave_traces(conn, store)
    await gone(database, store, mine)
    async with database.transaction() as conn:
        [line] = (await list_entries(conn, AuditFilter(mine.patient.user.user_id), PageRequest())).items
    assert (line.action, line.subject, line.actor) == ("user.erase", str(mine.patient.user.user_id), "test")
    assert mine.patient.user.username not in str(line)
    assert (await verify(database)).problem is None


@pytest.mark.parametrize("database_url", [pytest.param("timescale_url", marks=pytest.mark.timescale)], indirect=True)
async def test_compressed_chunks_and_aggregates_are_erased_too(
    database: Database, settings: DatabaseSettings, store: LocalObjects
) -> None:
    async with database.transaction() as conn:
        mine, others = await leave_traces(conn, store, EARLIER_US), await leave_traces(conn, store, EARLIER_US)
    for table in COLUMNSTORE:
        async with database.transaction() as conn:
            query = "SELECT compress_chunk(c, true) FROM show_chunks(%s::regclass, older_than => %s::timestamptz) AS c"
            await conn.execute(query, [table, to_datetime(EARLIER_US) + REFRESHED])
    async with await AsyncConnection.connect(settings.url, autocommit=True) as conn:
        for aggregate in AGGREGATES:
            around = REFRESHED + aggregate.bucket
            window = [to_datetime(EARLIER_US) - around, to_datetime(EARLIER_US) + around]
            query = "CALL refresh_continuous_aggregate(%s::regclass, %s::timestamptz, %s::timestamptz)"
            await conn.execute(query, [aggregate.name, *window])
    before = await found(database, others)
    await gone(database, store, mine)
    assert await found(database, mine) == {}
    assert await found(database, others) == before


async def test_a_device_that_changed_hands_keeps_the_other_persons_history(
    database: Database, store: LocalObjects
) -> None:
    async with database.transaction() as conn:
        mine = await leave_traces(conn, store)
        device_id = mine.patient.device.device_id
        heir = await made.a_user(conn)
        await conn.execute("UPDATE devices SET user_id = %s WHERE device_id = %s", [heir.user_id, device_id])
    done = await erase(database, store, heir.username, "test", now())
    assert (done.kept_devices, done.rows) == (1, {"generations": 1, "users": 1})
    async with database.transaction() as conn:
        cursor = await conn.execute("SELECT user_id, is_active FROM devices WHERE device_id = %s", [device_id])
        assert await cursor.fetchone() == (None, False)
    await erase(database, store, str(mine.patient.user.user_id), "test", now())
    left = await found(database, mine)
    assert left == {"devices.device_id": 1, "archive_progress.device_id": 1}


async def test_a_device_that_still_sends_is_shut_out_first(database: Database, store: LocalObjects) -> None:
    async with database.transaction() as conn:
        mine = await leave_traces(conn, store)
        await conn.execute("UPDATE devices SET last_seen = now() WHERE device_id = %s", [mine.patient.device.device_id])
    with pytest.raises(Busy, match="run this again in 90 s"):
        await gone(database, store, mine)
    await erase(database, store, mine.patient.user.username, "test", now() + timedelta(seconds=91))
    assert await found(database, mine) == {}


@dataclass
class BrokenStore(LocalObjects):
    """A store that is away."""

    deleted: list[str] = field(default_factory=list)

    async def delete(self, key: str) -> None:
        raise Busy("the object store is away; wait")


async def test_after_a_failure_it_goes_on(database: Database, store: LocalObjects) -> None:
    async with database.transaction() as conn:
        mine = await leave_traces(conn, store)
    with pytest.raises(Busy):
        await gone(database, BrokenStore(), mine)
    assert (await found(database, mine))["ecg_reports.report_id"] == 1
    await gone(database, store, mine)
    assert await found(database, mine) == {}
    with pytest.raises(NotFound, match="no user"):
        await gone(database, store, mine)
