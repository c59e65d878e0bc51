"""Backups: what the database holds at one moment, and an empty database made ready to take it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, TypeAlias, TypeVar

from psycopg import AsyncConnection, OperationalError, pq, sql
from psycopg.errors import UndefinedTable

from schemas.errors import Busy, Misconfigured
from storage.audit_chain import NO_HASH, Head

Value = TypeVar("Value")

_Query: TypeAlias = LiteralString | sql.Composed

_CONNECT_TIMEOUT_S: Final = 10

_KEY_COLUMN: Final = "file_path_s3"
"""Every table that knows an object calls its key so."""

_TABLES: Final = """
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""

_THINGS: Final = """
SELECT count(*)
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""

_ARCHIVED: Final = """
SELECT file->>'key', file->>'sha256'
FROM archived_records
CROSS JOIN jsonb_array_elements(parts) AS part
CROSS JOIN jsonb_array_elements(part->'files') AS file
"""

_CHUNKS: Final = """
SELECT n.nspname, c.relname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = '_timescaledb_internal'
    AND c.relkind = 'r'
    AND (starts_with(c.relname, '_hyper_') OR starts_with(c.relname, 'compress_hyper_'))
ORDER BY 2
"""

_KEYED_TABLES: Final = """
SELECT
    c.table_name, bool_or(c.column_name = 'sha256' AND c.data_type = 'bytea'), bool_or(c.column_name = 'deleted_at'),
    bool_or(c.column_name = 'upload_status')
FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
GROUP BY 1
HAVING bool_or(c.column_name = %s)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds: row counts by table, and what it takes to restore it."""

    at: datetime
    server: int
    timescale: str | None
    migrations: list[str]
    rows: dict[str, int]
    head: Head
    bytes: int


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """An object that a row tells of; `sha256` in hex, where the row knows it."""

    key: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database, which others may look at by its id as long as the block lasts."""

    id: str
    conn: AsyncConnection

    async def contents(self) -> Contents:
        """Count everything; takes as long as reading every table once."""
        return Contents(
            at=await _one(self.conn, "SELECT now()", datetime),
            server=await server_major(self.conn),
            timescale=await timescale_version(self.conn),
            migrations=[name for (name,) in await _all(self.conn, "SELECT name FROM schema_migrations ORDER BY 1")],
            rows=await count_rows(self.conn),
            head=await audit_head(self.conn),
            bytes=await _one(self.conn, "SELECT pg_database_size(current_database())", int),
        )

    async def objects(self) -> list[ObjectFile]:
        """Every object that a row tells of, by key; none of what was deleted."""
        return await referenced(self.conn)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection without time limits, each statement by itself. Raises Busy when the database is away."""
    try:
        async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as conn:
            await conn.execute("SET TIME ZONE 'UTC'")
            await conn.execute("SET statement_timeout = 0")
            await conn.execute("SET idle_in_transaction_session_timeout = 0")
            yield conn
    except OperationalError as error:
        raise Busy(
            f"the database does not answer ({' '.join(str(error).split())}); see that it runs and DATABASE_URL is right"
        ) from error


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """The database as it is now, however much is written meanwhile. Raises Busy.

    TimescaleDB compresses a chunk by emptying it in a way that even older snapshots see (TRUNCATE): a dump that began
    a moment before has neither the rows nor the compressed ones. So no chunk is compressed or dropped meanwhile.
    """
    async with connected(url) as holding, connected(url) as conn:
        await holding.execute("BEGIN")
        await _hold_chunks(holding)
        await conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Snapshot(await _one(conn, "SELECT pg_export_snapshot()", str), conn)
        await conn.execute("ROLLBACK")


async def _hold_chunks(conn: AsyncConnection) -> None:
    """Rows may be read and written; what rewrites a chunk waits until this transaction ends."""
    chunks = [sql.Identifier(schema, table) for schema, table in await _all(conn, _CHUNKS)]
    try:
        if chunks:
            lock = sql.SQL("LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE")
            await conn.execute(lock.format(sql.SQL(", ONLY ").join(chunks)))
    except UndefinedTable as error:
        raise Busy("TimescaleDB dropped a chunk at this moment; run the backup again") from error


async def server_major(conn: AsyncConnection) -> int:
    """The server's major version, such as 18."""
    return int(await _one(conn, "SELECT current_setting('server_version_num')", str)) // 10_000


async def timescale_version(conn: AsyncConnection) -> str | None:
    """The version of TimescaleDB in this database, if it is there."""
    rows = await _all(conn, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    return str(rows[0][0]) if rows else None


async def timescale_versions(conn: AsyncConnection) -> list[str]:
    """The versions of TimescaleDB that this server could install."""
    query = "SELECT version FROM pg_available_extension_versions WHERE name = 'timescaledb' ORDER BY 1"
    return [str(version) for (version,) in await _all(conn, query)]


async def has_tables(conn: AsyncConnection) -> bool:
    """Whether anything is in the schema public that is not an extension's."""
    return await _one(conn, _THINGS, int) > 0


async def has_schema(conn: AsyncConnection) -> bool:
    """Whether Leadwire's tables are here."""
    return await _one(conn, "SELECT to_regclass('public.schema_migrations') IS NOT NULL", bool)


async def count_rows(conn: AsyncConnection) -> dict[str, int]:
    """Rows by table of the schema public."""
    counted: dict[str, int] = {}
    for (name,) in await _all(conn, _TABLES):
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))
        counted[name] = await _one(conn, query, int)
    return counted


async def audit_head(conn: AsyncConnection) -> Head:
    """The newest entry of the audit log."""
    rows = await _all(conn, "SELECT entry, encode(hash, 'hex') FROM public.audit_log ORDER BY entry DESC LIMIT 1")
    return Head(int(rows[0][0]), str(rows[0][1])) if rows else Head(0, NO_HASH)


async def referenced(conn: AsyncConnection) -> list[ObjectFile]:
    """Every object that a row tells of, by key, once; asked of every table that has keys, so none is forgotten."""
    found: dict[str, str | None] = {}
    for table, has_sum, may_be_deleted, has_status in await _all(conn, _KEYED_TABLES, [_KEY_COLUMN]):
        query = sql.SQL("SELECT {key}, {sum} FROM {table} WHERE {key} IS NOT NULL{kept}{there}").format(
            key=sql.Identifier(_KEY_COLUMN),
            sum=sql.SQL("encode(sha256, 'hex')" if has_sum else "NULL::text"),
            table=sql.Identifier("public", table),
            kept=sql.SQL(" AND deleted_at IS NULL" if may_be_deleted else ""),
            there=sql.SQL(" AND upload_status = 'uploaded'" if has_status else ""),
        )
        found.update({str(key): known for key, known in await _all(conn, query)})
    found.update(await _archived(conn))
    return [ObjectFile(key, found[key]) for key in sorted(found)]


async def _archived(conn: AsyncConnection) -> dict[str, str | None]:
    """The archive's files, and each folder's manifest, which is written anew and so has no lasting sum."""
    if not await _one(conn, "SELECT to_regclass('public.archived_records') IS NOT NULL", bool):
        return {}
    files = {str(key): str(sha256) for key, sha256 in await _all(conn, _ARCHIVED)}
    manifests = {f"{key.rpartition('/')[0]}/manifest.json": None for key in files}
    return {**manifests, **files}


def environment(url: str) -> dict[str, str]:
    """What PostgreSQL's programs are told through their environment, so that no command line holds a password.

    Raises Misconfigured for a DATABASE_URL that libpq does not understand.
    """
    try:
        options = pq.Conninfo.parse(url.encode())
    except OperationalError as error:
        raise Misconfigured(f"DATABASE_URL can't be read ({error}); write postgresql://user:password@host/db") from None
    return {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar is not None and option.val is not None
    }


async def _one(conn: AsyncConnection, query: _Query, kind: type[Value]) -> Value:
    [[value]] = await _all(conn, query)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


async def _all(conn: AsyncConnection, query: _Query, values: list[object] | None = None) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query, values)).fetchall()
