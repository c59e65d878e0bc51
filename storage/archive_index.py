"""The archive's index: which hours rest in the object store, how far each device is, and who is at work on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.types.json import Jsonb

from storage.archive_records import ArchivedHour, HotState, part_from_json
from storage.rows import Params, fetch_all

HOLD: Final = timedelta(hours=1)
"""A device whose samples can't be read is left alone for so long; the others go on."""

_COLUMNS: Final = sql.SQL("""
    a.recording_id, a.device_id, a.hour_at, a.generation, a.started_at, a.ended_at, a.hot_rows, a.hot_samples,
    a.hot_digest, a.parts, a.state, r.rate_hz""")


@dataclass(frozen=True, slots=True)
class Claim:
    """A device that is ours until the transaction ends, and from which hour on it is to be archived."""

    device_id: UUID
    next_at: datetime


@dataclass(frozen=True, slots=True)
class _HourRow:
    recording_id: UUID
    device_id: UUID
    hour_at: datetime
    generation: int
    started_at: datetime
    ended_at: datetime
    hot_rows: int
    hot_samples: int
    hot_digest: bytes
    parts: list[dict[str, Any]]
    state: str
    rate_hz: float

    def archived(self) -> ArchivedHour:
        return ArchivedHour(
            recording_id=self.recording_id,
            device_id=self.device_id,
            hour_at=self.hour_at,
            generation=self.generation,
            started_at=self.started_at,
            ended_at=self.ended_at,
            hot=HotState(self.hot_rows, self.hot_samples, self.hot_digest),
            parts=tuple(part_from_json(part, self.rate_hz) for part in self.parts),
            state=self.state,
        )


async def enrol(conn: AsyncConnection) -> None:
    """Have a row for every device that has recorded something, so that it can be claimed."""
    await conn.execute(
        """
        INSERT INTO archive_progress (device_id)
        SELECT d.device_id
        FROM devices AS d
        WHERE NOT EXISTS (SELECT FROM archive_progress AS p WHERE p.device_id = d.device_id)
            AND EXISTS (SELECT FROM recordings AS r WHERE r.device_id = d.device_id)
        ON CONFLICT (device_id) DO NOTHING
        """
    )


async def claim_next(conn: AsyncConnection, closed: datetime, now: datetime) -> Claim | None:
    """The device that is furthest behind, of those that nobody else is at work on; None when all are done."""
    query = sql.SQL("""
        SELECT p.device_id, p.next_at
        FROM archive_progress AS p
        WHERE p.next_at < %(closed)s AND (p.held_until IS NULL OR p.held_until <= %(now)s)
        ORDER BY p.next_at, p.device_id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    """)
    rows = await fetch_all(conn, Claim, query, {"closed": closed, "now": now})
    return rows[0] if rows else None


async def claim_device(conn: AsyncConnection, device_id: UUID, now: datetime) -> bool:
    """Whether this device is ours now; not when somebody is at work on it, or it is held."""
    cursor = await conn.execute(
        """
        SELECT FROM archive_progress
        WHERE device_id = %(device_id)s AND (held_until IS NULL OR held_until <= %(now)s)
        FOR UPDATE SKIP LOCKED
        """,
        {"device_id": device_id, "now": now},
    )
    return cursor.rowcount == 1


async def advance(conn: AsyncConnection, device_id: UUID, next_at: datetime) -> None:
    """Every hour before `next_at` is archived, or has no samples."""
    await conn.execute(
        "UPDATE archive_progress SET next_at = %s, held_until = NULL, held_why = NULL WHERE device_id = %s",
        [next_at, device_id],
    )


async def hold(conn: AsyncConnection, device_id: UUID, until: datetime, why: str) -> None:
    """Leave a device alone for a while."""
    await conn.execute(
        "UPDATE archive_progress SET held_until = %s, held_why = %s WHERE device_id = %s",
        [until, why[:1000], device_id],
    )


async def oldest_waiting(conn: AsyncConnection, closed: datetime) -> datetime | None:
    """The earliest hour that is due, of devices that have begun; None when nothing waits."""
    cursor = await conn.execute(
        """
        SELECT min(greatest(p.next_at, date_trunc('hour', r.first_at)))
        FROM archive_progress AS p
        JOIN recordings AS r ON r.device_id = p.device_id AND r.end_at > p.next_at
        WHERE p.next_at < %(closed)s AND r.first_at < %(closed)s
        """,
        {"closed": closed},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def archived_hour(conn: AsyncConnection, recording_id: UUID, hour_at: datetime) -> ArchivedHour | None:
    found = await _hours(
        conn,
        "a.recording_id = %(recording_id)s AND a.hour_at = %(hour_at)s",
        {"recording_id": recording_id, "hour_at": hour_at},
    )
    return found[0] if found else None


async def hours_of_day(conn: AsyncConnection, device_id: UUID, day: datetime) -> list[ArchivedHour]:
    """What is archived of a device's day (UTC), in order."""
    return await _hours(
        conn,
        "a.device_id = %(device_id)s AND a.hour_at >= %(day)s AND a.hour_at < %(day)s + interval '1 day'",
        {"device_id": device_id, "day": day.replace(hour=0)},
    )


async def hours_holding(
    conn: AsyncConnection, recording_id: UUID, first_index: int, end_index: int
) -> list[ArchivedHour]:
    """What is archived about samples [first_index, end_index) of a recording, in order."""
    return await _hours(
        conn,
        "a.recording_id = %(recording_id)s AND a.first_index < %(end_index)s AND a.end_index > %(first_index)s",
        {"recording_id": recording_id, "first_index": first_index, "end_index": end_index},
    )


async def hours_of_recordings(
    conn: AsyncConnection, recording_ids: Sequence[UUID], after: tuple[UUID, datetime] | None = None, limit: int = 1000
) -> list[ArchivedHour]:
    """What is archived of these recordings, a page at a time; `after` is the last one of the page before."""
    recording_id, hour_at = after or (None, None)
    return await _hours(
        conn,
        """
        a.recording_id = ANY(%(ids)s)
            AND (%(after_id)s::uuid IS NULL OR (a.recording_id, a.hour_at) > (%(after_id)s, %(after_at)s::timestamptz))
        """,
        {"ids": list(recording_ids), "after_id": recording_id, "after_at": hour_at, "limit": limit},
        order="a.recording_id, a.hour_at LIMIT %(limit)s",
    )


async def hours_of_device(conn: AsyncConnection, device_id: UUID) -> list[ArchivedHour]:
    """Everything that is archived of a device, in order."""
    return await _hours(conn, "a.device_id = %(device_id)s", {"device_id": device_id})


async def devices(conn: AsyncConnection) -> list[UUID]:
    """The devices of which something is archived."""
    cursor = await conn.execute("SELECT DISTINCT device_id FROM archived_records ORDER BY device_id")
    return [device_id for (device_id,) in await cursor.fetchall()]


async def write(conn: AsyncConnection, hour: ArchivedHour, rate_hz: float, verified_at: datetime) -> None:
    """Put an hour down, in place of what an earlier generation said of it."""
    await conn.execute(
        """
        INSERT INTO archived_records AS old (
            recording_id, hour_at, device_id, generation, first_index, end_index, started_at, ended_at, sample_count,
            hot_rows, hot_samples, hot_digest, parts, bytes, state, verified_at
        )
        VALUES (
            %(recording_id)s, %(hour_at)s, %(device_id)s, %(generation)s, %(first_index)s, %(end_index)s,
            %(started_at)s, %(ended_at)s, %(sample_count)s, %(hot_rows)s, %(hot_samples)s, %(hot_digest)s, %(parts)s,
            %(bytes)s, %(state)s, %(verified_at)s
        )
        ON CONFLICT (recording_id, hour_at) DO UPDATE SET
            generation = excluded.generation,
            first_index = excluded.first_index,
            end_index = excluded.end_index,
            started_at = excluded.started_at,
            ended_at = excluded.ended_at,
            sample_count = excluded.sample_count,
            hot_rows = excluded.hot_rows,
            hot_samples = excluded.hot_samples,
            hot_digest = excluded.hot_digest,
            parts = excluded.parts,
            bytes = excluded.bytes,
            state = excluded.state,
            verified_at = excluded.verified_at
        WHERE excluded.generation > old.generation
        """,
        _params(hour, rate_hz) | {"verified_at": verified_at},
    )


async def mark_expired(conn: AsyncConnection, recording_id: UUID, hour_at: datetime, at: datetime) -> None:
    """Its rows have left ecg_waveforms in this transaction."""
    await conn.execute(
        """
        UPDATE archived_records
        SET state = 'expired', expired_at = %s
        WHERE recording_id = %s AND hour_at = %s
        """,
        [at, recording_id, hour_at],
    )


async def _hours(
    conn: AsyncConnection, condition: str, params: Params, order: str = "a.hour_at, a.recording_id"
) -> list[ArchivedHour]:
    query = sql.SQL("""
        SELECT {columns}
        FROM archived_records AS a
        JOIN recordings AS r ON r.recording_id = a.recording_id
        WHERE {condition}
        ORDER BY {order}
    """).format(columns=_COLUMNS, condition=sql.SQL(condition), order=sql.SQL(order))
    return [row.archived() for row in await fetch_all(conn, _HourRow, query, params)]


def _params(hour: ArchivedHour, rate_hz: float) -> dict[str, object]:
    return {
        "recording_id": hour.recording_id,
        "hour_at": hour.hour_at,
        "device_id": hour.device_id,
        "generation": hour.generation,
        "first_index": hour.first_index,
        "end_index": hour.end_index,
        "started_at": hour.started_at,
        "ended_at": hour.ended_at,
        "sample_count": hour.sample_count,
        "hot_rows": hour.hot.rows,
        "hot_samples": hour.hot.samples,
        "hot_digest": hour.hot.digest,
        "parts": Jsonb([part.as_json(rate_hz) for part in hour.parts]),
        "bytes": sum(file.size for file in hour.files),
        "state": hour.state,
    }
