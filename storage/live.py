"""Live: the devices that were heard of just now, each with its patient and newest figures, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.pages import MAX_LIMIT, PageRequest
from storage import pages
from storage.access import Access
from storage.devices import BY_REGISTRATION
from storage.metrics_latest import HAS_NEWER, NEWEST
from storage.pages import Listing, Slice

_MOST: Final = PageRequest(limit=MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class LiveDevice:
    """A device, whose it is, and its newest second; figures are None until there is one, or where not measurable."""

    device_id: UUID
    device_name: str | None
    device_serial: str | None
    last_seen: datetime | None
    user_id: UUID | None
    patient_name: str | None
    recording_id: UUID | None
    recorded_at: datetime | None
    heart_rate: int | None
    arrhythmia_type: str | None
    arrhythmia_confidence: float | None
    quality: float | None


async def live_devices(
    conn: AsyncConnection, access: Access, since: datetime, page: PageRequest = _MOST
) -> Slice[LiveDevice]:
    """Active devices with metrics, or heard of, at `since` or later; by patient. Figures are their owner's only.

    Pages go by the order in which devices were registered, and each is sorted by patient.
    """
    listing = Listing(
        columns=_COLUMNS,
        source=_WITH_NEWEST,
        where=sql.SQL("""
            {scope} AND d.deleted_at IS NULL AND d.is_active
            AND (d.last_seen >= %(since)s OR {has_newer})
            AND (m.recorded_at IS NOT NULL OR d.last_seen >= %(since)s)
        """).format(scope=access.clause("d.user_id"), has_newer=HAS_NEWER),
        order=BY_REGISTRATION,
    )
    found = await pages.fetch_slice(conn, LiveDevice, listing, page, {**access.params, "since": since})
    return Slice(sorted(found.items, key=_by_patient), found.next)


_COLUMNS: Final = sql.SQL("""
    d.device_id, d.device_name, d.device_serial, d.last_seen,
    d.user_id, coalesce(u.full_name, u.username) AS patient_name,
    m.recording_id, m.recorded_at, m.heart_rate, m.arrhythmia_type,
    m.arrhythmia_confidence::float8 AS arrhythmia_confidence, m.quality""")

_WITH_NEWEST: Final = sql.SQL("""devices AS d
    LEFT JOIN users AS u ON u.user_id = d.user_id
    LEFT JOIN LATERAL ({newest}
    ) AS m ON true""").format(newest=NEWEST)


def _by_patient(found: LiveDevice) -> str:
    """Devices of nobody come last."""
    return "\U0010ffff" if found.patient_name is None else found.patient_name.lower()
