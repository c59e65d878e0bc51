"""Hot hours: the rows of ecg_waveforms that began in one hour of one recording, read, compared and deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_us
from schemas.samples import Lead, Recording
from storage.archive_records import HotState
from storage.archive_spans import HeldSamples, Span
from storage.rows import fetch_all
from storage.waveforms import Encoded, decode

HOUR: Final = timedelta(hours=1)

_IDENTITY: Final = Struct(">qiq")
_POSTGRES_EPOCH_US: Final = 946_684_800_000_000
_MARGIN: Final = 2
"""Samples that rounding a clock may put beside the hour."""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a recording, and between which indices its stretches can begin."""

    recording: Recording
    hour_at: datetime
    low_index: int
    high_index: int

    @property
    def params(self) -> dict[str, object]:
        return {
            "recording_id": self.recording.recording_id,
            "device_id": self.recording.device_id,
            "hour": self.hour_at,
            "end": self.hour_at + HOUR,
            "low": self.low_index,
            "high": self.high_index,
        }


@dataclass(frozen=True, slots=True)
class HotRow:
    """A row of ecg_waveforms, not decoded yet."""

    first_index: int
    sample_count: int
    started_at: datetime
    codec: int
    data: bytes
    tail: bytes | None

    def held(self, leads: int) -> HeldSamples:
        """Raises ValueError for damaged bytes."""
        span = Span(self.first_index, self.sample_count, to_us(self.started_at))
        return HeldSamples(span, decode(Encoded(self.codec, self.data + (self.tail or b"")), leads, self.sample_count))


@dataclass(frozen=True, slots=True)
class _RecordingRow:
    recording_id: UUID
    device_id: UUID
    started_at: datetime
    rate_hz: float
    leads: list[Lead]
    uv_per_lsb: list[float]
    clock_early_us: int
    clock_late_us: int

    def hour(self, hour_at: datetime) -> Hour:
        started_us, at_us = to_us(self.started_at), to_us(hour_at)
        recording = Recording(
            self.recording_id, self.device_id, None, started_us, self.rate_hz, tuple(self.leads), tuple(self.uv_per_lsb)
        )
        low = (at_us - started_us - self.clock_late_us) * self.rate_hz / 1e6
        high = (at_us + 3_600_000_000 - started_us + self.clock_early_us) * self.rate_hz / 1e6
        return Hour(recording, hour_at, max(0, int(low) - _MARGIN), max(0, int(high) + _MARGIN))


async def hours_of_device(conn: AsyncConnection, device_id: UUID, hour_at: datetime) -> list[Hour]:
    """The hour of each recording of the device that has samples about it; perhaps none in it."""
    query = sql.SQL("""
        SELECT
            r.recording_id, r.device_id, r.started_at, r.rate_hz, r.leads, r.uv_per_lsb, r.clock_early_us,
            r.clock_late_us
        FROM recordings AS r
        WHERE r.device_id = %(device_id)s AND r.first_at < %(end)s AND r.end_at > %(hour)s
        ORDER BY r.started_at, r.recording_id
    """)
    params = {"device_id": device_id, "hour": hour_at, "end": hour_at + HOUR}
    return [row.hour(hour_at) for row in await fetch_all(conn, _RecordingRow, query, params)]


async def hour_of_recording(conn: AsyncConnection, recording_id: UUID, hour_at: datetime) -> Hour | None:
    """None for a recording that is not there (any more)."""
    query = sql.SQL("""
        SELECT
            r.recording_id, r.device_id, r.started_at, r.rate_hz, r.leads, r.uv_per_lsb, r.clock_early_us,
            r.clock_late_us
        FROM recordings AS r
        WHERE r.recording_id = %(recording_id)s
    """)
    rows = await fetch_all(conn, _RecordingRow, query, {"recording_id": recording_id})
    return rows[0].hour(hour_at) if rows else None


async def next_hour(conn: AsyncConnection, device_id: UUID, after: datetime, until: datetime) -> datetime | None:
    """The first hour from `after` on, before `until`, in which stretches of the device began; None when there is none.

    Two hours are looked at first: as a rule the next one is there, and a long recording is not gone through.
    """
    query = """
        SELECT date_trunc('hour', min(w.started_at))
        FROM recordings AS r
        JOIN ecg_waveforms AS w ON w.recording_id = r.recording_id AND w.device_id = r.device_id
        WHERE r.device_id = %(device_id)s
            AND r.first_at < %(until)s
            AND r.end_at > %(after)s
            AND w.first_index >= r.rate_hz * (
                extract(epoch FROM %(after)s - r.started_at)::float8 - r.clock_late_us / 1e6 - 0.1
            )
            AND w.started_at >= %(after)s
            AND w.started_at < %(until)s
    """
    for end in (min(until, after + 2 * HOUR), until):
        cursor = await conn.execute(query, {"device_id": device_id, "after": after, "until": end})
        row = await cursor.fetchone()
        if row is not None and row[0] is not None:
            found: datetime = row[0]
            return found
    return None


async def read_hot(conn: AsyncConnection, hour: Hour) -> list[HotRow]:
    """The hour's rows as one statement sees them, in the order that a digest is made in."""
    query = sql.SQL("""
        SELECT w.first_index, w.sample_count, w.started_at, w.codec, w.data, w.tail
        FROM ecg_waveforms AS w
        WHERE w.recording_id = %(recording_id)s
            AND w.device_id = %(device_id)s
            AND w.first_index BETWEEN %(low)s AND %(high)s
            AND w.started_at >= %(hour)s
            AND w.started_at < %(end)s
        ORDER BY w.first_index, w.started_at
    """)
    return await fetch_all(conn, HotRow, query, hour.params)


def hot_state(rows: Iterable[HotRow]) -> HotState:
    """Of rows as `read_hot` gives them; the same as the database makes it of the same rows."""
    digest, count, samples = sha256(), 0, 0
    for row in rows:
        at = to_us(row.started_at) - _POSTGRES_EPOCH_US
        digest.update(_IDENTITY.pack(row.first_index, row.sample_count, at))
        digest.update(sha256(row.data).digest())
        digest.update(sha256(row.tail or b"").digest())
        count, samples = count + 1, samples + row.sample_count
    return HotState(count, samples, digest.digest())


_STATE: Final = sql.SQL("""
    count(*) AS rows,
    coalesce(sum(w.sample_count), 0)::bigint AS samples,
    sha256(coalesce(string_agg(
        int8send(w.first_index) || int4send(w.sample_count) || timestamptz_send(w.started_at)
        || sha256(w.data) || sha256(coalesce(w.tail, ''::bytea)),
        ''::bytea ORDER BY w.first_index, w.started_at
    ), ''::bytea)) AS digest""")


async def current_state(conn: AsyncConnection, hour: Hour) -> HotState:
    """As the hour's rows are now."""
    query = sql.SQL("""
        SELECT {state}
        FROM ecg_waveforms AS w
        WHERE w.recording_id = %(recording_id)s
            AND w.device_id = %(device_id)s
            AND w.first_index BETWEEN %(low)s AND %(high)s
            AND w.started_at >= %(hour)s
            AND w.started_at < %(end)s
    """).format(state=_STATE)
    [state] = await fetch_all(conn, HotState, query, hour.params)
    return state


async def delete_hot(conn: AsyncConnection, hour: Hour) -> HotState:
    """Delete the hour's rows; what they were, of exactly those that went."""
    query = sql.SQL("""
        WITH w AS (
            DELETE FROM ecg_waveforms AS old
            WHERE old.recording_id = %(recording_id)s
                AND old.device_id = %(device_id)s
                AND old.first_index BETWEEN %(low)s AND %(high)s
                AND old.started_at >= %(hour)s
                AND old.started_at < %(end)s
            RETURNING old.first_index, old.sample_count, old.started_at, old.data, old.tail
        )
        SELECT {state}
        FROM w
    """).format(state=_STATE)
    [state] = await fetch_all(conn, HotState, query, hour.params)
    return state
