"""The same rows give the same answers on PostgreSQL and on TimescaleDB, compressed and refreshed too."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

import storage
from schemas.history import AGGREGATES
from storage.access import Access
from storage.database import Database, writer
from storage.migrate import migrate
from storage.policies import COLUMNSTORE
from storage.retention import expire
from tests.storage.conftest import settings_for
from tests.storage.dialect_answers import AT, DOCTOR_ID, END, QUERIES, USER_ID, answers, write_everything

pytestmark = [pytest.mark.embedded, pytest.mark.timescale]

CALLERS = [Access(None, "admin"), Access(USER_ID, "user"), Access(DOCTOR_ID, "doctor"), Access(UUID(int=1), "user")]

WRITES: Final = {
    "account_changes": "update_user delete_user",
    "accounts": "create_user touch_login",
    "alarm_limits": "set_limits reset_limits",
    "alarms": "write_alarms end_before acknowledge",
    "beats": "write_beats",
    "care": "assign end end_all",
    "checkpoints": "save forget_all put_back",
    "cloud_files": "claim finish fail delete_file",
    "device_changes": "update_device delete_device",
    "devices": "register set_token touch",
    "hrv": "claim write_hrv",
    "imports": "insert",
    "metrics": "write_metrics",
    "metrics_posted": "write_posted device_for",
    "object_removals": "add add_of_deleted_report take done put_off",
    "policies": "apply_policies",
    "profiles": "update_profile set_password",
    "refresh_tokens": "keep use forget_ended",
    "report_uploads": "claim finish fail",
    "reports": "request_report finish_report fail_report fail_asked_for delete_report",
    "retention": "expire",
    "rhythms": "write_rhythms",
    "samples": "write_recordings write_stretches write_packed write_gaps",
    "sessions": "open_session note_token close_session close_all",
    "uploads": "log",
}
"""What writes: its own tests run on both databases, and tell what is there afterwards."""

EXCEPTIONS: Final = {
    "archive": "moves samples between two stores; its own tests run on both databases",
    "archive_hours": "as archive",
    "archive_index": "as archive",
    "archived_samples": "as archive",
    "audit": "numbers of lines and moments are each database's own; its tests run on both",
    "backups": "counts whole databases, and is tried on both by its own tests",
    "checkpoints.load": "pickled state comes back byte by byte, which its test shows on both",
    "checkpoints.offsets": "as checkpoints.load",
    "condition": "tells of the server, not of people; its tests run on both",
    "dialects": "is itself what differs",
    "drawings.draw_rows": "a part of read_drawing",
    "drawings.drawing_of": "a part of read_drawing",
    "drawings.outlines": "a part of read_drawing",
    "erasure.find": "lists tables, which are each database's own; its tests run on both",
    "erasure_tables.relations": "as erasure.find",
    "generations": "numbers that each database counts by itself",
    "migrate.set_password": "changes a role",
    "pages": "what all lists are made with",
    "refresh_tokens.family_of_used": "its row is used up by the asking; its test runs on both",
    "samples.stored_rows": "a part of read_kept",
    "reports.oldest_asked_for": "looks over all reports of a database, those of other tests too",
    "restores": "as backups",
    "rows": "what all queries are made with",
    "statistics": "counts every row of a database, those that other tests leave too; its tests run on both",
}
"""What is not compared, a module or a function of it, and why."""


def public_queries() -> Iterator[str]:
    """Every public coroutine of storage/ that works on a connection, as module.function."""
    for module in pkgutil.walk_packages(storage.__path__, "storage."):
        for name, function in vars(importlib.import_module(module.name)).items():
            is_own = inspect.iscoroutinefunction(function) and function.__module__ == module.name
            if is_own and name[0] != "_" and next(iter(inspect.signature(function).parameters), None) == "conn":
                yield f"{module.name.removeprefix('storage.')}.{name}"


def is_excepted(name: str) -> bool:
    return name in EXCEPTIONS or name.partition(".")[0] in EXCEPTIONS


def test_every_query_is_compared_or_said_why_not() -> None:
    writes = {f"{module}.{name}" for module, names in WRITES.items() for name in names.split()}
    told = {name for name in public_queries() if not is_excepted(name)}
    assert told - writes - set(QUERIES) == set(), "compare it in tests/storage/dialect_answers.py"
    assert (writes | set(QUERIES)) - told == set(), "there is no such function any more"


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
    empty = [name for name, found in everything.items() if not all(found) or any(isinstance(f, tuple) for f in found)]
    assert empty == [], "a query that finds nothing compares nothing"
    await assert_same_answers(plain, timescale)


async def test_what_is_not_ones_own_is_not_there_on_either(plain: Database, timescale: Database) -> None:
    for database in (plain, timescale):
        async with database.transaction() as conn:
            nobody, admin = await answers(conn, CALLERS[3]), await answers(conn, CALLERS[0])
        assert nobody["summaries.trend"] == [[], [], []] != admin["summaries.trend"]


async def test_compressed_rows_give_the_same_answers_and_take_no_row_twice(
    plain: Database, timescale: Database, timescale_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(timescale_url, autocommit=True) as conn:
        for table in COLUMNSTORE:
            await compress(conn, table)
    await assert_same_answers(plain, timescale)
    async with timescale.transaction() as conn:
        await write_everything(conn)
    await assert_same_answers(plain, timescale)


async def test_refreshed_aggregates_give_the_same_answers_compressed_too(
    plain: Database, timescale: Database, timescale_url: str
) -> None:
    end = END + timedelta(days=2)
    async with await psycopg.AsyncConnection.connect(timescale_url, autocommit=True) as conn:
        for aggregate in AGGREGATES:
            query = "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz)"
            await conn.execute(query, [aggregate.name, end + aggregate.bucket])
        await assert_same_answers(plain, timescale)
        for aggregate in AGGREGATES:
            await compress(conn, aggregate.name)
    await assert_same_answers(plain, timescale)


async def compress(conn: AsyncConnection, table: str) -> None:
    query = "SELECT compress_chunk(c, true) FROM show_chunks(%s::regclass, older_than => %s::timestamptz) AS c"
    assert await (await conn.execute(query, [table, END + timedelta(days=400)])).fetchall(), table


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


async def test_with_timescaledb_chunks_are_dropped_by_a_policy_and_no_rows_here(
    timescale: Database, timescale_url: str
) -> None:
    async with await AsyncConnection.connect(timescale_url, autocommit=True) as conn:
        late = AT + timedelta(days=400)
        assert await expire(conn, settings_for(timescale_url), late, archives=False) == []
