"""Beats: one row for each, written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.beats import Beat, BeatClass, Fiducials
from schemas.clock import to_datetime, to_us
from schemas.pages import Page, PageRequest
from storage.access import Access
from storage.rows import as_float, columns, fetch_all, fetch_page

_MARKS: Final = tuple(field.name for field in fields(Fiducials))


@dataclass(frozen=True, slots=True)
class _BeatRow:
    recording_id: UUID
    device_id: UUID
    r_index: int
    beat_at: datetime
    beat_class: BeatClass
    confidence: float
    rr_ms: float | None
    pr_ms: float | None
    qrs_ms: float | None
    qt_ms: float | None
    st_mv: float | None
    amplitude_mv: float | None
    p_onset: int | None
    p_peak: int | None
    p_offset: int | None
    qrs_onset: int | None
    qrs_offset: int | None
    t_onset: int | None
    t_peak: int | None
    t_offset: int | None
    engine_version: str

    def beat(self) -> Beat:
        return Beat(
            device_id=self.device_id,
            recording_id=self.recording_id,
            r_index=self.r_index,
            at_us=to_us(self.beat_at),
            beat_class=self.beat_class,
            confidence=self.confidence,
            engine_version=self.engine_version,
            rr_ms=self.rr_ms,
            pr_ms=self.pr_ms,
            qrs_ms=self.qrs_ms,
            qt_ms=self.qt_ms,
            st_mv=self.st_mv,
            amplitude_mv=self.amplitude_mv,
            fiducials=Fiducials(**{name: getattr(self, name) for name in _MARKS}),
        )


async def write_beats(conn: AsyncConnection, beats: Sequence[Beat]) -> None:
    """Store beats; one that is there already (recording_id, r_index) stays as it is."""
    if not beats:
        return
    ordered = sorted(beats, key=lambda b: (b.recording_id.bytes, b.r_index))
    query = """
        INSERT INTO ecg_beats (
            recording_id, device_id, r_index, beat_at, beat_class, confidence,
            rr_ms, pr_ms, qrs_ms, qt_ms, st_mv, amplitude_mv,
            p_onset, p_peak, p_offset, qrs_onset, qrs_offset, t_onset, t_peak, t_offset,
            engine_version
        )
        SELECT *
        FROM unnest(
            %(recording_id)s::uuid[], %(device_id)s::uuid[], %(r_index)s::bigint[], %(beat_at)s::timestamptz[],
            %(beat_class)s::text[], %(confidence)s::float8[],
            %(rr_ms)s::float8[], %(pr_ms)s::float8[], %(qrs_ms)s::float8[], %(qt_ms)s::float8[], %(st_mv)s::float8[],
            %(amplitude_mv)s::float8[],
            %(p_onset)s::bigint[], %(p_peak)s::bigint[], %(p_offset)s::bigint[], %(qrs_onset)s::bigint[],
            %(qrs_offset)s::bigint[], %(t_onset)s::bigint[], %(t_peak)s::bigint[], %(t_offset)s::bigint[],
            %(engine_version)s::text[]
        )
        ON CONFLICT (recording_id, r_index, beat_at) DO NOTHING
    """
    await conn.execute(query, columns(_beat_columns(beat) for beat in ordered))


async def list_beats(
    conn: AsyncConnection,
    access: Access,
    device_id: UUID | None,
    start_us: int,
    end_us: int,
    page: PageRequest,
    *,
    recording_id: UUID | None = None,
) -> Page[Beat]:
    """Beats with their R peak in [start_us, end_us), in order of time, of a device or a recording or both."""
    query = sql.SQL("""
        SELECT
            b.recording_id, b.device_id, b.r_index, b.beat_at, b.beat_class, b.confidence,
            b.rr_ms, b.pr_ms, b.qrs_ms, b.qt_ms, b.st_mv, b.amplitude_mv,
            b.p_onset, b.p_peak, b.p_offset, b.qrs_onset, b.qrs_offset, b.t_onset, b.t_peak, b.t_offset,
            b.engine_version
        FROM ecg_beats AS b
        JOIN recordings AS r ON r.recording_id = b.recording_id
        WHERE {scope}
            AND (%(device_id)s::uuid IS NULL OR b.device_id = %(device_id)s)
            AND (%(recording_id)s::uuid IS NULL OR b.recording_id = %(recording_id)s)
            AND b.beat_at >= %(start)s
            AND b.beat_at < %(end)s
    """).format(scope=access.clause("r.user_id"))
    params = {
        **access.params,
        "device_id": device_id,
        "recording_id": recording_id,
        "start": to_datetime(start_us),
        "end": to_datetime(end_us),
    }
    order = sql.SQL("b.beat_at, b.recording_id, b.r_index")
    rows = await fetch_page(conn, _BeatRow, query, order, page, params)
    return Page([row.beat() for row in rows.items], rows.page, rows.limit, rows.total)


def _beat_columns(beat: Beat) -> dict[str, object]:
    return {
        "recording_id": beat.recording_id,
        "device_id": beat.device_id,
        "r_index": beat.r_index,
        "beat_at": to_datetime(beat.at_us),
        "beat_class": beat.beat_class,
        "confidence": float(beat.confidence),
        "rr_ms": as_float(beat.rr_ms),
        "pr_ms": as_float(beat.pr_ms),
        "qrs_ms": as_float(beat.qrs_ms),
        "qt_ms": as_float(beat.qt_ms),
        "st_mv": as_float(beat.st_mv),
        "amplitude_mv": as_float(beat.amplitude_mv),
        **asdict(beat.fiducials),
        "engine_version": beat.engine_version,
    }


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many beats of a class."""

    beat_class: BeatClass
    count: int


async def count_classes(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[ClassCount]:
    """The device's beats in [start_us, end_us), counted by class; classes without a beat are left out."""
    query = sql.SQL("""
        SELECT b.beat_class, count(*) AS count
        FROM ecg_beats AS b
        JOIN recordings AS r ON r.recording_id = b.recording_id
        WHERE {scope} AND b.device_id = %(device_id)s AND b.beat_at >= %(start)s AND b.beat_at < %(end)s
        GROUP BY b.beat_class
        ORDER BY b.beat_class
    """).format(scope=access.clause("r.user_id"))
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_all(conn, ClassCount, query, params)


async def newest(conn: AsyncConnection, access: Access) -> datetime | None:
    """The moment of the latest beat stored, None before the first."""
    query = sql.SQL("""
        SELECT max(b.beat_at)
        FROM ecg_beats AS b
        JOIN recordings AS r ON r.recording_id = b.recording_id
        WHERE {scope}
    """).format(scope=access.clause("r.user_id"))
    row = await (await conn.execute(query, access.params)).fetchone()
    return row[0] if row else None
