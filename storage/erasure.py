"""Erasure: everything of one person goes, from every table there is and from the object store; audit lines stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.errors import Busy, Malformed, NotFound
from storage import archive_erasure, audit
from storage.database import Database
from storage.erasure_tables import SCHEMA, Relation, relations
from storage.objects import Objects

_SETTLED: Final = timedelta(seconds=90)
"""A worker remembers a device's owner for 30 s, closes a silent device after 30 more, and saves every 10."""

Told = Callable[[str], None]
"""Hears what is being erased."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about, and what is theirs. A device or recording counts as theirs when its rows say so."""

    user_id: UUID
    username: str
    devices: tuple[UUID, ...]
    """Theirs now."""
    used_devices: tuple[UUID, ...]
    """Theirs now or once: where their rows are looked for."""
    recordings: tuple[UUID, ...]

    @property
    def params(self) -> dict[str, object]:
        return {
            "user_id": self.user_id,
            "devices": list(self.devices),
            "used_devices": list(self.used_devices),
            "recordings": list(self.recordings),
        }


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: rows by table, objects, and the devices that stay, nameless, because others' data hang on them."""

    user_id: UUID
    rows: Mapping[str, int] = field(default_factory=dict)
    objects: int = 0
    kept_devices: int = 0


async def erase(
    database: Database, store: Objects, name: str, actor: str, at: datetime, told: Told | None = None
) -> Erased:
    """Erase the person of that username or user_id; after a failure, call it again and it goes on.

    Objects go first, then rows, the row in users last and in one transaction with its audit line. Raises NotFound,
    Malformed for a name that several deleted people share, Busy when a server is away or a device of theirs was heard
    of in the last 90 s: it is shut out from then on, so the next try comes through.
    """
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL statement_timeout = 0")  # a year of their metrics may be looked through
        person = await find(conn, name)
        newest = await _shut_out(conn, person)
    if newest is not None and at - newest < _SETTLED:
        raise Busy(
            f"a device of {name} was heard of {round((at - newest).total_seconds())} s ago; it is shut out now, so run "
            f"this again in {_SETTLED.total_seconds():g} s"
        )
    objects = await _erase_objects(database, store, person, told)
    rows: dict[str, int] = {}
    for relation in await _relations(database):
        (told or _silent)(relation.name)
        rows[relation.name] = await _erase_rows(database, person, relation)
    # After the samples: what is being archived this moment is waited for, and nothing is left to archive then.
    (told or _silent)("archived_records")
    gone = await archive_erasure.erase(database, store, person.recordings, person.used_devices)
    rows["archived_records"] = gone.rows
    return await _finish(database, person, Erased(person.user_id, rows, objects + gone.objects), actor, at)


async def find(conn: AsyncConnection, name: str) -> Person:
    """The person of that username (letter case aside) or user_id, deleted or not. Raises NotFound, Malformed."""
    cursor = await conn.execute(
        """
        SELECT user_id, username
        FROM users
        WHERE lower(username) = lower(%(name)s) OR user_id::text = %(name)s
        """,
        {"name": name},
    )
    found = await cursor.fetchall()
    if not found:
        raise NotFound(f"no user {name!r}; give a username or a user_id (GET users lists them)")
    if len(found) > 1:
        ids = ", ".join(str(row[0]) for row in found)
        raise Malformed(f"{len(found)} people have had the name {name!r}; give one of their user_ids: {ids}")
    user_id, username = found[0]
    recordings = await _ids(conn, "SELECT recording_id FROM recordings WHERE user_id = %(user_id)s", user_id)
    devices = await _ids(conn, "SELECT device_id FROM devices WHERE user_id = %(user_id)s", user_id)
    used = set(devices)
    for relation in await relations(conn):
        if {"user_id", "device_id"} <= relation.columns:
            query = sql.SQL(
                "SELECT DISTINCT device_id FROM {} WHERE user_id = %(user_id)s AND device_id IS NOT NULL"
            ).format(relation.identifier)
            used |= set(await _ids(conn, query, user_id))
    return Person(user_id, username, tuple(devices), tuple(used), tuple(recordings))


async def _ids(conn: AsyncConnection, query: str | sql.Composed, user_id: UUID) -> list[UUID]:
    text = query.encode() if isinstance(query, str) else query
    cursor = await conn.execute(text, {"user_id": user_id})
    return [row[0] for row in await cursor.fetchall()]


async def _shut_out(conn: AsyncConnection, person: Person) -> datetime | None:
    """From now on nobody logs in as them and their devices are refused; when one was last heard of."""
    await conn.execute("UPDATE users SET is_active = false WHERE user_id = %(user_id)s", person.params)
    await conn.execute(
        "UPDATE devices SET is_active = false, token_hash = NULL WHERE device_id = ANY(%(devices)s)", person.params
    )
    cursor = await conn.execute("SELECT max(last_seen) FROM devices WHERE device_id = ANY(%(devices)s)", person.params)
    row = await cursor.fetchone()
    return row[0] if row else None


async def _erase_objects(database: Database, store: Objects, person: Person, told: Told | None) -> int:
    async with database.transaction() as conn:
        keys = await _keys(conn, person)
    for key in keys:
        (told or _silent)(key)
        await store.delete(key)
    return len(keys)


async def _keys(conn: AsyncConnection, person: Person) -> list[str]:
    """Objects that rows of theirs name and no row of anybody else does; a path that a client sent is not among them."""
    keyed = [relation for relation in await relations(conn) if {"user_id", "file_path_s3"} <= relation.columns]
    others = sql.SQL(" AND ").join(
        sql.SQL(
            "NOT EXISTS (SELECT FROM {} AS o WHERE o.file_path_s3 = t.file_path_s3 AND o.user_id <> t.user_id)"
        ).format(relation.identifier)
        for relation in keyed
    )
    found: set[str] = set()
    for relation in keyed:
        query = sql.SQL(
            "SELECT t.file_path_s3 FROM {} AS t WHERE t.user_id = %(user_id)s AND t.file_path_s3 IS NOT NULL AND {}"
        ).format(relation.identifier, others)
        cursor = await conn.execute(query, person.params)
        found |= {row[0] for row in await cursor.fetchall()}
    return sorted(found)


async def _relations(database: Database) -> list[Relation]:
    async with database.transaction() as conn:
        return await relations(conn)


async def _erase_rows(database: Database, person: Person, relation: Relation) -> int:
    """The rows of one table, in a transaction of its own: a long one may take minutes."""
    condition = relation.condition
    if condition is None:
        return 0
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL statement_timeout = 0")
        # Without it TimescaleDB gives up after 100,000 rows of compressed chunks; PostgreSQL alone takes no notice.
        await conn.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
        query = sql.SQL("DELETE FROM {} AS t WHERE {}").format(relation.identifier, condition)
        cursor = await conn.execute(query, person.params)
        return cursor.rowcount


async def _finish(database: Database, person: Person, done: Erased, actor: str, at: datetime) -> Erased:
    async with database.transaction() as conn:
        kept = await _kept_devices(conn, person)
        gone = await _count(conn, "DELETE FROM recordings WHERE user_id = %(user_id)s", person)
        devices = await _count(
            conn, "DELETE FROM devices WHERE user_id = %(user_id)s AND device_id <> ALL(%(kept)s)", person, kept
        )
        await _count(conn, _UNNAME, person, kept)
        await _count(conn, "DELETE FROM users WHERE user_id = %(user_id)s", person)
        rows = {**done.rows, "recordings": gone, "devices": devices, "users": 1}
        erased = Erased(person.user_id, {name: count for name, count in rows.items() if count}, done.objects, len(kept))
        subject, detail = str(person.user_id), f"{sum(rows.values())} rows, {done.objects} objects"
        await audit.append(conn, actor, "user.erase", subject, None, at, patient_id=person.user_id, detail=detail)
    return erased


_UNNAME: Final = """
UPDATE devices
SET user_id = NULL, device_name = NULL, is_active = false, token_hash = NULL
WHERE device_id = ANY(%(kept)s)
"""


async def _kept_devices(conn: AsyncConnection, person: Person) -> list[UUID]:
    """Devices of theirs on which another person's rows hang."""
    kept: set[UUID] = set()
    for relation in await relations(conn):
        if {"user_id", "device_id"} <= relation.columns and relation.schema == SCHEMA:
            query = sql.SQL(
                "SELECT DISTINCT device_id FROM {} WHERE device_id = ANY(%(devices)s) AND user_id <> %(user_id)s"
            ).format(relation.identifier)
            cursor = await conn.execute(query, person.params)
            kept |= {row[0] for row in await cursor.fetchall()}
    return sorted(kept)


async def _count(conn: AsyncConnection, query: str, person: Person, kept: Sequence[UUID] = ()) -> int:
    cursor = await conn.execute(query.encode(), {**person.params, "kept": list(kept)})
    return cursor.rowcount


def _silent(_: str) -> None:
    """Nobody listens."""
