"""The pool of database connections, for the side that writes and for the side that reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final, TypeAlias

from psycopg import AsyncConnection, OperationalError, sql
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool

from schemas.errors import Busy, Misconfigured
from schemas.settings_store import DatabaseSettings

Connection: TypeAlias = AsyncConnection
"""What storage's functions work on, for rooms that may not import the driver."""

READER_ROLE: Final = "leadwire_reader"
AUDITOR_ROLE: Final = "leadwire_auditor"

_AUDITOR_POOL: Final = 2
"""One that writes, and one for /ready to ask while it does."""

_OPEN_TIMEOUT_S: Final = 10.0
_CONNECTION_TIMEOUT_S: Final = 5.0
_STATEMENT_TIMEOUT_MS: Final = 60_000
_IDLE_TIMEOUT_MS: Final = 30_000
"""A process that hangs in a transaction loses it and its locks: all who write to the audit log wait for one."""
_REMEDY: Final = "see that PostgreSQL runs and DATABASE_URL is right (leadwire doctor), then try again"


class Database:
    """A pool of at most `pool_size` connections; connects on `open()`, and again by itself after an outage.

    With `role` every connection acts as that role, with `read_only` it refuses to write. Times come back in UTC.
    """

    def __init__(self, url: str, *, pool_size: int, role: str | None = None, read_only: bool = False) -> None:
        self._url = url
        self._pool_size = pool_size
        self._role = role
        self._read_only = read_only
        self._pool: AsyncConnectionPool[AsyncConnection] | None = None

    async def open(self) -> None:
        """Connect. Raises Busy when the server can't be reached within 10 s."""
        pool = AsyncConnectionPool(
            self._url,
            min_size=1,
            max_size=self._pool_size,
            timeout=_CONNECTION_TIMEOUT_S,
            configure=self._configure,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        try:
            await pool.open(wait=True, timeout=_OPEN_TIMEOUT_S)
        except OperationalError as error:
            raise Busy(f"the database does not answer ({_first_line(error)}); {_REMEDY}") from error
        self._pool = pool

    async def close(self) -> None:
        """Give all connections back. Closing twice, or what was never open, does nothing."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Of the side that only reads, each statement is one by itself: BEGIN and COMMIT would be two of the questions
        that a short answer costs the server.

        Raises Busy for what passes by itself: the server away or going down, no connection free for 5 s, a deadlock,
        a statement over 60 s (all OperationalError in psycopg), a former primary that came back as a standby. After
        Busy it is not known whether the commit arrived, so what is written must be safe to write again.
        """
        if self._pool is None:
            raise RuntimeError("the database is not open; await Database.open() first")
        try:
            # Begun at once: a transaction() inside an idle connection would be the outermost one, and commit.
            async with self._pool.connection() as conn, nullcontext() if self._read_only else conn.transaction():
                yield conn
        except ReadOnlySqlTransaction as error:
            if self._read_only:
                raise
            raise Busy(f"the database has become a standby; {_REMEDY}") from error
        except OperationalError as error:
            raise Busy(f"the database can't serve this now ({_first_line(error)}); {_REMEDY}") from error

    @asynccontextmanager
    async def unbound(self) -> AsyncIterator[AsyncConnection]:
        """A connection in no transaction: each statement, or each `conn.transaction()`, is one by itself.

        Raises Busy as transaction() does.
        """
        if self._pool is None:
            raise RuntimeError("the database is not open; await Database.open() first")
        try:
            async with self._pool.connection() as conn:
                await conn.set_autocommit(True)
                yield conn
                await conn.set_autocommit(self._read_only)
        except OperationalError as error:
            raise Busy(f"the database can't serve this now ({_first_line(error)}); {_REMEDY}") from error

    async def ping(self) -> None:
        """Raise Busy unless the server answers a query."""
        async with self.transaction() as conn:
            await conn.execute("SELECT 1")

    async def _configure(self, conn: AsyncConnection) -> None:
        # A few SETs, not the URL's `options`: poolers and small servers ignore those.
        await conn.execute("SET TIME ZONE 'UTC'")
        await conn.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(_STATEMENT_TIMEOUT_MS)))
        await conn.execute(
            sql.SQL("SET idle_in_transaction_session_timeout = {}").format(sql.Literal(_IDLE_TIMEOUT_MS))
        )
        if self._read_only:
            await conn.execute("SET default_transaction_read_only = on")
            await conn.execute("SET max_parallel_workers_per_gather = 0")  # many ask at once; none gets all the cores
        if self._role is not None:
            await conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
        await conn.commit()
        await conn.set_autocommit(self._read_only)


def writer(settings: DatabaseSettings) -> Database:
    """The side that writes: ingest, processors, commands."""
    return Database(settings.url, pool_size=settings.pool_size + settings.max_overflow)


def reader(settings: DatabaseSettings) -> Database:
    """The side that reads: its role can only SELECT, whether it logs in as that role or steps down to it."""
    pool_size = settings.pool_size + settings.max_overflow
    if settings.reader_url is not None:
        return Database(settings.reader_url, pool_size=pool_size, read_only=True)
    return Database(settings.url, pool_size=pool_size, role=READER_ROLE, read_only=True)


def auditor(settings: DatabaseSettings) -> Database:
    """The api's second way in: its role can append who read what to the audit log, and can read and write nothing.

    Raises Misconfigured when the reader logs in as itself and no login is set for this one.
    """
    if settings.auditor_url is not None:
        return Database(settings.auditor_url, pool_size=_AUDITOR_POOL)
    if settings.reader_url is not None:
        raise Misconfigured(
            "LEADWIRE_READER_DATABASE_URL is set and LEADWIRE_AUDITOR_DATABASE_URL is not, so nobody could note who "
            "reads what; set it to the role leadwire_auditor, whose password `leadwire migrate` sets from "
            "LEADWIRE_AUDITOR_PASSWORD"
        )
    return Database(settings.url, pool_size=_AUDITOR_POOL, role=AUDITOR_ROLE)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
