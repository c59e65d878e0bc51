"""The newest second of each device, which tells who is live and how they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.pages import PageRequest
from storage import pages
from storage.access import Access
from storage.devices import BY_REGISTRATION
from storage.metrics import LATE_LEADS, OWN_COLUMNS
from storage.metrics_rows import MetricsRow, metrics_row
from storage.pages import Listing, Slice
from storage.rows import given, where

NEWEST: Final = sql.SQL("""
            SELECT *
            FROM (
                (
                    SELECT *
                    FROM ecg_metrics AS n
                    WHERE n.device_id = d.device_id
                        AND n.user_id IS NOT DISTINCT FROM d.user_id
                        AND n.recorded_at >= coalesce(%(since)s::timestamptz, '-infinity')
                    ORDER BY n.recorded_at DESC
                    LIMIT 1
                )
                UNION ALL
                SELECT *
                FROM ecg_metrics_latest AS n
                WHERE n.device_id = d.device_id
                    AND n.user_id IS NOT DISTINCT FROM d.user_id
                    AND n.recorded_at >= coalesce(%(since)s::timestamptz, '-infinity')
            ) AS either
            ORDER BY recorded_at DESC
            LIMIT 1""")
"""The newest second of a device `d` that is its owner's to see, kept or not; for a LATERAL join."""

HAS_NEWER: Final = sql.SQL("""(
    EXISTS (SELECT FROM ecg_metrics AS n WHERE n.device_id = d.device_id AND n.recorded_at >= %(since)s)
    OR EXISTS (SELECT FROM ecg_metrics_latest AS n WHERE n.device_id = d.device_id AND n.recorded_at >= %(since)s)
)""")
"""Whether a device `d` has anything since then, its owner's or not: sorts out 5,000 silent ones in 4 ms."""

_NEWEST_OF_EACH: Final = sql.SQL("devices AS d CROSS JOIN LATERAL ({newest}) AS m").format(newest=NEWEST)


@dataclass(frozen=True, slots=True)
class LatestFilter:
    """Which devices' newest metrics; None asks for all. None older than `since`; of deleted devices only if asked."""

    user_id: UUID | None = None
    device_id: UUID | None = None
    since: datetime | None = None
    deleted: bool = False


async def latest_page(
    conn: AsyncConnection, access: Access, wanted: LatestFilter, page: PageRequest
) -> Slice[MetricsRow]:
    """The newest metrics of each device that is the caller's to see now, newest first on each page.

    Pages go by the order in which devices were registered: by age they would never hold still while metrics come in.
    """
    listing = Listing(
        columns=OWN_COLUMNS,
        source=_NEWEST_OF_EACH,
        where=where(
            access.clause("d.user_id"),
            None if wanted.deleted else sql.SQL("d.deleted_at IS NULL"),
            given(wanted.user_id, "d.user_id = %(user_id)s"),
            given(wanted.device_id, "d.device_id = %(device_id)s"),
            None if wanted.since is None else HAS_NEWER,
        ),
        order=BY_REGISTRATION,
        late=LATE_LEADS,
    )
    found = await pages.fetch_slice(conn, metrics_row, listing, page, {**access.params, **asdict(wanted)})
    return Slice(sorted(found.items, key=lambda row: row.recorded_at, reverse=True), found.next)
