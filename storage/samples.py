"""Samples: recordings, the stretches of samples they consist of, and the gaps between them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.rows import args_row

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.samples import Gap, Recording, WaveformStretch
from storage.access import Access
from storage.rows import array_text, columns, fetch_all, fetch_one
from storage.stretches import Packed, StretchRow, cut, pack
from storage.whereabouts import KEPT_COLUMNS, Extent, Kept


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

    Their recordings must be there. Raises ValueError for a stretch longer than MAX_STRETCH_S.
    """
    if stretches:
        await write_packed(conn, await packed(stretches))


async def packed(stretches: Sequence[WaveformStretch]) -> Packed:
    """Stretches made ready for `write_packed`, in a thread: a transaction need not wait for it. Raises ValueError."""
    return await asyncio.to_thread(pack, stretches)


async def write_packed(conn: AsyncConnection, stretches: Packed) -> None:
    """Store what `packed` made, as write_stretches does."""
    if not stretches.count:
        return
    query = """
        INSERT INTO ecg_waveforms AS old (
            device_id, recording_id, first_index, sample_count, started_at, codec, data, envelope, tail
        )
        SELECT *
        FROM unnest(
            %(device_id)s, %(recording_id)s, %(first_index)s, %(sample_count)s, %(started_at)s, %(codec)s, %(data)s,
            %(envelope)s, %(tail)s
        )
        ON CONFLICT (device_id, recording_id, first_index, started_at) DO UPDATE SET
            sample_count = excluded.sample_count,
            codec = excluded.codec,
            data = excluded.data,
            envelope = excluded.envelope,
            tail = excluded.tail
        WHERE excluded.sample_count > old.sample_count
    """
    await conn.execute(query, stretches.rows)
    await _widen(conn, stretches)


async def _widen(conn: AsyncConnection, stretches: Packed) -> None:
    """Have the recordings tell of these stretches too; in the order of their ids, so that two workers never lock up."""
    query = """
        WITH new AS MATERIALIZED (
            SELECT
                q.recording_id, n.first_index, n.end_index, n.first_at, n.end_at, n.longest,
                (extract(epoch FROM q.started_at - n.earliest_origin) * 1000000)::bigint AS early_us,
                (extract(epoch FROM n.latest_origin - q.started_at) * 1000000)::bigint AS late_us
            FROM unnest(
                %(recording_id)s, %(first_index)s, %(end_index)s, %(first_at)s, %(end_at)s, %(longest)s,
                %(earliest_origin)s, %(latest_origin)s
            ) AS n (recording_id, first_index, end_index, first_at, end_at, longest, earliest_origin, latest_origin)
            JOIN recordings AS q ON q.recording_id = n.recording_id
            ORDER BY q.recording_id
            FOR NO KEY UPDATE OF q
        )
        UPDATE recordings AS r
        SET
            first_index = least(r.first_index, new.first_index),
            end_index = greatest(r.end_index, new.end_index),
            first_at = least(r.first_at, new.first_at),
            end_at = greatest(r.end_at, new.end_at),
            longest = greatest(r.longest, new.longest),
            clock_early_us = greatest(r.clock_early_us, new.early_us),
            clock_late_us = greatest(r.clock_late_us, new.late_us)
        FROM new
        WHERE r.recording_id = new.recording_id
            AND (
                r.first_index IS NULL
                OR new.first_index < r.first_index
                OR new.end_index > r.end_index
                OR new.first_at < r.first_at
                OR new.end_at > r.end_at
                OR new.longest > r.longest
                OR new.early_us > r.clock_early_us
                OR new.late_us > r.clock_late_us
            )
    """
    await conn.execute(query, stretches.recordings)


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


async def kept(conn: AsyncConnection, access: Access, recording_id: UUID) -> Kept:
    """One recording and where its samples are. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM recordings AS r
        WHERE r.recording_id = %(recording_id)s AND {scope}
    """).format(columns=sql.SQL(KEPT_COLUMNS), scope=access.clause("r.user_id"))
    found = await fetch_one(conn, Kept.of_row, query, {**access.params, "recording_id": recording_id})
    if found is None:
        raise NotFound(f"no recording {recording_id} among those you may see; ask for samples by device and time")
    return found


async def kept_of_device(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[Kept]:
    """The device's recordings whose samples reach into [start_us, end_us), in the order they began.

    One that has a gap there is among them.
    """
    query = sql.SQL("""
        SELECT {columns}
        FROM recordings AS r
        WHERE r.device_id = %(device_id)s
            AND {scope}
            AND r.first_at < %(end)s
            AND r.end_at > %(start)s
        ORDER BY r.started_at, r.recording_id
    """).format(columns=sql.SQL(KEPT_COLUMNS), scope=access.clause("r.user_id"))
    params = {"device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_all(conn, Kept.of_row, query, {**access.params, **params})


async def recordings(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[Recording]:
    """As kept_of_device, the recordings alone."""
    return [each.recording for each in await kept_of_device(conn, access, device_id, start_us, end_us)]


async def recording(conn: AsyncConnection, access: Access, recording_id: UUID) -> Recording:
    """One recording. Raises NotFound."""
    return (await kept(conn, access, recording_id)).recording


async def extent(conn: AsyncConnection, access: Access, recording_id: UUID) -> Extent:
    """From the first to one past the last sample ever stored. Raises NotFound for an unknown recording."""
    return (await kept(conn, access, recording_id)).extent


async def read_stretches(
    conn: AsyncConnection, access: Access, recording_id: UUID, first_index: int, end_index: int
) -> list[WaveformStretch]:
    """The samples [first_index, end_index) that are stored, in order and each once; what is missing is left out.

    [] for a recording that isn't there or isn't the caller's.
    """
    try:
        found = await kept(conn, access, recording_id)
    except NotFound:
        return []
    return await read_kept(conn, found, first_index, end_index)


async def read_kept(conn: AsyncConnection, found: Kept, first_index: int, end_index: int) -> list[WaveformStretch]:
    """As read_stretches, of a recording that the caller may see, which was asked before.

    Rows are decoded in a thread, so that others are served meanwhile: the first time the codec has to be loaded.
    """
    rows = await stored_rows(conn, found, first_index, end_index)
    return await asyncio.to_thread(cut, found.recording, rows, first_index, end_index)


async def stored_rows(conn: AsyncConnection, found: Kept, first_index: int, end_index: int) -> list[StretchRow]:
    """The rows that hold samples of [first_index, end_index), whole, in the order that `cut` takes them in."""
    query = """
        SELECT w.first_index, w.sample_count, w.started_at, w.codec, coalesce(w.data || w.tail, w.data)
        FROM (
            SELECT *
            FROM ecg_waveforms AS v
            WHERE v.device_id = %(device_id)s
                AND v.recording_id = %(recording_id)s
                AND v.first_index >= %(from_index)s -- no stretch reaches further
                AND v.first_index < %(end_index)s
                AND v.first_index + v.sample_count > %(first_index)s
                AND v.started_at >= %(from_at)s -- TimescaleDB opens no other chunks
                AND v.started_at < %(until_at)s
            ORDER BY v.first_index, v.sample_count DESC, v.started_at
            OFFSET 0 -- put in order first and in one piece then: a third less time
        ) AS w
    """
    async with conn.cursor(row_factory=args_row(StretchRow), binary=True) as cursor:
        await cursor.execute(query, row_params(found, first_index, end_index))
        return await cursor.fetchall()


def row_params(found: Kept, first_index: int, end_index: int) -> dict[str, object]:
    """What a search for the rows that hold samples of [first_index, end_index) is bounded by.

    Its first indices lie in [from_index, end_index), its moments in [from_at, until_at).
    """
    wanted = found.rows_of(first_index, end_index)
    during = found.moments_of(wanted)
    return {
        "device_id": found.recording.device_id,
        "recording_id": found.recording.recording_id,
        "from_index": wanted.first_index,
        "first_index": first_index,
        "end_index": wanted.end_index,
        "from_at": during.start,
        "until_at": during.end,
    }


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
