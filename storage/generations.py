"""Generations: what of a person's data is current; every change gives another one, in its own transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection, sql

from storage.access import Access
from storage.rows import fetch_all


@dataclass(frozen=True, slots=True)
class Generation:
    """`account` is of profile, role and sessions, `reports` of the reports about this user."""

    user_id: UUID
    account: UUID
    reports: UUID


async def of_users(conn: AsyncConnection, user_ids: Collection[UUID]) -> dict[UUID, Generation]:
    """The generation of each of these users who exists."""
    query = sql.SQL("""
        SELECT g.user_id, g.account, g.reports
        FROM generations AS g
        WHERE g.user_id = ANY(%(user_ids)s)
    """)
    found = await fetch_all(conn, Generation, query, {"user_ids": list(user_ids)})
    return {generation.user_id: generation for generation in found}


async def of_reports(conn: AsyncConnection, access: Access) -> str:
    """One value for all reports that `access` may see: another one once any of them, or whom one sees, has changed."""
    query = sql.SQL("""
        SELECT coalesce(md5(string_agg(g.reports::text, ',' ORDER BY g.user_id)), 'none')
        FROM generations AS g
        WHERE {scope}
    """).format(scope=access.clause("g.user_id"))
    row = await (await conn.execute(query, access.params)).fetchone()
    return str(row[0]) if row else "none"
