"""Live: the devices that were heard of just now, each with its patient and newest figures, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection, sql

from storage.access import Access
from storage.metrics import NEWEST
from storage.rows import fetch_all


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


async def live_devices(conn: AsyncConnection, access: Access, since: datetime) -> list[LiveDevice]:
    """Active devices with metrics, or heard of, at `since` or later; by patient. Figures are their owner's only."""
    query = sql.SQL("""
        SELECT
            d.device_id, d.device_name, d.device_serial, d.last_seen,
            d.user_id, coalesce(u.full_name, u.username) AS patient_name,
            m.recording_id, m.recorded_at, m.heart_rate, m.arrhythmia_type,
            m.arrhythmia_confidence::float8 AS arrhythmia_confidence, m.quality
        FROM devices AS d
        LEFT JOIN users AS u ON u.user_id = d.user_id
        LEFT JOIN LATERAL ({newest}
        ) AS m ON true
        WHERE {scope} AND d.is_active AND (m.recorded_at IS NOT NULL OR d.last_seen >= %(since)s)
        ORDER BY lower(coalesce(u.full_name, u.username)), d.registered_at, d.device_id
    """).format(newest=NEWEST, scope=access.clause("d.user_id"))
    return await fetch_all(conn, LiveDevice, query, {**access.params, "since": since})
