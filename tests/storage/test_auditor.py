"""The auditor's role notes reads, and can do nothing else."""

import secrets
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege, RaiseException

from schemas.audit import AuditLine
from schemas.clock import to_datetime
from schemas.errors import Misconfigured
from schemas.pages import PageRequest
from schemas.settings_store import DatabaseSettings
from storage.audit import AuditFilter, append_reads, list_entries
from storage.audit_chain import verify
from storage.database import Database, auditor
from storage.migrate import migrate
from tests.storage.conftest import settings_for
from tests.storage.made import START_US, a_patient, a_user

AT = to_datetime(START_US)
RIGHTS = """
SELECT c.relname, p.privilege
FROM pg_class AS c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
    AND has_table_privilege('leadwire_auditor', c.oid, p.privilege)
"""
COLUMNS = """
SELECT table_name, column_name
FROM information_schema.columns
WHERE table_schema = 'public'
    AND has_column_privilege('leadwire_auditor', format('public.%I', table_name), column_name, 'SELECT, INSERT, UPDATE')
"""
OUR_FUNCTIONS = """
SELECT p.proname
FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
    AND has_function_privilege('leadwire_auditor', p.oid, 'EXECUTE')
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
ATTEMPTS = [
    "SELECT subject FROM audit_log",
    "SELECT password_hash FROM users",
    "SELECT count(*) FROM ecg_beats",
    "INSERT INTO audit_log (at, actor, action, subject) VALUES (now(), 'a', 'b', 'c')",
    "INSERT INTO upload_logs (file_path, filename) VALUES ('a', 'b')",
    "UPDATE users SET role = 'admin'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "CREATE TABLE mine (a int)",
    "SELECT audit_field('x')",
    "ALTER TABLE audit_log DISABLE TRIGGER USER",
]


@pytest.fixture
async def auditing(database: Database, settings: DatabaseSettings) -> AsyncIterator[Database]:
    opened = auditor(settings)
    await opened.open()
    yield opened
    await opened.close()


async def test_it_holds_one_right_in_the_whole_schema(conn: AsyncConnection) -> None:
    for question in (RIGHTS, COLUMNS):
        assert await (await conn.execute(question.encode())).fetchall() == []
    assert await (await conn.execute(OUR_FUNCTIONS.encode())).fetchall() == [("append_reads",)]


@pytest.mark.parametrize("statement", ATTEMPTS)
async def test_it_can_neither_read_nor_write_anything_else(auditing: Database, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        async with auditing.transaction() as conn:
            await conn.execute(statement.encode())


async def test_it_can_not_claim_that_somebody_changed_something(auditing: Database) -> None:
    with pytest.raises(RaiseException, match="no read"):
        async with auditing.transaction() as conn:
            await append_reads(conn, [AuditLine(AT, "root", "user.erase", "x")])


async def test_reads_join_the_chain_with_the_patient_they_are_about(database: Database, auditing: Database) -> None:
    async with database.transaction() as conn:
        patient, other = await a_patient(conn), await a_user(conn)
    owner, doctor = patient.user.user_id, f"doc-{uuid4()}"
    subjects = [patient.device.device_id, patient.recording.recording_id, owner, f"reports/{patient.device.device_id}"]
    lines = [AuditLine(AT, doctor, "beats.read", str(subject), "::1") for subject in subjects]
    lines.append(AuditLine(AT, doctor, "user.read", "all", None, other.user_id, "detail"))
    async with auditing.transaction() as conn:
        await append_reads(conn, lines)
    async with database.transaction() as conn:
        entries = (await list_entries(conn, AuditFilter(actor=doctor), PageRequest())).items
    assert [entry.patient_id for entry in entries] == [other.user_id, owner, owner, owner, owner]
    assert (entries[0].detail, entries[1].address) == ("detail", "::1")
    assert (await verify(database)).problem is None


async def test_what_people_read_of_themselves_is_noted_only_when_it_leaves_as_a_file(
    database: Database, auditing: Database
) -> None:
    async with database.transaction() as conn:
        patient = await a_patient(conn)
    actor, device = str(patient.user.user_id), str(patient.device.device_id)
    lines = [AuditLine(AT, actor, action, device) for action in ("beats.read", "report.download", "report.link")]
    async with auditing.transaction() as conn:
        await append_reads(conn, lines)
    async with database.transaction() as conn:
        entries = (await list_entries(conn, AuditFilter(actor=actor), PageRequest())).items
    assert [entry.action for entry in entries] == ["report.link", "report.download"]


async def test_a_reader_with_a_login_needs_an_auditor_with_one(settings: DatabaseSettings) -> None:
    with pytest.raises(Misconfigured, match="LEADWIRE_AUDITOR_DATABASE_URL"):
        auditor(settings_for(settings.url, LEADWIRE_READER_DATABASE_URL=settings.url))


@pytest.mark.embedded
async def test_it_logs_in_with_the_password_that_migrating_gave_it(postgres_url: str) -> None:
    password = secrets.token_hex(12)
    login = f"postgresql://leadwire_auditor:{password}@{postgres_url.split('@')[1]}"
    given = {"LEADWIRE_AUDITOR_PASSWORD": password, "LEADWIRE_AUDITOR_DATABASE_URL": login}
    settings = settings_for(postgres_url, **given)
    await migrate(postgres_url, settings)
    opened = auditor(settings)
    await opened.open()
    async with opened.transaction() as conn:
        cursor = await conn.execute("SELECT session_user")
        assert await cursor.fetchone() == ("leadwire_auditor",)
    await opened.close()
