"""Bring the schema up to date: forward only, each step once, one process at a time."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from psycopg import AsyncConnection, OperationalError, errors, sql
from pydantic import SecretStr

from schemas.errors import Busy, Misconfigured
from schemas.logs import logger
from schemas.settings_store import DatabaseSettings
from storage.database import AUDITOR_ROLE, READER_ROLE
from storage.policies import apply_policies

_LOCK: Final = 0x6C656164  # any number that no other program locks: "lead"
_CONNECT_TIMEOUT_S: Final = 10

_LOG: Final = logger(__name__)

_CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: `name` is its file's name without .sql, `text` its statements."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What `migrate` did, the step the schema stands at now, and whether it is TimescaleDB's dialect."""

    applied: list[str]
    current: str
    timescale: bool


def migrations(*, timescale: bool) -> list[Migration]:
    """Every step in order; of a step written in two dialects, the one asked for."""
    other = ".plain.sql" if timescale else ".timescale.sql"
    folder = files("storage.migrations")
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".sql") and not f.name.endswith(other))
    return [Migration(name.removesuffix(".sql"), (folder / name).read_text("utf-8")) for name in names]


async def migrate(url: str, settings: DatabaseSettings, *, archives: bool = False) -> MigrationReport:
    """Apply every step not yet applied, each in its own transaction, then the policies of `settings`.

    `archives` says that an archive, and no age, decides when samples are dropped.

    The dialect is chosen by the first run and kept. Raises Busy when the server is away, Misconfigured when the
    role may not change the schema or an applied step's file was changed afterwards.
    """
    async with _locked(url) as conn:
        await _refuse_half_restored(conn)
        await conn.execute(_CREATE_LEDGER)
        timescale = await _choose_dialect(conn, url)
        steps = migrations(timescale=timescale)
        todo = not_applied(steps, await _ledger(conn))
        for step in todo:
            await _apply(conn, step)
        if timescale:
            await apply_policies(conn, settings, archives=archives)
        await set_password(conn, READER_ROLE, settings.reader_password)
        await set_password(conn, AUDITOR_ROLE, settings.auditor_password)
        return MigrationReport([step.name for step in todo], steps[-1].name, timescale)


async def _refuse_half_restored(conn: AsyncConnection) -> None:
    cursor = await conn.execute("SELECT to_regclass('leadwire_restore.backup') IS NOT NULL")
    if (await cursor.fetchone()) == (True,):
        raise Misconfigured("a restore into this database did not end; run the same `leadwire restore` again first")


async def pending(url: str) -> list[str]:
    """The names of steps not yet applied, [] when the schema is up to date. Changes nothing. Raises like `migrate`."""
    async with _connected(url) as conn:
        ledger = await _ledger(conn) if await _has_ledger(conn) else {}
        timescale = _kept_dialect(ledger)
        steps = migrations(timescale=await _has_timescale_package(conn) if timescale is None else timescale)
        return [step.name for step in not_applied(steps, ledger)]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    try:
        async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as conn:
            yield conn
    except OperationalError as error:
        raise Busy(f"the database does not answer ({error}); see that it runs and DATABASE_URL is right") from error
    except errors.InsufficientPrivilege as error:
        raise Misconfigured(
            f"the database refuses to migrate ({error}); run leadwire migrate with a DATABASE_URL whose role owns "
            "the schema and has CREATEROLE, after a superuser's CREATE EXTENSION timescaledb if the server has it"
        ) from error


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[AsyncConnection]:
    async with _connected(url) as conn:
        await conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            yield conn
        finally:
            if not conn.broken:
                await conn.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


async def _apply(conn: AsyncConnection, step: Migration) -> None:
    async with conn.transaction():
        await conn.execute(step.text.encode())
        await conn.execute("INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", [step.name, step.checksum])


def not_applied(steps: list[Migration], ledger: dict[str, str]) -> list[Migration]:
    """The steps that `ledger`, checksum by name, does not have. Raises Misconfigured for one that differs there."""
    for step in steps:
        if ledger.get(step.name, step.checksum) != step.checksum:
            raise Misconfigured(
                f"migration {step.name} was applied to this database with other contents; restore its file and put "
                "the change into a new step"
            )
    return [step for step in steps if step.name not in ledger]


async def _ledger(conn: AsyncConnection) -> dict[str, str]:
    cursor = await conn.execute("SELECT name, checksum FROM schema_migrations")
    return dict(await cursor.fetchall())


async def _has_ledger(conn: AsyncConnection) -> bool:
    cursor = await conn.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
    return (await cursor.fetchone()) == (True,)


def _kept_dialect(ledger: dict[str, str]) -> bool | None:
    if any(name.endswith(".timescale") for name in ledger):
        return True
    return False if any(name.endswith(".plain") for name in ledger) else None


async def _choose_dialect(conn: AsyncConnection, url: str) -> bool:
    kept = _kept_dialect(await _ledger(conn))
    if kept is not None:
        return kept
    return await _has_timescale_package(conn) and await _create_extension(url)


async def _has_timescale_package(conn: AsyncConnection) -> bool:
    cursor = await conn.execute("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')")
    return (await cursor.fetchone()) == (True,)


async def _create_extension(url: str) -> bool:
    """Whether TimescaleDB with the columnstore is here now.

    A server that has only its files, and didn't load the library when it started, refuses the extension or ends the
    connection that asks for it; so the question has a connection of its own, and such a server is a plain PostgreSQL to
    us.
    """
    try:
        async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as conn:
            await conn.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
            cursor = await conn.execute("SELECT current_setting('timescaledb.license', true) = 'timescale'")
            return (await cursor.fetchone()) == (True,)
    except (OperationalError, errors.InternalError_) as error:  # as the extension's version has it
        _LOG.warning("timescaledb_not_used", reason=str(error), remedy="add it to shared_preload_libraries")
        return False


async def set_password(conn: AsyncConnection, role: str, password: SecretStr | None) -> None:
    """Give a role the password that the settings name, if they name one."""
    if password is None:
        return
    secret = sql.Literal(password.get_secret_value())
    await conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), secret))
