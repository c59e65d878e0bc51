"""The audit log takes lines, gives none up, and tells when somebody made it."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.pages import PageRequest
from schemas.settings_store import DatabaseSettings
from storage.audit import AuditFilter, append, entries_after, list_entries
from storage.audit_chain import START, Head, Verdict, judge, line_hash, verify
from storage.database import Database
from tests.storage.made import START_US

AT = to_datetime(START_US)
CHANGES = [
    "UPDATE audit_log SET actor = 'bob'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
]

REHASHED = "UPDATE audit_log AS a SET hash = audit_hash(a) WHERE entry = 5"


async def add(conn: AsyncConnection, actor: str = "ada", patient: UUID | None = None) -> None:
    await append(conn, actor, "report.download", "1", "::1", AT, patient_id=patient, detail="ä|\x01")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_line_can_not_be_changed_or_taken_back(conn: AsyncConnection, change: str) -> None:
    await add(conn)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        async with conn.transaction():
            await conn.execute(change.encode())


async def test_each_line_holds_the_hash_of_the_one_before(conn: AsyncConnection) -> None:
    for actor in ("ada", "bob", "cleo"):
        await add(conn, actor, uuid4())
    page = await list_entries(conn, AuditFilter(), PageRequest(1, 3))
    third, second, first = page.items
    assert [line.actor for line in page.items] == ["cleo", "bob", "ada"]
    assert (third.previous_hash, second.previous_hash) == (second.hash, first.hash)
    assert (third.entry, second.entry) == (first.entry + 2, first.entry + 1)


async def test_python_and_sql_hash_alike_null_and_empty_apart(conn: AsyncConnection) -> None:
    for address, detail in ((None, ""), ("", None), ("a", "b"), ("ab", "")):
        await append(conn, "ada", "x.read", "s", address, AT + timedelta(microseconds=1), detail=detail)
    lines = (await list_entries(conn, AuditFilter(), PageRequest(1, 4))).items
    assert [line_hash(line) for line in lines] == [line.hash for line in lines]
    assert len({line.hash for line in lines}) == 4


async def test_what_an_insert_says_of_the_chain_is_not_believed(conn: AsyncConnection) -> None:
    await add(conn)
    await conn.execute(
        "INSERT INTO audit_log (at, actor, action, subject, entry, previous_hash, hash) "
        "VALUES (now(), 'mallory', 'x', 'y', 1, 'a', 'b'), (now(), 'mallory', 'x', 'y', 1, 'a', 'b')"
    )
    lines = (await list_entries(conn, AuditFilter(), PageRequest(1, 3))).items
    assert [line.entry - lines[2].entry for line in lines] == [2, 1, 0]
    assert [line_hash(line) == line.hash for line in lines] == [True, True, True]


async def test_entries_are_found_by_patient_actor_action_and_time(conn: AsyncConnection) -> None:
    patient = uuid4()
    await add(conn, "doc-1", patient)
    await add(conn, "doc-2", patient)

    async def found(**wanted: object) -> list[str]:
        page = await list_entries(conn, AuditFilter(patient, **wanted), PageRequest())  # type: ignore[arg-type]  # by name
        return [line.actor for line in page.items]

    assert await found() == ["doc-2", "doc-1"]
    assert await found(actor="doc-1") == ["doc-1"]
    assert await found(action="report.read") == []
    assert await found(since=AT, until=AT + timedelta(seconds=1)) == ["doc-2", "doc-1"]
    assert await found(since=AT + timedelta(seconds=1)) == await found(until=AT) == []


async def test_fifty_writers_at_once_make_one_whole_chain(database: Database, settings: DatabaseSettings) -> None:
    crowd = [await AsyncConnection.connect(settings.url, autocommit=True) for _ in range(50)]

    async def write(conn: AsyncConnection) -> None:
        for number in range(4):
            async with conn.transaction():
                await conn.execute("SELECT count(*) FROM users")  # a snapshot from before the lock
                await add(conn, f"writer-{number}")

    before = (await verify(database)).entries
    await asyncio.gather(*(write(conn) for conn in crowd))
    for conn in crowd:
        await conn.close()
    after = await verify(database)
    assert (after.problem, after.entries) == (None, before + 200)


async def test_a_deed_that_is_undone_leaves_no_gap(database: Database) -> None:
    async with database.transaction() as conn, conn.transaction(force_rollback=True):
        await add(conn)
    async with database.transaction() as conn:
        await add(conn)
    assert (await verify(database, portion=3)).problem is None


async def test_a_noted_head_is_still_there_or_missed(database: Database) -> None:
    async with database.transaction() as conn:
        await add(conn)
    noted = (await verify(database)).head
    async with database.transaction() as conn:
        await add(conn)
    now = await verify(database, noted)
    assert (now.problem, now.entries) == (None, noted.entry + 1)
    cut = await verify(database, Head(now.entries + 5, noted.hash))
    assert (cut.wrong, cut.problem) == (
        now.entries + 1,
        f"entry {now.entries + 1} is missing: the log was cut off, {now.entries + 5} was noted",
    )
    other = await verify(database, Head(noted.entry, "ab" * 32))
    assert other.wrong == noted.entry


async def tampered(conn: AsyncConnection, change: str) -> Verdict:
    """The verdict on six lines, of which a superuser without the triggers has changed something."""
    await conn.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await conn.execute("DELETE FROM audit_log")
    await conn.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
    for actor in "abcdef":
        await add(conn, actor)
    await conn.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await conn.execute(change.encode())
    await conn.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
    return judge(START, await entries_after(conn, 0, 100))


@pytest.mark.parametrize(
    ("change", "wrong", "told"),
    [
        ("UPDATE audit_log SET subject = '2' WHERE entry = 4", 4, "was changed"),
        ("UPDATE audit_log SET at = at + interval '1 us' WHERE entry = 2", 2, "was changed"),
        ("UPDATE audit_log SET address = NULL WHERE entry = 1", 1, "was changed"),
        ("DELETE FROM audit_log WHERE entry IN (3, 5)", 3, "is missing"),
        ("DELETE FROM audit_log WHERE entry = 1", 1, "is missing"),
        ("UPDATE audit_log SET subject = '2' WHERE entry = 5; " + REHASHED, 6, "does not follow"),
        ("UPDATE audit_log SET previous_hash = hash WHERE entry = 6", 6, "does not follow"),
    ],
)
async def test_the_first_entry_that_is_wrong_is_named(
    conn: AsyncConnection, change: str, wrong: int, told: str
) -> None:
    verdict = await tampered(conn, change)
    assert verdict.wrong == wrong
    assert told in (verdict.problem or "")
    assert verdict.entries == wrong - 1
