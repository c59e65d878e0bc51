"""Alarms: one row each, to which moments are only ever added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.alarms import NO_DATA, AlarmEvent, Category, Priority, state_of
from schemas.clock import to_datetime, to_us
from schemas.errors import NotFound
from schemas.pages import Page, PageRequest
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import as_float, columns, fetch_all, fetch_one, given, where

_COLUMNS: Final = sql.SQL("""
    a.alarm_id, a.device_id, a.recording_id, a.user_id, a.kind, a.priority, a.category, a.latching, a.began_at,
    a.raised_at, a.ended_at, a.acknowledged_at, a.acknowledged_by, a.value, a.limit_value, a.confidence""")

_URGENCY: Final = (
    Key("array_position(ARRAY['low', 'medium', 'high'], a.priority)", "bigint"),
    Key("a.raised_at", "timestamptz"),
    Key("a.alarm_id", "uuid"),
)


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms are wanted; None is any."""

    user_id: UUID | None = None
    device_id: UUID | None = None
    priority: Priority | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The alarm as it stands, and whether it was acknowledged just now for the first time."""

    alarm: AlarmEvent
    is_new: bool


@dataclass(frozen=True, slots=True)
class _AlarmRow:
    alarm_id: UUID
    device_id: UUID
    recording_id: UUID
    user_id: UUID | None
    kind: str
    priority: Priority
    category: Category
    latching: bool
    began_at: datetime
    raised_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    value: float | None
    limit_value: float | None
    confidence: float | None

    def event(self) -> AlarmEvent:
        ended, acknowledged = self.ended_at is not None, self.acknowledged_at is not None
        return AlarmEvent(
            alarm_id=self.alarm_id,
            device_id=self.device_id,
            recording_id=self.recording_id,
            user_id=self.user_id,
            kind=self.kind,
            priority=self.priority,
            category=self.category,
            latching=self.latching,
            state=state_of(latching=self.latching, ended=ended, acknowledged=acknowledged),
            began_at_us=to_us(self.began_at),
            raised_at_us=to_us(self.raised_at),
            ended_at_us=None if self.ended_at is None else to_us(self.ended_at),
            acknowledged_at_us=None if self.acknowledged_at is None else to_us(self.acknowledged_at),
            acknowledged_by=self.acknowledged_by,
            value=self.value,
            limit=self.limit_value,
            confidence=self.confidence,
        )


async def write_alarms(conn: AsyncConnection, events: Sequence[AlarmEvent]) -> list[AlarmEvent]:
    """Store what is known of alarms; the answer is each as it stands now, patient and acknowledgement included.

    What was told before is told again without harm. An older alarm of the same device and kind that nobody ended is
    over when a newer one begins: limits may have changed between a crash and the second reckoning of the same signal.
    """
    if not events:
        return []
    values = columns(_alarm_columns(event) for event in _newest(events))
    return await _end_older(conn, values) + await _upsert(conn, values)


async def _upsert(conn: AsyncConnection, values: Mapping[str, object]) -> list[AlarmEvent]:
    query = sql.SQL("""
        INSERT INTO ecg_alarms AS a (
            alarm_id, device_id, recording_id, user_id, kind, priority, category, latching, began_at, raised_at,
            ended_at, value, limit_value, confidence
        )
        SELECT
            n.alarm_id, n.device_id, n.recording_id, d.user_id, n.kind, n.priority, n.category, n.latching, n.began_at,
            n.raised_at, n.ended_at, n.value, n.limit_value, n.confidence
        FROM unnest(
            %(alarm_id)s::uuid[], %(device_id)s::uuid[], %(recording_id)s::uuid[], %(kind)s::text[],
            %(priority)s::text[], %(category)s::text[], %(latching)s::boolean[], %(began_at)s::timestamptz[],
            %(raised_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(value)s::float8[], %(limit_value)s::float8[],
            %(confidence)s::float8[]
        ) AS n (
            alarm_id, device_id, recording_id, kind, priority, category, latching, began_at, raised_at, ended_at,
            value, limit_value, confidence
        )
        JOIN devices AS d ON d.device_id = n.device_id
        ORDER BY n.alarm_id
        ON CONFLICT (alarm_id) DO UPDATE SET ended_at = coalesce(a.ended_at, excluded.ended_at)
        RETURNING {columns}
    """).format(columns=_COLUMNS)
    return [row.event() for row in await fetch_all(conn, _AlarmRow, query, values)]


async def _end_older(conn: AsyncConnection, values: Mapping[str, object]) -> list[AlarmEvent]:
    query = sql.SQL("""
        UPDATE ecg_alarms AS a
        SET ended_at = n.began_at
        FROM (
            SELECT device_id, kind, min(began_at) AS began_at
            FROM unnest(%(device_id)s::uuid[], %(kind)s::text[], %(began_at)s::timestamptz[])
                AS told (device_id, kind, began_at)
            GROUP BY device_id, kind
        ) AS n
        WHERE a.device_id = n.device_id AND a.kind = n.kind AND a.began_at < n.began_at AND a.ended_at IS NULL
        RETURNING {columns}
    """).format(columns=_COLUMNS)
    return [row.event() for row in await fetch_all(conn, _AlarmRow, query, values)]


async def end_before(conn: AsyncConnection, returned: Mapping[UUID, int]) -> list[AlarmEvent]:
    """End what is open of devices that are watched anew since a moment, by device; answers with what that ended."""
    if not returned:
        return []
    devices = sorted(returned)
    query = sql.SQL("""
        UPDATE ecg_alarms AS a
        SET ended_at = n.since
        FROM unnest(%(device_id)s::uuid[], %(since)s::timestamptz[]) AS n (device_id, since)
        WHERE a.device_id = n.device_id AND a.ended_at IS NULL
            AND (a.began_at < n.since OR (a.began_at = n.since AND a.kind = %(no_data)s))
        RETURNING {columns}
    """).format(columns=_COLUMNS)
    since = [to_datetime(returned[device_id]) for device_id in devices]
    rows = await fetch_all(conn, _AlarmRow, query, {"device_id": devices, "since": since, "no_data": NO_DATA})
    return [row.event() for row in rows]


async def acknowledge(conn: AsyncConnection, access: Access, alarm_id: UUID, by: UUID, at: datetime) -> Acknowledged:
    """Note who has taken note of an alarm; the first time counts. Raises NotFound.

    A silent device can't be followed, so acknowledging No Data ends it, too.
    """
    query = sql.SQL("""
        UPDATE ecg_alarms AS a
        SET
            acknowledged_at = %(at)s,
            acknowledged_by = %(by)s,
            ended_at = CASE WHEN a.kind = %(no_data)s THEN coalesce(a.ended_at, greatest(a.began_at, %(at)s))
                ELSE a.ended_at END
        WHERE a.alarm_id = %(alarm_id)s AND a.acknowledged_at IS NULL AND {scope}
        RETURNING {columns}
    """).format(columns=_COLUMNS, scope=access.clause("a.user_id"))
    params = {**access.params, "alarm_id": alarm_id, "by": by, "at": at, "no_data": NO_DATA}
    changed = await fetch_one(conn, _AlarmRow, query, params)
    if changed is not None:
        return Acknowledged(changed.event(), is_new=True)
    return Acknowledged(await alarm(conn, access, alarm_id), is_new=False)


async def alarm(conn: AsyncConnection, access: Access, alarm_id: UUID) -> AlarmEvent:
    """One alarm. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_alarms AS a
        WHERE a.alarm_id = %(alarm_id)s AND {scope}
    """).format(columns=_COLUMNS, scope=access.clause("a.user_id"))
    found = await fetch_one(conn, _AlarmRow, query, {**access.params, "alarm_id": alarm_id})
    if found is None:
        raise NotFound(f"no alarm {alarm_id} among those you may see; list them with GET ecg/alarms")
    return found.event()


async def list_alarms(
    conn: AsyncConnection, access: Access, wanted: AlarmFilter, page: PageRequest
) -> Page[AlarmEvent]:
    """Alarms, the most urgent first and of those the newest."""
    listing = Listing(
        columns=_COLUMNS,
        source=sql.SQL("ecg_alarms AS a"),
        where=where(
            access.clause("a.user_id"),
            given(wanted.user_id, "a.user_id = %(user_id)s"),
            given(wanted.device_id, "a.device_id = %(device_id)s"),
            given(wanted.priority, "a.priority = %(priority)s"),
            None if wanted.active is None else sql.SQL("a.active" if wanted.active else "NOT a.active"),
        ),
        order=_URGENCY,
        descending=True,
    )
    params = {
        **access.params,
        "user_id": wanted.user_id,
        "device_id": wanted.device_id,
        "priority": wanted.priority,
    }
    return (await pages.fetch(conn, _AlarmRow, listing, page, params)).map(_AlarmRow.event)


def _newest(events: Iterable[AlarmEvent]) -> list[AlarmEvent]:
    """One per alarm, the one that knows its end; sorted, so that two workers lock rows in one order."""
    by_id: dict[UUID, AlarmEvent] = {}
    for event in events:
        if event.ended_at_us is not None or event.alarm_id not in by_id:
            by_id[event.alarm_id] = event
    return [by_id[key] for key in sorted(by_id)]


def _alarm_columns(event: AlarmEvent) -> dict[str, object]:
    return {
        "alarm_id": event.alarm_id,
        "device_id": event.device_id,
        "recording_id": event.recording_id,
        "kind": event.kind,
        "priority": event.priority,
        "category": event.category,
        "latching": event.latching,
        "began_at": to_datetime(event.began_at_us),
        "raised_at": to_datetime(event.raised_at_us),
        "ended_at": None if event.ended_at_us is None else to_datetime(event.ended_at_us),
        "value": as_float(event.value),
        "limit_value": as_float(event.limit),
        "confidence": as_float(event.confidence),
    }
