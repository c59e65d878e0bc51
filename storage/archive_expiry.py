"""Expiry: hot rows leave the database when what the archive holds was checked to be the same, and not before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, Rollback, sql
from psycopg.errors import UndefinedTable

from storage import archive_index
from storage.archive import Moved, archive_hours, unhurried
from storage.archive_hours import Hour, current_state, delete_hot, hour_of_recording
from storage.database import Database
from storage.objects import Objects
from storage.rows import fetch_all

BATCH: Final = 500
"""Hours of recordings that one look finds."""

_LOCK_TIMEOUT: Final = "5s"


@dataclass(frozen=True, slots=True)
class OldHour:
    """An hour of a recording of which rows are in the database still."""

    device_id: UUID
    recording_id: UUID
    hour_at: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """What became of an hour: its rows went, or it was archived (anew) first; neither when another is at work on it."""

    rows: int = 0
    moved: Moved | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of ecg_waveforms, by the moments at which its stretches began."""

    schema: str
    name: str
    start: datetime
    end: datetime

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


async def has_chunks(database: Database) -> bool:
    """Whether ecg_waveforms is a hypertable, whose chunks go as a whole."""
    async with database.transaction() as conn:
        cursor = await conn.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')")
        return (await cursor.fetchone()) == (True,)


async def old_hours(
    database: Database, now: datetime, before: datetime, since: datetime | None = None, limit: int = BATCH
) -> list[OldHour]:
    """Hours with rows that began before that moment, and not before `since`.

    Neither of devices that are held at the moment `now`, nor of rows whose recording is not there.
    """
    query = sql.SQL("""
        SELECT DISTINCT r.device_id, r.recording_id, date_trunc('hour', w.started_at) AS hour_at
        FROM ecg_waveforms AS w
        JOIN recordings AS r ON r.recording_id = w.recording_id AND r.device_id = w.device_id
        WHERE w.started_at < %(before)s
            AND w.started_at >= %(since)s
            AND NOT EXISTS (
                SELECT FROM archive_progress AS p WHERE p.device_id = r.device_id AND p.held_until > %(now)s
            )
        LIMIT %(limit)s
    """)
    params = {
        "now": now,
        "before": before,
        "since": since or datetime.min.replace(year=1900, tzinfo=before.tzinfo),
        "limit": limit,
    }
    async with database.transaction() as conn:
        return await fetch_all(conn, OldHour, query, params)


async def expire_hour(database: Database, store: Objects, old: OldHour, now: datetime) -> Expired:
    """Delete an hour's rows if they are archived as they are; else archive them first, and they go the next time.

    Raises Busy.
    """
    async with database.transaction() as conn:
        await unhurried(conn)
        hour = await hour_of_recording(conn, old.recording_id, old.hour_at)
        if hour is None or not await archive_index.claim_device(conn, old.device_id, now):
            return Expired()
        if not await _is_archived(conn, hour):
            return Expired(moved=await archive_hours(conn, store, old.device_id, old.hour_at, [hour], now))
        known = await archive_index.archived_hour(conn, old.recording_id, old.hour_at)
        async with conn.transaction() as deleting:
            gone = await delete_hot(conn, hour)
            if known is None or known.hot.digest != gone.digest:
                raise Rollback(deleting)  # a row came since the look above: it is in no archive yet
            await archive_index.mark_expired(conn, old.recording_id, old.hour_at, now)
            return Expired(rows=gone.rows)
    return Expired()


async def archive_again(database: Database, store: Objects, old: OldHour, now: datetime) -> Moved | None:
    """Archive an hour as its rows are now; None when another is at work on its device. Raises Busy."""
    async with database.transaction() as conn:
        await unhurried(conn)
        hour = await hour_of_recording(conn, old.recording_id, old.hour_at)
        if hour is None or not await archive_index.claim_device(conn, old.device_id, now):
            return None
        return await archive_hours(conn, store, old.device_id, old.hour_at, [hour], now)


async def _is_archived(conn: AsyncConnection, hour: Hour) -> bool:
    known = await archive_index.archived_hour(conn, hour.recording.recording_id, hour.hour_at)
    return known is not None and known.hot.digest == (await current_state(conn, hour)).digest


async def old_chunks(database: Database, before: datetime) -> list[Chunk]:
    """Chunks of ecg_waveforms that end at that moment or earlier, the oldest first."""
    query = sql.SQL("""
        SELECT c.chunk_schema AS schema, c.chunk_name AS name, c.range_start AS start, c.range_end AS end
        FROM timescaledb_information.chunks AS c
        WHERE c.hypertable_schema = 'public' AND c.hypertable_name = 'ecg_waveforms' AND c.range_end <= %(before)s
        ORDER BY c.range_start
    """)
    async with database.transaction() as conn:
        return await fetch_all(conn, Chunk, query, {"before": before})


async def unarchived_hours(database: Database, now: datetime, chunk: Chunk) -> list[OldHour]:
    """Hours of the chunk whose rows are not archived as they are now; every row of it is read."""
    left = []
    for old in await old_hours(database, now, chunk.end, chunk.start, limit=10_000_000):
        async with database.transaction() as conn:
            hour = await hour_of_recording(conn, old.recording_id, old.hour_at)
            if hour is not None and not await _is_archived(conn, hour):
                left.append(old)
    return left


async def drop_chunk(database: Database, chunk: Chunk, now: datetime) -> int:
    """Drop a chunk of which `unarchived_hours` has just found none; how many rows went, 0 when some came meanwhile.

    Writers to this chunk wait while its rows are counted: what is there once never changes, it only grows, so equal
    counts of rows and samples are equal rows. Raises Busy when the lock can't be had within seconds.
    """
    try:
        return await _drop_chunk(database, chunk, now)
    except UndefinedTable:  # another process was quicker
        return 0


async def _drop_chunk(database: Database, chunk: Chunk, now: datetime) -> int:
    async with database.transaction() as conn:
        await unhurried(conn)
        await conn.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
        await conn.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(chunk.identifier))
        rows = await _rows_as_archived(conn, chunk)
        if rows is None:
            return 0
        await conn.execute(
            """
            UPDATE archived_records
            SET state = 'expired', expired_at = %(now)s
            WHERE hour_at >= %(start)s AND hour_at < %(end)s AND state = 'verified'
            """,
            {"now": now, "start": chunk.start, "end": chunk.end},
        )
        await conn.execute(
            "SELECT drop_chunks('ecg_waveforms', older_than => %s::timestamptz, newer_than => %s::timestamptz)",
            [chunk.end, chunk.start],
        )
        return rows


async def _rows_as_archived(conn: AsyncConnection, chunk: Chunk) -> int | None:
    """The chunk's rows when every hour of it is archived by the same counts; else None."""
    query = sql.SQL("""
        SELECT
            coalesce(sum(h.rows), 0)::bigint,
            count(*) FILTER (WHERE (h.rows, h.samples) IS DISTINCT FROM (a.hot_rows, a.hot_samples))
        FROM (
            SELECT
                w.recording_id, date_trunc('hour', w.started_at) AS hour_at, count(*) AS rows,
                sum(w.sample_count) AS samples
            FROM {} AS w
            WHERE EXISTS (SELECT FROM recordings AS r WHERE r.recording_id = w.recording_id)
            GROUP BY 1, 2
        ) AS h
        LEFT JOIN archived_records AS a ON a.recording_id = h.recording_id AND a.hour_at = h.hour_at
    """).format(chunk.identifier)
    cursor = await conn.execute(query)
    row = await cursor.fetchone()
    if row is None or row[1]:
        return None
    return int(row[0])
