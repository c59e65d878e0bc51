"""The api's role reads what it serves, and can do nothing else."""

import secrets
from datetime import timedelta
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from schemas.clock import now
from storage.accounts import user
from storage.database import Database, reader
from storage.devices import device
from storage.migrate import migrate
from storage.sessions import is_open, open_session
from storage.summaries import trend
from tests.storage.conftest import settings_for
from tests.storage.made import START_US, a_patient

WRITES = [
    "INSERT INTO upload_logs (file_path, filename) VALUES ('a', 'b')",
    "UPDATE devices SET is_active = false",
    "DELETE FROM ecg_beats",
    "TRUNCATE ecg_metrics",
    "CREATE TABLE mine (a int)",
    "INSERT INTO users (username, password_hash, role) VALUES ('me', 'x', 'admin')",
    "WITH gone AS (DELETE FROM devices RETURNING device_id) SELECT count(*) FROM gone",
    "MERGE INTO users AS u USING (SELECT 1) AS one ON true WHEN MATCHED THEN UPDATE SET role = 'admin'",
    "SELECT user_id FROM users FOR UPDATE",
    "LOCK TABLE users IN ACCESS EXCLUSIVE MODE",
    "CREATE VIEW mine AS SELECT 1 AS a",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE INDEX mine ON users (age)",
    "CREATE ROLE mine SUPERUSER",
    "ALTER TABLE users ADD COLUMN mine int",
    "ALTER ROLE leadwire_reader CREATEROLE",
    "DROP TABLE users",
    "GRANT ALL ON users TO leadwire_reader",
    "COMMENT ON TABLE users IS 'mine'",
    "SELECT setval(pg_get_serial_sequence('audit_log', 'audit_id'), 1)",
]
SECRETS = [
    "SELECT password_hash FROM users",
    "SELECT token_hash FROM devices",
    "SELECT token_hash FROM user_sessions",
    "SELECT state FROM checkpoints",
]


@pytest.mark.parametrize("statement", WRITES)
async def test_it_can_not_write_even_if_it_lifts_the_read_only_mode(reading: Database, statement: str) -> None:
    with pytest.raises((ReadOnlySqlTransaction, InsufficientPrivilege)):
        async with reading.transaction() as conn, conn.transaction():
            await conn.execute(statement.encode())
    with pytest.raises(InsufficientPrivilege):
        async with reading.transaction() as conn:
            await conn.execute(f"SET TRANSACTION READ WRITE; {statement}".encode())


async def test_it_may_change_no_table_and_no_sequence_whatever_there_is(reading: Database) -> None:
    """Asked of the catalogue, so a table of tomorrow is looked at, too."""
    async with reading.transaction() as conn:
        cursor = await conn.execute("""
            SELECT c.relname, privilege
            FROM pg_class AS c
            CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
            WHERE c.relnamespace = 'public'::regnamespace
                AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND has_table_privilege(current_user, c.oid, privilege)
            UNION ALL
            SELECT c.relname, privilege
            FROM pg_class AS c
            CROSS JOIN unnest(ARRAY['USAGE', 'UPDATE']) AS privilege
            WHERE c.relnamespace = 'public'::regnamespace
                AND c.relkind = 'S'
                AND has_sequence_privilege(current_user, c.oid, privilege)
        """)
        assert await cursor.fetchall() == []


@pytest.mark.parametrize("statement", SECRETS)
async def test_it_can_not_read_secrets(reading: Database, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        async with reading.transaction() as conn, conn.transaction():
            await conn.execute(statement.encode())


async def test_it_reads_people_devices_sessions_and_aggregates(database: Database, reading: Database) -> None:
    session_id = uuid4()
    async with database.transaction() as conn:
        patient = await a_patient(conn)
        await open_session(conn, session_id, patient.user.user_id, b"hash", None, None, now() + timedelta(hours=1))
    async with reading.transaction() as conn:
        assert await user(conn, patient.access, patient.user.user_id) == patient.user
        assert await device(conn, patient.access, patient.device.device_id) == patient.device
        assert await is_open(conn, session_id, now())
        assert await trend(conn, patient.access, patient.device.device_id, START_US, START_US + 10**9, "1h") == []


async def test_it_reads_tables_made_later(database: Database, reading: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute("CREATE TABLE IF NOT EXISTS made_later (a int)")
    async with reading.transaction() as conn:
        cursor = await conn.execute("SELECT count(*) FROM made_later")
        assert await cursor.fetchone() == (0,)


@pytest.mark.embedded
async def test_it_logs_in_with_the_password_that_migrating_gave_it(postgres_url: str) -> None:
    password = secrets.token_urlsafe(12) + "'"
    parts = urlsplit(postgres_url)
    login = parts._replace(netloc=f"leadwire_reader:{quote(password)}@{parts.hostname}:{parts.port}").geturl()
    given = {"LEADWIRE_READER_PASSWORD": password, "LEADWIRE_READER_DATABASE_URL": login}
    settings = settings_for(postgres_url, **given)
    await migrate(postgres_url, settings)
    opened = reader(settings)
    await opened.open()
    async with opened.transaction() as conn:
        cursor = await conn.execute("SELECT session_user, current_setting('transaction_read_only')")
        assert await cursor.fetchone() == ("leadwire_reader", "on")
    await opened.close()
