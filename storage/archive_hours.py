"""Hot hours: the rows of ecg_waveforms that began in one hour of one recording, read, compared and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import Final
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql

from schemas.clock import to_us
from schemas.errors import NotFound
from schemas.samples import Recording
from storage import samples
from storage.access import everything
from storage.archive_records import HotState
from storage.archive_spans import HeldSamples, Span
from storage.rows import fetch_all
from storage.samples import kept_of_device
from storage.waveforms import Encoded, decode_many
from storage.whereabouts import IndexWindow, Kept

HOUR: Final = timedelta(hours=1)

_IDENTITY: Final = Struct(">qiq")
_POSTGRES_EPOCH_US: Final = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a recording, and between which indices its stretches can begin."""

    recording: Recording
    hour_at: datetime
    between: IndexWindow

    @property
    def params(self) -> dict[str, object]:
        return {
            "recording_id": self.recording.recording_id,
            "device_id": self.recording.device_id,
            "hour": self.hour_at,
            "end": self.hour_at + HOUR,
            "first_index": self.between.first_index,
            "end_index": self.between.end_index,
        }


def hour_of(kept: Kept, hour_at: datetime) -> Hour:
    return Hour(kept.recording, hour_at, kept.rows_at(to_us(hour_at), to_us(hour_at + HOUR)))


@dataclass(frozen=True, slots=True)
class HotRow:
    """A row of ecg_waveforms, not decoded yet."""

    first_index: int
    sample_count: int
    started_at: datetime
    codec: int
    data: bytes
    tail: bytes | None


def held_samples(rows: Sequence[HotRow], leads: int) -> list[HeldSamples]:
    """What the rows hold. Raises ValueError for damaged bytes."""
    counts = [row.sample_count for row in rows]
    joined = decode_many([Encoded(row.codec, row.data + (row.tail or b"")) for row in rows], leads, counts)
    spans = [Span(row.first_index, row.sample_count, to_us(row.started_at)) for row in rows]
    ends = np.cumsum(counts).tolist()
    return [HeldSamples(span, joined[:, end - span.count : end]) for span, end in zip(spans, ends, strict=True)]


async def hours_of_device(conn: AsyncConnection, device_id: UUID, hour_at: datetime) -> list[Hour]:
    """The hour of each recording of the device that has samples about it; perhaps none in it."""
    found = await kept_of_device(conn, everything(), device_id, to_us(hour_at), to_us(hour_at + HOUR))
    return [hour_of(kept, hour_at) for kept in found]


async def hour_of_recording(conn: AsyncConnection, recording_id: UUID, hour_at: datetime) -> Hour | None:
    """None for a recording that is not there (any more)."""
    try:
        return hour_of(await samples.kept(conn, everything(), recording_id), hour_at)
    except NotFound:
        return None


async def next_hour(conn: AsyncConnection, device_id: UUID, after: datetime, until: datetime) -> datetime | None:
    """The first hour from `after` on, before `until`, in which stretches of the device began; None when there is none.

    Two hours are looked at first: as a rule the next one is there, and a long recording is not gone through.
    """
    for end in (min(until, after + 2 * HOUR), until):
        found = await kept_of_device(conn, everything(), device_id, to_us(after), to_us(end))
        moments = [await _first_moment(conn, kept, after, end) for kept in found]
        known = [at for at in moments if at is not None]
        if known:
            return min(known).replace(minute=0, second=0, microsecond=0)
    return None


async def _first_moment(conn: AsyncConnection, kept: Kept, after: datetime, until: datetime) -> datetime | None:
    between = kept.rows_at(to_us(after), to_us(until))
    cursor = await conn.execute(
        """
        SELECT min(w.started_at)
        FROM ecg_waveforms AS w
        WHERE w.device_id = %(device_id)s
            AND w.recording_id = %(recording_id)s
            AND w.first_index >= %(first_index)s
            AND w.first_index < %(end_index)s
            AND w.started_at >= %(after)s
            AND w.started_at < %(until)s
        """,
        {
            "device_id": kept.recording.device_id,
            "recording_id": kept.recording.recording_id,
            "first_index": between.first_index,
            "end_index": between.end_index,
            "after": after,
            "until": until,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def read_hot(conn: AsyncConnection, hour: Hour) -> list[HotRow]:
    """The hour's rows as one statement sees them, in the order that a digest is made in."""
    query = sql.SQL("""
        SELECT w.first_index, w.sample_count, w.started_at, w.codec, w.data, w.tail
        FROM ecg_waveforms AS w
        WHERE w.recording_id = %(recording_id)s
            AND w.device_id = %(device_id)s
            AND w.first_index >= %(first_index)s
            AND w.first_index < %(end_index)s
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
            AND w.first_index >= %(first_index)s
            AND w.first_index < %(end_index)s
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
                AND old.first_index >= %(first_index)s
            AND old.first_index < %(end_index)s
                AND old.started_at >= %(hour)s
                AND old.started_at < %(end)s
            RETURNING old.first_index, old.sample_count, old.started_at, old.data, old.tail
        )
        SELECT {state}
        FROM w
    """).format(state=_STATE)
    [state] = await fetch_all(conn, HotState, query, hour.params)
    return state
