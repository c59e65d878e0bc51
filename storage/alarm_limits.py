"""Alarm limits: what was set for a patient; nobody's row is the default."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.alarms import DEFAULT_LIMITS, AlarmLimits, PatientLimits
from storage import accounts
from storage.access import Access
from storage.rows import fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class _DeviceLimits:
    device_id: UUID
    low_bpm: int
    high_bpm: int
    delay_s: int
    off: list[str]


async def limits_of(conn: AsyncConnection, access: Access, user_id: UUID) -> PatientLimits:
    """The limits in force for a patient. Raises NotFound."""
    await accounts.user(conn, access, user_id)
    query = sql.SQL("""
        SELECT user_id, low_bpm, high_bpm, delay_s, off, false AS is_default, changed_at, changed_by
        FROM alarm_limits
        WHERE user_id = %(user_id)s
    """)
    found = await fetch_one(conn, PatientLimits, query, {"user_id": user_id})
    if found is not None:
        return found
    return PatientLimits(user_id, **asdict(DEFAULT_LIMITS), is_default=True, changed_at=None, changed_by=None)


async def by_device(conn: AsyncConnection) -> dict[UUID, AlarmLimits]:
    """What was set, by the devices of each patient."""
    query = sql.SQL("""
        SELECT d.device_id, l.low_bpm, l.high_bpm, l.delay_s, l.off
        FROM alarm_limits AS l
        JOIN devices AS d ON d.user_id = l.user_id
    """)
    rows = await fetch_all(conn, _DeviceLimits, query, {})
    return {row.device_id: AlarmLimits(row.low_bpm, row.high_bpm, row.delay_s, tuple(row.off)) for row in rows}


async def set_limits(
    conn: AsyncConnection, access: Access, user_id: UUID, limits: AlarmLimits, by: UUID, at: datetime
) -> PatientLimits:
    """Set a patient's limits. Raises NotFound."""
    await accounts.user(conn, access, user_id)
    query = """
        INSERT INTO alarm_limits (user_id, low_bpm, high_bpm, delay_s, off, changed_at, changed_by)
        VALUES (%(user_id)s, %(low_bpm)s, %(high_bpm)s, %(delay_s)s, %(off)s::text[], %(at)s, %(by)s)
        ON CONFLICT (user_id) DO UPDATE SET
            low_bpm = excluded.low_bpm,
            high_bpm = excluded.high_bpm,
            delay_s = excluded.delay_s,
            off = excluded.off,
            changed_at = excluded.changed_at,
            changed_by = excluded.changed_by
    """
    await conn.execute(query, {**asdict(limits), "off": list(limits.off), "user_id": user_id, "by": by, "at": at})
    return await limits_of(conn, access, user_id)


async def reset_limits(conn: AsyncConnection, access: Access, user_id: UUID) -> None:
    """Back to the default limits, whatever was set. Raises NotFound for a patient who is not the caller's."""
    await accounts.user(conn, access, user_id)
    await conn.execute("DELETE FROM alarm_limits WHERE user_id = %s", [user_id])
