"""Object removals: objects whose row is gone, each until the store has removed it."""

from __future__ import annotations

from datetime import datetime

from psycopg import AsyncConnection


async def add(conn: AsyncConnection, key: str) -> None:
    """Put an object down for removal, in the transaction that takes its row away."""
    await conn.execute("INSERT INTO object_removals (key) VALUES (%s) ON CONFLICT (key) DO NOTHING", [key])


async def add_of_deleted_report(conn: AsyncConnection, report_id: object) -> None:
    """Put the object of a report down for removal, if that report is deleted and has one."""
    await conn.execute(
        """
        INSERT INTO object_removals (key)
        SELECT file_path_s3
        FROM ecg_reports
        WHERE report_id = %s AND deleted_at IS NOT NULL AND file_path_s3 IS NOT NULL
        ON CONFLICT (key) DO NOTHING
        """,
        [report_id],
    )


async def take(conn: AsyncConnection, at: datetime, limit: int) -> list[str]:
    """Keys that are due at `at`, the oldest first; a key that was tried waits longer each time, an hour at most.

    They are locked until the transaction ends, so that two who sweep take different ones.
    """
    cursor = await conn.execute(
        """
        SELECT key
        FROM object_removals
        WHERE tried_at IS NULL OR tried_at + least(tries * tries, 60) * interval '1 minute' <= %(at)s
        ORDER BY asked_at
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
        """,
        {"at": at, "limit": limit},
    )
    return [key for (key,) in await cursor.fetchall()]


async def done(conn: AsyncConnection, key: str) -> None:
    """The object is gone."""
    await conn.execute("DELETE FROM object_removals WHERE key = %s", [key])


async def put_off(conn: AsyncConnection, key: str, at: datetime) -> None:
    """The store did not remove it at `at`."""
    await conn.execute("UPDATE object_removals SET tries = tries + 1, tried_at = %s WHERE key = %s", [at, key])
