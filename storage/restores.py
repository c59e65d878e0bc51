"""Restores: an empty database made ready for a backup, marked until all of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection, sql

from schemas.errors import Misconfigured
from schemas.settings_store import DatabaseSettings
from storage import backups
from storage.database import AUDITOR_ROLE, READER_ROLE
from storage.migrate import set_password

_MARK: Final = "leadwire_restore"
"""A schema that is there from a restore's beginning to its end: what it stands beside is not whole."""

_ROLE: Final = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
        CREATE ROLE {role} LOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is to go: `unfinished` names the backup of which a restore was begun here and not ended."""

    server: int
    has_tables: bool
    unfinished: str | None
    timescale: list[str]


async def look_at(conn: AsyncConnection) -> Target:
    """What is there now."""
    return Target(
        server=await backups.server_major(conn),
        has_tables=await backups.has_tables(conn),
        unfinished=await unfinished(conn),
        timescale=await backups.timescale_versions(conn),
    )


async def unfinished(conn: AsyncConnection) -> str | None:
    """The backup of which a restore was begun here and not ended."""
    cursor = await conn.execute("SELECT to_regclass('leadwire_restore.backup') IS NOT NULL")
    if await cursor.fetchone() != (True,):
        return None
    row = await (await conn.execute("SELECT backup_id FROM leadwire_restore.backup")).fetchone()
    return str(row[0]) if row else None


async def begin(conn: AsyncConnection, backup_id: str) -> None:
    """Mark the database as one that is being restored, in one step."""
    async with conn.transaction():
        await conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_MARK)))
        await conn.execute("CREATE TABLE leadwire_restore.backup AS SELECT %s::text AS backup_id", [backup_id])


async def clear(conn: AsyncConnection) -> None:
    """Take away what an unfinished restore has left, and last its mark. Connect anew afterwards.

    Raises Misconfigured when it is not marked as one: nothing else is ever cleared.
    """
    if await unfinished(conn) is None:
        raise Misconfigured("this database is not marked as one that is being restored; drop it yourself if it is")
    name = sql.Identifier(conn.info.dbname)
    await conn.execute(sql.SQL("ALTER DATABASE {} RESET timescaledb.restoring").format(name))
    await conn.execute("DROP EXTENSION IF EXISTS timescaledb CASCADE")
    await conn.execute("DROP SCHEMA public CASCADE")
    await conn.execute("CREATE SCHEMA public")
    await conn.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    await conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_MARK)))


async def make_roles(conn: AsyncConnection) -> None:
    """The roles that a backup's rights are given to; one that is there stays as it is."""
    for role in (READER_ROLE, AUDITOR_ROLE):
        make = sql.SQL(_ROLE).format(name=sql.Literal(role), role=sql.Identifier(role))
        await conn.execute(make)
        cursor = await conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if await cursor.fetchone() != (True,):  # a superuser may SET ROLE to anyone
            await conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


async def begin_timescale(conn: AsyncConnection, version: str) -> None:
    """Install that version of TimescaleDB and let it stand still: no jobs, no triggers, until `end_timescale`."""
    await conn.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(version)))
    await conn.execute("SELECT timescaledb_pre_restore()")


async def end_timescale(conn: AsyncConnection) -> None:
    """TimescaleDB works again."""
    await conn.execute("SELECT timescaledb_post_restore()")


async def settle(conn: AsyncConnection, settings: DatabaseSettings) -> None:
    """What a dump leaves out: rights to later tables, the roles' passwords, the planner's knowledge."""
    await conn.execute(
        sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {}").format(
            sql.Identifier(READER_ROLE)
        )
    )
    await conn.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(READER_ROLE)))
    await set_password(conn, READER_ROLE, settings.reader_password)
    await set_password(conn, AUDITOR_ROLE, settings.auditor_password)
    await conn.execute("ANALYZE")


async def finish(conn: AsyncConnection) -> None:
    """The mark goes: all is there."""
    await conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_MARK)))
