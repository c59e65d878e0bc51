"""Drawings: the lowest and highest samples of a long range, from the rows' envelopes; few rows are decoded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from psycopg import AsyncConnection
from psycopg.rows import args_row

from schemas.clock import index_to_us, to_us
from storage.envelopes import Drawing, Envelope
from storage.samples import row_params
from storage.stretches import StretchRow
from storage.waveforms import Encoded, decode_many
from storage.whereabouts import IndexWindow, Kept

_DECODED_AT_ONCE: Final = 256
"""Rows: some megabytes of samples."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The envelope of [first_index, end_index) of a recording, all its leads; `covered` are the rows it is made of.

    `started_at_us` is the moment of first_index, by the row that holds it or else by the recording's start.
    """

    envelope: Envelope
    covered: list[IndexWindow]
    started_at_us: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A row without its samples."""

    first_index: int
    sample_count: int
    started_at: datetime
    envelope: bytes | None

    @property
    def end_index(self) -> int:
        return self.first_index + self.sample_count


async def read_drawing(conn: AsyncConnection, found: Kept, first_index: int, end_index: int, points: int) -> Drawn:
    """Lowest and highest of each of `points` equal parts of a range, of a recording that the caller may see.

    Exactly what all samples decoded would give: a row within one part is taken by its envelope, and of each row that
    reaches over the edge of a part, or has no envelope, the samples are read. Raises ValueError for a damaged row.
    """
    rows = await outlines(conn, found, first_index, end_index)
    return await drawing_of(conn, found, rows, IndexWindow(first_index, end_index), points)


async def drawing_of(
    conn: AsyncConnection, found: Kept, rows: Sequence[Outline], wanted: IndexWindow, points: int
) -> Drawn:
    """The drawing that these rows make."""
    drawing = Drawing(len(found.recording.leads), wanted.first_index, wanted.end_index, points)
    await draw_rows(conn, found, drawing, rows)
    covered = [IndexWindow(row.first_index, row.end_index) for row in rows]
    return Drawn(drawing.envelope(), covered, _started_at_us(found, rows, wanted.first_index))


async def draw_rows(conn: AsyncConnection, found: Kept, drawing: Drawing, outlines: Sequence[Outline]) -> None:
    """Take these rows into the drawing."""
    edges = await asyncio.to_thread(_draw_outlines, drawing, outlines)
    for begin in range(0, len(edges), _DECODED_AT_ONCE):
        rows = await _rows(conn, found, edges[begin : begin + _DECODED_AT_ONCE])
        await asyncio.to_thread(_draw_samples, drawing, rows)


def _draw_outlines(drawing: Drawing, outlines: Sequence[Outline]) -> list[Outline]:
    """Take in the rows whose envelope will do, and return the others."""
    first = np.array([row.first_index for row in outlines], np.int64)
    end = np.array([row.end_index for row in outlines], np.int64)
    size = 4 * drawing.leads
    told = np.array([row.envelope is not None and len(row.envelope) == size for row in outlines], np.bool_)
    whole = drawing.within_one_part(first, end) & told
    taken = [row.envelope or b"" for row, is_whole in zip(outlines, whole.tolist(), strict=True) if is_whole]
    drawing.add_rows(first[whole], np.frombuffer(b"".join(taken), "<i2").reshape(-1, drawing.leads, 2))
    return [row for row, is_whole in zip(outlines, whole.tolist(), strict=True) if not is_whole]


def _draw_samples(drawing: Drawing, rows: Sequence[StretchRow]) -> None:
    coded = [Encoded(row.codec, row.data) for row in rows]
    samples = decode_many(coded, drawing.leads, [row.sample_count for row in rows])
    at = 0
    for row in rows:
        drawing.add_samples(row.first_index, samples[:, at : at + row.sample_count])
        at += row.sample_count


async def outlines(conn: AsyncConnection, found: Kept, first_index: int, end_index: int) -> list[Outline]:
    """The rows that hold samples of [first_index, end_index), without their samples."""
    query = """
        SELECT w.first_index, w.sample_count, w.started_at, w.envelope
        FROM ecg_waveforms AS w
        WHERE w.device_id = %(device_id)s
            AND w.recording_id = %(recording_id)s
            AND w.first_index >= %(from_index)s
            AND w.first_index < %(end_index)s
            AND w.first_index + w.sample_count > %(first_index)s
            AND w.started_at >= %(from_at)s
            AND w.started_at < %(until_at)s
        ORDER BY w.first_index, w.sample_count DESC, w.started_at
    """
    async with conn.cursor(row_factory=args_row(Outline), binary=True) as cursor:
        await cursor.execute(query, row_params(found, first_index, end_index))
        return await cursor.fetchall()


async def _rows(conn: AsyncConnection, found: Kept, outlines: Sequence[Outline]) -> list[StretchRow]:
    query = """
        SELECT w.first_index, w.sample_count, w.started_at, w.codec, coalesce(w.data || w.tail, w.data)
        FROM unnest(%(first)s::bigint[], %(at)s::timestamptz[]) AS n (first_index, started_at)
        JOIN ecg_waveforms AS w ON w.device_id = %(device_id)s
            AND w.recording_id = %(recording_id)s
            AND w.first_index = n.first_index
            AND w.started_at = n.started_at
            AND w.started_at >= %(from_at)s
            AND w.started_at <= %(until_at)s
    """
    moments = [row.started_at for row in outlines]
    params = {
        "first": [row.first_index for row in outlines],
        "at": moments,
        "device_id": found.recording.device_id,
        "recording_id": found.recording.recording_id,
        "from_at": min(moments),
        "until_at": max(moments),
    }
    async with conn.cursor(row_factory=args_row(StretchRow), binary=True) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


def _started_at_us(found: Kept, outlines: Sequence[Outline], first_index: int) -> int:
    rate_hz = found.recording.rate_hz
    for row in outlines:
        if row.first_index <= first_index < row.end_index:
            return to_us(row.started_at) + index_to_us(first_index - row.first_index, rate_hz)
    return found.recording.started_at_us + index_to_us(first_index, rate_hz)
