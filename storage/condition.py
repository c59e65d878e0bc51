"""Condition: what the database tells of itself and of what waits in it, for `leadwire doctor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from psycopg import AsyncConnection, sql

from storage.rows import fetch_all

Row = TypeVar("Row")

LARGEST: Final = 5


@dataclass(frozen=True, slots=True)
class Server:
    """The server, its clock, and how many of its connections are taken."""

    version: str
    timescale: str | None
    timescale_there: str | None
    is_standby: bool
    at: datetime
    bytes: int
    connections: int
    max_connections: int


@dataclass(frozen=True, slots=True)
class Job:
    """A background policy of TimescaleDB; `succeeded_at` is None until it did once."""

    job_id: int
    name: str
    table: str | None
    every: timedelta
    status: str | None
    failures: int
    runs: int
    succeeded_at: datetime | None
    next_at: datetime | None
    error: str | None
    is_refresh: bool


@dataclass(frozen=True, slots=True)
class Chunks:
    """Of a hypertable that compresses: chunks whose time for it is over, and the oldest of them."""

    table: str
    waiting: int
    oldest_end: datetime | None


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with its indexes, of a hypertable with all chunks."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Standby:
    """A server that follows this one."""

    name: str
    state: str
    lag_bytes: int | None


@dataclass(frozen=True, slots=True)
class LogArchive:
    """PostgreSQL's own archiving of its log."""

    mode: str
    archived_at: datetime | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many of something, the oldest since `since`."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """When the last backup was made, and since when there is anything to keep."""

    backed_up_at: datetime | None
    begun_at: datetime


async def server(conn: AsyncConnection) -> Server:
    """The server as it is now."""
    query = sql.SQL("""
        SELECT
            current_setting('server_version') AS version,
            (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
            (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescale_there,
            pg_is_in_recovery() AS is_standby,
            clock_timestamp() AS at,
            pg_database_size(current_database()) AS bytes,
            (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::integer AS connections,
            current_setting('max_connections')::integer AS max_connections
    """)
    return await _only(conn, Server, query)


async def jobs(conn: AsyncConnection) -> list[Job]:
    """Every policy that is switched on; [] without TimescaleDB."""
    if not await _has(conn, "timescaledb_information.jobs"):
        return []
    query = sql.SQL("""
        SELECT
            j.job_id, j.proc_name AS name, coalesce(a.view_name, j.hypertable_name) AS table,
            j.schedule_interval AS every, s.last_run_status AS status,
            coalesce(s.total_failures, 0)::integer AS failures, coalesce(s.total_runs, 0)::integer AS runs,
            CASE WHEN isfinite(s.last_successful_finish) THEN s.last_successful_finish END AS succeeded_at,
            CASE WHEN isfinite(j.next_start) THEN j.next_start END AS next_at,
            (
                SELECT e.err_message
                FROM timescaledb_information.job_errors AS e
                WHERE e.job_id = j.job_id
                ORDER BY e.finish_time DESC
                LIMIT 1
            ) AS error,
            j.proc_name = 'policy_refresh_continuous_aggregate' AS is_refresh
        FROM timescaledb_information.jobs AS j
        LEFT JOIN timescaledb_information.job_stats AS s USING (job_id)
        LEFT JOIN timescaledb_information.continuous_aggregates AS a
            ON a.materialization_hypertable_name = j.hypertable_name
        WHERE j.scheduled AND j.job_id >= 1000
        ORDER BY j.job_id
    """)
    return await fetch_all(conn, Job, query, {})


async def chunks(conn: AsyncConnection) -> list[Chunks]:
    """Of each hypertable with a compression policy, the chunks that its last good run should have done and did not."""
    if not await _has(conn, "timescaledb_information.jobs"):
        return []
    query = sql.SQL("""
        SELECT c.hypertable_name AS table, count(*)::integer AS waiting, min(c.range_end) AS oldest_end
        FROM timescaledb_information.chunks AS c
        JOIN timescaledb_information.jobs AS j
            ON j.hypertable_name = c.hypertable_name AND j.proc_name = 'policy_compression' AND j.scheduled
        JOIN timescaledb_information.job_stats AS s ON s.job_id = j.job_id AND isfinite(s.last_successful_finish)
        WHERE NOT c.is_compressed
            AND c.range_end < s.last_successful_finish - (j.config->>'compress_after')::interval - interval '1 hour'
        GROUP BY 1
        ORDER BY 1
    """)
    return await fetch_all(conn, Chunks, query, {})


async def sizes(conn: AsyncConnection) -> list[TableSize]:
    """The largest tables, the largest first."""
    plain = "pg_total_relation_size(c.oid)"
    measured = plain
    if await _has(conn, "timescaledb_information.hypertables"):
        measured = f"coalesce(hypertable_size(c.oid::regclass), {plain})"
    query = sql.SQL("""
        SELECT c.relname AS name, {measured} AS bytes
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ORDER BY bytes DESC, name
        LIMIT {limit}
    """).format(measured=sql.SQL(measured), limit=sql.Literal(LARGEST))
    return await fetch_all(conn, TableSize, query, {})


async def standbys(conn: AsyncConnection) -> list[Standby]:
    """Who follows this server; what they lag is told to those only who may know it."""
    query = sql.SQL("""
        SELECT
            coalesce(application_name, 'one without a name') AS name, coalesce(state, 'unknown') AS state,
            pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS lag_bytes
        FROM pg_stat_replication
    """)
    return await fetch_all(conn, Standby, query, {})


async def log_archive(conn: AsyncConnection) -> LogArchive:
    """Whether PostgreSQL archives its log, and how that goes."""
    query = sql.SQL("""
        SELECT current_setting('archive_mode') AS mode, last_archived_time AS archived_at, last_failed_time AS failed_at
        FROM pg_stat_archiver
    """)
    return await _only(conn, LogArchive, query)


async def removals(conn: AsyncConnection) -> Waiting:
    """Objects whose row is gone and that the store has not let go of, though it was asked before."""
    return await _waiting(conn, "object_removals", "asked_at", "tries > 0")


async def reports_to_write(conn: AsyncConnection) -> Waiting:
    """Reports that workers have still to write."""
    return await _waiting(conn, "ecg_reports", "created_at", "upload_status = 'pending' AND uploaded_by IS NULL")


async def uploads_begun(conn: AsyncConnection) -> Waiting:
    """Uploads whose file never came, of reports and of other files."""
    of_reports = await _waiting(
        conn,
        "ecg_reports",
        "created_at",
        "upload_status = 'pending' AND uploaded_by IS NOT NULL AND deleted_at IS NULL",
    )
    of_files = await _waiting(conn, "cloud_files", "created_at", "upload_status = 'pending' AND deleted_at IS NULL")
    since = min((each.since for each in (of_reports, of_files) if each.since is not None), default=None)
    return Waiting(of_reports.count + of_files.count, since)


async def kept(conn: AsyncConnection) -> Kept:
    """The last backup."""
    query = sql.SQL("""
        SELECT
            (SELECT max(at) FROM audit_log WHERE action = 'backup.make') AS backed_up_at,
            (SELECT min(applied_at) FROM schema_migrations) AS begun_at
    """)
    return await _only(conn, Kept, query)


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive's newest verified hour, the oldest hour that waits, and devices that are held back with why."""

    newest_hour: datetime | None
    oldest_waiting: datetime | None
    held: int
    held_why: str | None


async def archive(conn: AsyncConnection) -> Archive | None:
    """How far the archive is; None where there is none."""
    if not await _has(conn, "public.archive_progress"):
        return None
    query = sql.SQL("""
        SELECT
            (SELECT max(hour_at) FROM archived_records) AS newest_hour,
            (
                SELECT min(next_at)
                FROM archive_progress
                WHERE isfinite(next_at) AND next_at > '1900-01-02' -- before: nothing of this device yet
            ) AS oldest_waiting,
            (SELECT count(*) FROM archive_progress WHERE held_until > now())::integer AS held,
            (SELECT min(held_why) FROM archive_progress WHERE held_until > now()) AS held_why
    """)
    return await _only(conn, Archive, query)


async def _waiting(conn: AsyncConnection, table: str, since: str, condition: str) -> Waiting:
    query = sql.SQL("SELECT count(*)::integer AS count, min({since}) AS since FROM {table} WHERE {condition}").format(
        since=sql.Identifier(since), table=sql.Identifier(table), condition=sql.SQL(condition)
    )
    return await _only(conn, Waiting, query)


async def _only(conn: AsyncConnection, kind: Callable[..., Row], query: sql.SQL | sql.Composed) -> Row:
    [row] = await fetch_all(conn, kind, query, {})
    return row


async def _has(conn: AsyncConnection, relation: str) -> bool:
    cursor = await conn.execute("SELECT to_regclass(%s) IS NOT NULL", [relation])
    return await cursor.fetchone() == (True,)
