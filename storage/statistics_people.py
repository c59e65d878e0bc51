"""Statistics of a period: users and reports that came to be in each hour or day."""

from __future__ import annotations

from psycopg import AsyncConnection, sql

from schemas.statistics import ReportPoint, Share, UserPoint
from storage.rows import fetch_all
from storage.statistics_activity import Span


async def user_points(conn: AsyncConnection, span: Span) -> list[UserPoint]:
    """Buckets in which somebody came, logged in or recorded, in order; `logins` counts sessions that were opened."""
    query = sql.SQL("""
        SELECT
            at,
            coalesce(come.new_users, 0) AS new_users,
            coalesce(opened.logins, 0) AS logins,
            coalesce(used.active_users, 0) AS active_users
        FROM (
            SELECT t.bucket AS at, t.users AS active_users
            FROM {fleet} AS t
        ) AS used
        FULL JOIN (
            SELECT {created} AS at, count(*) AS new_users
            FROM users AS u
            WHERE u.created_at >= %(start)s AND u.created_at < %(end)s
            GROUP BY 1
        ) AS come USING (at)
        FULL JOIN (
            SELECT {opened} AS at, count(*) AS logins
            FROM user_sessions AS s
            WHERE s.created_at >= %(start)s AND s.created_at < %(end)s
            GROUP BY 1
        ) AS opened USING (at)
        ORDER BY at
    """).format(fleet=await span.fleet(conn), created=span.bucket("u.created_at"), opened=span.bucket("s.created_at"))
    return await fetch_all(conn, UserPoint, query, span.params)


async def report_points(conn: AsyncConnection, span: Span) -> list[ReportPoint]:
    """Buckets with reports, in order, each report in the one it was asked for in."""
    query = sql.SQL("""
        SELECT
            {bucket} AS at,
            count(*) AS reports,
            count(*) FILTER (WHERE p.upload_status = 'uploaded') AS uploaded,
            count(*) FILTER (WHERE p.upload_status = 'failed') AS failed,
            coalesce(sum(p.file_size) FILTER (WHERE p.upload_status = 'uploaded'), 0)::bigint AS bytes
        FROM ecg_reports AS p
        WHERE p.created_at >= %(start)s AND p.created_at < %(end)s AND p.deleted_at IS NULL
        GROUP BY 1
        ORDER BY 1
    """).format(bucket=span.bucket("p.created_at"))
    return await fetch_all(conn, ReportPoint, query, span.params)


async def reports_by(conn: AsyncConnection, span: Span, column: str) -> list[Share]:
    """The period's reports by `upload_status` or `cloud_service`, the largest share first."""
    query = sql.SQL("""
        SELECT {column} AS name, count(*) AS count
        FROM ecg_reports AS p
        WHERE p.created_at >= %(start)s AND p.created_at < %(end)s AND p.deleted_at IS NULL
        GROUP BY {column}
        ORDER BY count DESC, name
    """).format(column=sql.Identifier("p", column))
    return await fetch_all(conn, Share, query, span.params)
