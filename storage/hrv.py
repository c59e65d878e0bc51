"""HRV: which stretches are due, the beats they are made of, and a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from schemas.hrv import FIGURES, STRETCH_S, HrvStretch
from schemas.pages import Page, PageRequest
from schemas.rhythms import ATRIAL_FIBRILLATION, ATRIAL_FLUTTER
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import columns, fetch_all

LOOK_BACK: Final = timedelta(hours=26)
"""Stretches older than this are left: a gateway takes in samples at most a day old (LEADWIRE_MAX_CLOCK_SKEW_S)."""

_LOCK: Final = 0x687276  # beside a device's hash; any number that no other program locks: "hrv"
_STRETCH: Final = timedelta(seconds=STRETCH_S)
_LATE: Final = timedelta(minutes=10)

_KIND_BY_COLUMN: Final = {
    "device_id": "uuid", "stretch_start": "timestamptz", "user_id": "uuid", "beats": "integer", "nn_count": "integer",
    "nn_share": "float8", "af_share": "float8", "reason": "text", "engine_version": "text", "hrv_version": "text",
    "last_beat_at": "timestamptz", **dict.fromkeys(FIGURES, "float8"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueStretch:
    """Five closed minutes of a device that have beats which no row of ecg_hrv knows."""

    device_id: UUID
    start: datetime


@dataclass(frozen=True, slots=True)
class RecordedBeats:
    """A recording's beats within a stretch, in order: moments, a letter each, and RR to the beat before."""

    user_id: UUID | None
    at_us: list[int]
    classes: str
    rr_ms: list[float | None]
    engine_version: str


@dataclass(frozen=True, slots=True)
class StretchBeats:
    """All that a stretch is judged by; `recordings` has at least one, and each of them a beat."""

    device_id: UUID
    start: datetime
    recordings: list[RecordedBeats]
    af_share: float | None


_DUE: Final = sql.SQL("""
    SELECT d.device_id, date_bin(%(stretch)s, b.beat_at, 'epoch') AS start
    FROM devices AS d
    LEFT JOIN LATERAL (
        SELECT h.stretch_start, h.last_beat_at, h.computed_at
        FROM ecg_hrv AS h
        WHERE h.device_id = d.device_id AND h.stretch_start >= %(oldest)s - %(stretch)s
        ORDER BY h.stretch_start DESC
        LIMIT 1
    ) AS done ON true
    CROSS JOIN LATERAL (
        SELECT n.beat_at
        FROM ecg_beats AS n
        WHERE n.device_id = d.device_id
            AND n.beat_at >= %(oldest)s
            AND n.beat_at > coalesce(done.last_beat_at, '-infinity')
            AND n.beat_at < %(closed)s
        ORDER BY n.beat_at
        LIMIT 1
    ) AS b
    WHERE (%(devices)s::uuid[] IS NULL OR d.device_id = ANY(%(devices)s))
        AND (b.beat_at >= done.stretch_start + %(stretch)s OR done.computed_at < %(settled)s) IS NOT FALSE
    ORDER BY start, hashtextextended(d.device_id::text, %(seed)s)
    LIMIT %(limit)s
""")
"""The first beat after what a device's newest row knows tells the next stretch, or that the newest one has grown."""

_LATE_DUE: Final = sql.SQL("""
    SELECT DISTINCT r.device_id, stretch AS start
    FROM recordings AS r
    CROSS JOIN LATERAL generate_series(
        date_bin(%(stretch)s, greatest(r.started_at, %(oldest)s), 'epoch'),
        least(r.created_at, %(closed)s - %(stretch)s),
        %(stretch)s
    ) AS stretch
    LEFT JOIN ecg_hrv AS h ON h.device_id = r.device_id AND h.stretch_start = stretch
    WHERE r.created_at BETWEEN %(oldest)s AND %(now)s - %(late)s
        AND r.started_at < r.created_at - %(stretch)s
        AND (%(devices)s::uuid[] IS NULL OR r.device_id = ANY(%(devices)s))
        AND (h.computed_at >= r.created_at + %(late)s) IS NOT TRUE
        AND EXISTS (
            SELECT
            FROM ecg_beats AS b
            WHERE b.device_id = r.device_id
                AND b.recording_id = r.recording_id
                AND b.beat_at >= stretch
                AND b.beat_at < stretch + %(stretch)s
        )
    ORDER BY start, r.device_id
    LIMIT %(limit)s
""")
"""Recordings that were sent after their time may lie before rows that there are: done, or done again, once sent."""


@dataclass(frozen=True, slots=True)
class DueTimes:
    """The clock that decides what is due; `settle` is how long after its end a stretch's beats may still arrive."""

    now: datetime
    settle: timedelta

    @property
    def params(self) -> dict[str, object]:
        latest = self.now - self.settle
        closed_us = int(latest.timestamp()) // STRETCH_S * STRETCH_S * 1_000_000
        return {
            "now": self.now, "settled": latest, "closed": to_datetime(closed_us), "oldest": self.now - LOOK_BACK,
            "stretch": _STRETCH, "late": _LATE,
        }  # fmt: skip


async def due(
    conn: AsyncConnection, times: DueTimes, limit: int, *, seed: int = 0, devices: Sequence[UUID] | None = None
) -> list[DueStretch]:
    """The next due stretch of each device (of `devices` if given), oldest first, of equals in an order of `seed`."""
    params = {**times.params, "limit": limit, "seed": seed, "devices": None if devices is None else list(devices)}
    found = await fetch_all(conn, DueStretch, _DUE, params)
    return found or await fetch_all(conn, DueStretch, _LATE_DUE, params)


async def claim(conn: AsyncConnection, found: Sequence[DueStretch], times: DueTimes) -> list[DueStretch]:
    """Those of `found` that are ours until the transaction ends, and still due: nobody else has them, or had them."""
    devices = sorted({stretch.device_id for stretch in found})
    cursor = await conn.execute(
        """
        SELECT device_id
        FROM unnest(%s::uuid[]) AS device_id
        WHERE pg_try_advisory_xact_lock(%s, hashtext(device_id::text))
        """,
        [devices, _LOCK],
    )
    ours = [row[0] for row in await cursor.fetchall()]
    return await due(conn, times, len(found), devices=ours) if ours else []


_BEATS: Final = sql.SQL("""
    SELECT w.device_id, w.start, b.*, m.af_share
    FROM unnest(%(device_id)s::uuid[], %(start)s::timestamptz[]) AS w (device_id, start)
    CROSS JOIN LATERAL (
        SELECT
            r.user_id,
            array_agg((extract(epoch FROM e.beat_at) * 1000000)::bigint ORDER BY e.r_index) AS at_us,
            string_agg(e.beat_class, '' ORDER BY e.r_index) AS classes,
            array_agg(e.rr_ms ORDER BY e.r_index) AS rr_ms,
            max(e.engine_version) AS engine_version
        FROM ecg_beats AS e
        LEFT JOIN recordings AS r ON r.recording_id = e.recording_id
        WHERE e.device_id = w.device_id
            AND e.beat_at >= w.start
            AND e.beat_at < w.start + %(stretch)s
            AND e.beat_at >= %(first)s
            AND e.beat_at < %(end)s
        GROUP BY e.recording_id, r.user_id
    ) AS b
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(s.seconds) FILTER (WHERE s.arrhythmia_type = ANY(%(fibrillation)s)), 0)
                / sum(s.seconds)::float8 AS af_share
        FROM ecg_metrics AS s
        WHERE s.device_id = w.device_id
            AND s.recorded_at >= w.start
            AND s.recorded_at < w.start + %(stretch)s
            AND s.arrhythmia_type IS NOT NULL
    ) AS m
    ORDER BY w.start, w.device_id
""")


async def read_beats(conn: AsyncConnection, stretches: Sequence[DueStretch]) -> list[StretchBeats]:
    """What the stretches are judged by."""
    starts = [stretch.start for stretch in stretches]
    params = {
        "device_id": [stretch.device_id for stretch in stretches], "start": starts, "stretch": _STRETCH,
        "first": min(starts), "end": max(starts) + _STRETCH, "fibrillation": [ATRIAL_FIBRILLATION, ATRIAL_FLUTTER],
    }  # fmt: skip
    by_stretch: dict[tuple[UUID, datetime], StretchBeats] = {}
    for row in await fetch_all(conn, _BeatsRow, _BEATS, params):
        empty = StretchBeats(row.device_id, row.start, [], row.af_share)
        by_stretch.setdefault((row.device_id, row.start), empty).recordings.append(row.beats())
    return list(by_stretch.values())


@dataclass(frozen=True, slots=True)
class _BeatsRow:
    device_id: UUID
    start: datetime
    user_id: UUID | None
    at_us: list[int]
    classes: str
    rr_ms: list[float | None]
    engine_version: str
    af_share: float | None

    def beats(self) -> RecordedBeats:
        return RecordedBeats(self.user_id, self.at_us, self.classes, self.rr_ms, self.engine_version)


async def write_hrv(conn: AsyncConnection, rows: Sequence[HrvStretch], at: datetime) -> None:
    """Store stretches, computed at `at`; one that is there already is replaced."""
    if rows:
        # In one order for all workers, so that two never wait for each other's rows.
        ordered = sorted(rows, key=lambda row: (row.device_id.bytes, row.stretch_start))
        await conn.execute(_WRITE, {**columns(asdict(row) for row in ordered), "computed_at": at})


def _listed(terms: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, terms))


_FOUND: Final = [name for name in _KIND_BY_COLUMN if name not in ("device_id", "stretch_start")]
_WRITE: Final = sql.SQL("""
    INSERT INTO ecg_hrv ({names}, computed_at)
    SELECT made.*, %(computed_at)s
    FROM unnest({arrays}) AS made
    ON CONFLICT (device_id, stretch_start) DO UPDATE SET
        ({found}, computed_at) = ROW ({values}, excluded.computed_at)
""").format(
    names=_listed(list(_KIND_BY_COLUMN)),
    arrays=_listed([f"%({name})s::{kind}[]" for name, kind in _KIND_BY_COLUMN.items()]),
    found=_listed(_FOUND),
    values=_listed([f"excluded.{name}" for name in _FOUND]),
)


async def list_hrv(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, page: PageRequest
) -> Page[HrvStretch]:
    """The device's stretches that begin in [start_us, end_us), newest first."""
    listing = Listing(
        columns=sql.SQL(", ".join(f"h.{name}" for name in _KIND_BY_COLUMN)),
        source=sql.SQL("ecg_hrv AS h"),
        where=sql.SQL(
            "{scope} AND h.device_id = %(device_id)s AND h.stretch_start >= %(start)s AND h.stretch_start < %(end)s"
        ).format(scope=access.clause("h.user_id")),
        order=(Key("h.stretch_start", "timestamptz"),),
        descending=True,
    )
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await pages.fetch(conn, HrvStretch, listing, page, params)
