"""Statistics of now: users, devices and reports, counted from their own tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection, sql

from schemas.statistics import DeviceStatistics, ReportStatistics, Share, UserStatistics
from storage.rows import fetch_all

LIVE_S: Final = 60
"""A device heard of within so many seconds is live."""


@dataclass(frozen=True, slots=True)
class _ReportKind:
    """Reports of one status and one service."""

    status: str
    service: str | None
    total: int
    new_1d: int
    new_7d: int
    new_30d: int
    bytes: int


def _moments(at: datetime) -> dict[str, object]:
    days = {f"day_{n}": at - timedelta(days=n) for n in (1, 7, 30)}
    return {"now": at, "live": at - timedelta(seconds=LIVE_S), **days}


async def user_statistics(conn: AsyncConnection, at: datetime) -> UserStatistics:
    """Of the moment `at`."""
    query = sql.SQL("""
        SELECT
            count(*) FILTER (WHERE u.deleted_at IS NULL) AS total,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.is_active) AS active,
            count(*) FILTER (WHERE u.deleted_at IS NOT NULL) AS deleted,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.created_at > %(day_1)s) AS new_1d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.created_at > %(day_7)s) AS new_7d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.created_at > %(day_30)s) AS new_30d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.last_login > %(day_1)s) AS logged_in_1d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.last_login > %(day_7)s) AS logged_in_7d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.last_login > %(day_30)s) AS logged_in_30d,
            count(*) FILTER (WHERE u.deleted_at IS NULL AND u.last_login IS NULL) AS never_logged_in,
            (SELECT count(*) FROM user_sessions WHERE closed_at IS NULL AND expires_at > %(now)s) AS open_sessions,
            (SELECT count(DISTINCT patient_id) FROM care_assignments WHERE ended_at IS NULL) AS patients_in_care
        FROM users AS u
    """)
    roles = await _shares(conn, "users", "role", "deleted_at IS NULL")

    def made(**counts: int) -> UserStatistics:
        return UserStatistics(by_role=roles, **counts)

    [row] = await fetch_all(conn, made, query, _moments(at))
    return row


async def device_statistics(conn: AsyncConnection, at: datetime) -> DeviceStatistics:
    """Of the moment `at`."""
    query = sql.SQL("""
        SELECT
            count(*) FILTER (WHERE d.deleted_at IS NULL) AS total,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.is_active) AS active,
            count(*) FILTER (WHERE d.deleted_at IS NOT NULL) AS deleted,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.last_seen > %(live)s) AS live,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.last_seen > %(day_1)s) AS seen_1d,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.last_seen > %(day_7)s) AS seen_7d,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.last_seen IS NULL) AS never_seen,
            count(*) FILTER (WHERE d.deleted_at IS NULL AND d.user_id IS NULL) AS without_owner
        FROM devices AS d
    """)
    types = await _shares(conn, "devices", "device_type", "deleted_at IS NULL")

    def made(**counts: int) -> DeviceStatistics:
        return DeviceStatistics(by_type=types, **counts)

    [row] = await fetch_all(conn, made, query, _moments(at))
    return row


async def report_statistics(conn: AsyncConnection, at: datetime) -> ReportStatistics:
    """Of the moment `at`; one pass over an index that holds all it needs, and never over the reports."""
    query = sql.SQL("""
        SELECT
            p.upload_status AS status,
            p.cloud_service AS service,
            count(*) AS total,
            count(*) FILTER (WHERE p.created_at > %(day_1)s) AS new_1d,
            count(*) FILTER (WHERE p.created_at > %(day_7)s) AS new_7d,
            count(*) FILTER (WHERE p.created_at > %(day_30)s) AS new_30d,
            coalesce(sum(p.file_size), 0)::bigint AS bytes
        FROM ecg_reports AS p
        WHERE p.deleted_at IS NULL
        GROUP BY p.upload_status, p.cloud_service
    """)
    kinds = await fetch_all(conn, _ReportKind, query, _moments(at))
    uploaded = [kind for kind in kinds if kind.status == "uploaded"]
    return ReportStatistics(
        total=sum(kind.total for kind in kinds),
        new_1d=sum(kind.new_1d for kind in kinds),
        new_7d=sum(kind.new_7d for kind in kinds),
        new_30d=sum(kind.new_30d for kind in kinds),
        bytes=sum(kind.bytes for kind in uploaded),
        by_status=_added((kind.status, kind.total) for kind in kinds),
        by_service=_added((kind.service, kind.total) for kind in uploaded),
    )


def _added(counts: Iterable[tuple[str | None, int]]) -> list[Share]:
    """The largest first, then by name; what has none comes last."""
    totals: Counter[str | None] = Counter()
    for name, count in counts:
        totals[name] += count
    return [
        Share(*each) for each in sorted(totals.items(), key=lambda each: (-each[1], each[0] is None, each[0] or ""))
    ]


async def _shares(conn: AsyncConnection, table: str, column: str, wanted: str) -> list[Share]:
    """The largest first."""
    query = sql.SQL("""
        SELECT {column} AS name, count(*) AS count
        FROM {table}
        WHERE {wanted}
        GROUP BY {column}
        ORDER BY count DESC, name
    """).format(column=sql.Identifier(column), table=sql.Identifier(table), wanted=sql.SQL(wanted))
    return await fetch_all(conn, Share, query, {})
