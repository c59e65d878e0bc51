"""Retention on a plain PostgreSQL: rows that are older than their table is kept are deleted, a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection, sql

from schemas import history
from schemas.settings_store import DatabaseSettings
from storage.dialects import is_plain

_TIME_BY_TABLE: Final = {
    "ecg_waveforms": "started_at",
    "ecg_beats": "beat_at",
    "ecg_rhythms": "started_at",
    "ecg_metrics": "recorded_at",
    "ecg_hrv": "stretch_start",
}
_BATCH: Final = 10_000
"""Rows of one statement: some tenths of a second, in which nobody waits long for a lock."""


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows of a table were deleted; `is_done` is false while some are left that are too old."""

    table: str
    rows: int
    is_done: bool


async def expire(
    conn: AsyncConnection,
    settings: DatabaseSettings,
    at: datetime,
    *,
    archives: bool,
    batches: int = 100,
    rows: int = _BATCH,
) -> list[Expired]:
    """Delete what was too old at the moment `at`, of each table at most `batches` times `rows` rows.

    `conn` is in no transaction; each batch is one, so what was deleted stays deleted when the next one fails. Calling
    it again goes on. With TimescaleDB it does nothing, since there chunks are dropped by a policy; and if it `archives`
    it leaves `ecg_waveforms` alone.
    """
    if not await is_plain(conn):
        return []
    kept = settings.kept(archives=archives)
    return [
        await _expire_table(conn, table.name, at - retention, batches, rows)
        for table in history.TABLES
        if (retention := kept[table.name].retention) is not None
    ]


async def _expire_table(conn: AsyncConnection, table: str, before: datetime, batches: int, rows: int) -> Expired:
    gone = 0
    for _ in range(batches):
        found = await _delete(conn, table, before, rows)
        gone += found
        if found < rows:
            return Expired(table, gone, is_done=True)
    return Expired(table, gone, is_done=False)


async def _delete(conn: AsyncConnection, table: str, before: datetime, rows: int) -> int:
    """A row that somebody is writing just now is left to the next time."""
    query = sql.SQL("""
        DELETE FROM {table}
        WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE {time} < %(before)s LIMIT %(rows)s FOR UPDATE SKIP LOCKED
        ))
    """).format(table=sql.Identifier(table), time=sql.Identifier(_TIME_BY_TABLE[table]))
    async with conn.transaction():
        cursor = await conn.execute(query, {"before": before, "rows": rows})
    return cursor.rowcount
