"""Samples: recordings, the stretches of samples they consist of, and the gaps between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime, to_us
from schemas.errors import NotFound
from schemas.samples import Gap, Lead, Recording, WaveformStretch
from storage.access import Access
from storage.rows import array_text, columns, fetch_all, fetch_one
from storage.stretches import MAX_STRETCH_S, StretchRow, cut, longest, stretch_columns


@dataclass(frozen=True, slots=True)
class Extent:
    """The samples of a recording that are stored lie in [first_index, end_index); both 0 when there are none."""

    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class _RecordingExtent:
    recording_id: UUID
    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class _RecordingRow:
    recording_id: UUID
    device_id: UUID
    user_id: UUID | None
    started_at: datetime
    rate_hz: float
    leads: list[Lead]
    uv_per_lsb: list[float]

    def recording(self) -> Recording:
        return Recording(
            recording_id=self.recording_id,
            device_id=self.device_id,
            user_id=self.user_id,
            started_at_us=to_us(self.started_at),
            rate_hz=self.rate_hz,
            leads=tuple(self.leads),
            uv_per_lsb=tuple(self.uv_per_lsb),
        )


async def write_recordings(conn: AsyncConnection, recordings: Sequence[Recording]) -> None:
    """Store recordings; one that is there already stays as it is. Their devices must be registered."""
    if not recordings:
        return
    ordered = sorted(recordings, key=lambda r: r.recording_id.bytes)
    query = """
        INSERT INTO recordings (recording_id, device_id, user_id, started_at, rate_hz, leads, uv_per_lsb)
        SELECT recording_id, device_id, user_id, started_at, rate_hz, leads::text[], uv_per_lsb::float8[]
        FROM unnest(
            %(recording_id)s::uuid[], %(device_id)s::uuid[], %(user_id)s::uuid[], %(started_at)s::timestamptz[],
            %(rate_hz)s::float8[], %(leads)s::text[], %(uv_per_lsb)s::text[]
        ) AS new (recording_id, device_id, user_id, started_at, rate_hz, leads, uv_per_lsb)
        ON CONFLICT (recording_id) DO NOTHING
    """
    await conn.execute(query, columns(_recording_columns(r) for r in ordered))


async def write_stretches(conn: AsyncConnection, stretches: Sequence[WaveformStretch]) -> None:
    """Store stretches of samples; of two that start at the same sample the longer one stays.

    Raises ValueError for a stretch longer than MAX_STRETCH_S.
    """
    chosen = longest(stretches)
    if not chosen:
        return
    query = """
        INSERT INTO ecg_waveforms AS old (
            recording_id, device_id, first_index, sample_count, started_at, ended_at, rate_hz, leads, uv_per_lsb,
            codec, data
        )
        SELECT
            recording_id, device_id, first_index, sample_count, started_at, ended_at, rate_hz, leads::text[],
            uv_per_lsb::float8[], codec, data
        FROM unnest(
            %(recording_id)s, %(device_id)s, %(first_index)s, %(sample_count)s, %(started_at)s, %(ended_at)s,
            %(rate_hz)s, %(leads)s, %(uv_per_lsb)s, %(codec)s, %(data)s
        ) AS new (
            recording_id, device_id, first_index, sample_count, started_at, ended_at, rate_hz, leads, uv_per_lsb,
            codec, data
        )
        ON CONFLICT (recording_id, first_index, started_at) DO UPDATE SET
            sample_count = excluded.sample_count,
            ended_at = excluded.ended_at,
            codec = excluded.codec,
            data = excluded.data
        WHERE excluded.sample_count > old.sample_count
    """
    await conn.execute(query, stretch_columns(chosen))


async def write_gaps(conn: AsyncConnection, gaps: Sequence[Gap]) -> None:
    """Store gaps; one that is there already stays as it is."""
    if not gaps:
        return
    ordered = sorted(gaps, key=lambda g: (g.recording_id.bytes, g.first_index))
    query = """
        INSERT INTO recording_gaps (recording_id, first_index, end_index)
        SELECT *
        FROM unnest(%(recording_id)s::uuid[], %(first_index)s::bigint[], %(end_index)s::bigint[])
        ON CONFLICT (recording_id, first_index) DO NOTHING
    """
    rows = ({"recording_id": g.recording_id, "first_index": g.first_index, "end_index": g.end_index} for g in ordered)
    await conn.execute(query, columns(rows))


async def recordings(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[Recording]:
    """The device's recordings that have samples in [start_us, end_us), in the order they began."""
    query = sql.SQL("""
        SELECT r.recording_id, r.device_id, r.user_id, r.started_at, r.rate_hz, r.leads, r.uv_per_lsb
        FROM recordings AS r
        WHERE r.device_id = %(device_id)s
            AND {scope}
            AND r.recording_id IN (
                SELECT w.recording_id
                FROM ecg_waveforms AS w
                WHERE w.device_id = %(device_id)s
                    AND w.started_at >= %(start)s - make_interval(secs => %(max_stretch_s)s)
                    AND w.started_at < %(end)s
                    AND w.ended_at > %(start)s
            )
        ORDER BY r.started_at, r.recording_id
    """).format(scope=access.clause("r.user_id"))
    params = {
        **access.params,
        "device_id": device_id,
        "start": to_datetime(start_us),
        "end": to_datetime(end_us),
        "max_stretch_s": MAX_STRETCH_S,
    }
    return [row.recording() for row in await fetch_all(conn, _RecordingRow, query, params)]


async def recording(conn: AsyncConnection, access: Access, recording_id: UUID) -> Recording:
    """One recording. Raises NotFound."""
    query = sql.SQL("""
        SELECT r.recording_id, r.device_id, r.user_id, r.started_at, r.rate_hz, r.leads, r.uv_per_lsb
        FROM recordings AS r
        WHERE r.recording_id = %(recording_id)s AND {scope}
    """).format(scope=access.clause("r.user_id"))
    row = await fetch_one(conn, _RecordingRow, query, {**access.params, "recording_id": recording_id})
    if row is None:
        raise NotFound(f"no recording {recording_id} among those you may see; ask for samples by device and time")
    return row.recording()


async def read_stretches(
    conn: AsyncConnection, access: Access, recording_id: UUID, first_index: int, end_index: int
) -> list[WaveformStretch]:
    """The samples [first_index, end_index) that are stored, in order and each once; what is missing is left out."""
    query = sql.SQL("""
        SELECT
            w.recording_id, w.device_id, w.first_index, w.sample_count, w.started_at, w.rate_hz, w.leads,
            w.uv_per_lsb, w.codec, w.data
        FROM ecg_waveforms AS w
        JOIN recordings AS r ON r.recording_id = w.recording_id AND r.device_id = w.device_id
        WHERE r.recording_id = %(recording_id)s
            AND {scope}
            AND w.first_index >= %(first_index)s - %(max_stretch_s)s * r.rate_hz -- no stretch reaches further
            AND w.first_index < %(end_index)s
            AND w.first_index + w.sample_count > %(first_index)s
        ORDER BY w.first_index, w.sample_count DESC, w.started_at
    """).format(scope=access.clause("r.user_id"))
    params = {
        **access.params,
        "recording_id": recording_id,
        "first_index": first_index,
        "end_index": end_index,
        "max_stretch_s": MAX_STRETCH_S,
    }
    return cut(await fetch_all(conn, StretchRow, query, params), first_index, end_index)


async def gaps(
    conn: AsyncConnection, access: Access, recording_id: UUID, first_index: int, end_index: int
) -> list[Gap]:
    """The gaps that touch [first_index, end_index), in order."""
    query = sql.SQL("""
        SELECT g.recording_id, g.first_index, g.end_index
        FROM recording_gaps AS g
        JOIN recordings AS r ON r.recording_id = g.recording_id
        WHERE g.recording_id = %(recording_id)s
            AND {scope}
            AND g.first_index < %(end_index)s
            AND g.end_index > %(first_index)s
        ORDER BY g.first_index
    """).format(scope=access.clause("r.user_id"))
    params = {**access.params, "recording_id": recording_id, "first_index": first_index, "end_index": end_index}
    return await fetch_all(conn, Gap, query, params)


async def extent(conn: AsyncConnection, access: Access, recording_id: UUID) -> Extent:
    """From the first to one past the last sample stored. Raises NotFound for an unknown recording."""
    await recording(conn, access, recording_id)
    cursor = await conn.execute(
        """
        SELECT coalesce(min(first_index), 0), coalesce(max(first_index + sample_count), 0)
        FROM ecg_waveforms
        WHERE recording_id = %s
        """,
        [recording_id],
    )
    row = await cursor.fetchone()
    return Extent(*row) if row else Extent(0, 0)


async def extents(conn: AsyncConnection, recording_ids: Collection[UUID]) -> dict[UUID, Extent]:
    """The extent of each recording that has samples; for recordings that the caller may see, which was asked before.

    Two looks into the key's index each, however long the recording is. Stretches that were flushed early may overlap
    the next one, so the end is that of the last four.
    """
    query = sql.SQL("""
        SELECT a.recording_id, first.first_index, last.end_index
        FROM unnest(%(recording_ids)s::uuid[]) AS a (recording_id)
        CROSS JOIN LATERAL (
            SELECT w.first_index
            FROM ecg_waveforms AS w
            WHERE w.recording_id = a.recording_id
            ORDER BY w.first_index
            LIMIT 1
        ) AS first
        CROSS JOIN LATERAL (
            SELECT max(newest.end_index) AS end_index
            FROM (
                SELECT w.first_index + w.sample_count AS end_index
                FROM ecg_waveforms AS w
                WHERE w.recording_id = a.recording_id
                ORDER BY w.first_index DESC
                LIMIT 4
            ) AS newest
        ) AS last
    """)
    found = await fetch_all(conn, _RecordingExtent, query, {"recording_ids": list(recording_ids)})
    return {row.recording_id: Extent(row.first_index, row.end_index) for row in found}


def _recording_columns(recording: Recording) -> dict[str, object]:
    return {
        "recording_id": recording.recording_id,
        "device_id": recording.device_id,
        "user_id": recording.user_id,
        "started_at": to_datetime(recording.started_at_us),
        "rate_hz": float(recording.rate_hz),
        "leads": array_text(recording.leads),
        "uv_per_lsb": array_text(recording.uv_per_lsb),
    }
