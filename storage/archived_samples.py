"""Samples from wherever they rest: rows of the database and records of the archive in one answer, each sample once."""

# What is asked of the database and what of the object store are two steps, so that no connection waits for a store.
# The rows are read before the index: samples move one way only, so what leaves the rows in between is in the index.

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from psycopg import AsyncConnection

from schemas.clock import index_to_us, to_us
from schemas.errors import Busy, NotFound
from schemas.samples import MISSING, WaveformStretch
from storage import archive_index, drawings, samples
from storage.archive_records import ArchivedPart
from storage.archive_shelf import Shelf
from storage.archive_spans import HeldSamples, Span
from storage.database import Database
from storage.drawings import Drawn
from storage.envelopes import Drawing, Envelope
from storage.stretches import StretchRow, cut
from storage.waveforms import Encoded, decode_many
from storage.whereabouts import IndexWindow, Kept

_TRIES: Final = 3
"""A record that is written anew while it is being read is found under its new name the next time."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the database knows of samples [first_index, end_index): rows, and records that hold what no row does."""

    kept: Kept
    first_index: int
    end_index: int
    rows: list[StretchRow]
    parts: list[ArchivedPart]


async def find(conn: AsyncConnection, kept: Kept, first_index: int, end_index: int) -> Found:
    """For `fetch`; of a recording that the caller may see, which was asked before."""
    rows = await samples.stored_rows(conn, kept, first_index, end_index)
    there = [(row.first_index, row.sample_count, row.started_at) for row in rows]
    parts = await _parts(conn, kept, IndexWindow(first_index, end_index), there)
    return Found(kept, first_index, end_index, rows, parts)


async def fetch(database: Database, shelf: Shelf, found: Found) -> list[WaveformStretch]:
    """The samples, in order and each once; what is missing is left out.

    Raises Busy when the archive can't be read: never an answer that is shorter than it should be.
    """
    for _ in range(_TRIES):
        try:
            held = await _held(shelf, found)
        except NotFound:
            async with database.transaction() as conn:
                found = await find(conn, found.kept, found.first_index, found.end_index)
        else:
            return await asyncio.to_thread(_merged, found, held) if held or len(found.rows) > 8 else _merged(found, [])
    raise _unreadable(found.kept)


async def read_kept(
    database: Database, shelf: Shelf, kept: Kept, first_index: int, end_index: int
) -> list[WaveformStretch]:
    """Both steps. Raises Busy when the archive can't be read."""
    async with database.transaction() as conn:
        found = await find(conn, kept, first_index, end_index)
    return await fetch(database, shelf, found)


@dataclass(frozen=True, slots=True)
class FoundDrawing:
    """What the database has of a drawing, and the records that hold the rest."""

    kept: Kept
    first_index: int
    end_index: int
    points: int
    drawn: Drawn
    parts: list[ArchivedPart]


async def find_drawing(
    conn: AsyncConnection, kept: Kept, first_index: int, end_index: int, points: int
) -> FoundDrawing:
    """For `fetch_drawing`; as drawings.read_drawing."""
    outlines = await drawings.outlines(conn, kept, first_index, end_index)
    drawn = await drawings.drawing_of(conn, kept, outlines, IndexWindow(first_index, end_index), points)
    there = [(row.first_index, row.sample_count, row.started_at) for row in outlines]
    parts = await _parts(conn, kept, IndexWindow(first_index, end_index), there)
    return FoundDrawing(kept, first_index, end_index, points, drawn, parts)


async def fetch_drawing(database: Database, shelf: Shelf, found: FoundDrawing) -> Drawn:
    """The lowest and highest of each part, of all samples. Raises Busy when the archive can't be read."""
    for _ in range(_TRIES):
        try:
            return await _draw(shelf, found)
        except NotFound:
            async with database.transaction() as conn:
                found = await find_drawing(conn, found.kept, found.first_index, found.end_index, found.points)
    raise _unreadable(found.kept)


async def _draw(shelf: Shelf, found: FoundDrawing) -> Drawn:
    if not found.parts:
        return found.drawn
    recording = found.kept.recording
    wanted = IndexWindow(found.first_index, found.end_index)
    drawing = Drawing(len(recording.leads), found.first_index, found.end_index, found.points)
    started_at_us, covered = found.drawn.started_at_us, list(found.drawn.covered)
    holds_first = _holds(covered, found.first_index)
    for part in found.parts:
        held = await shelf.read(part, len(recording.leads), wanted)
        await asyncio.to_thread(_draw_held, drawing, held)
        for span in (each.span for each in held):
            covered.append(IndexWindow(span.first_index, span.end_index))
            if not holds_first and span.first_index <= found.first_index:
                passed = index_to_us(found.first_index - span.first_index, recording.rate_hz)
                started_at_us, holds_first = span.started_at_us + passed, True
    return Drawn(_together(found.drawn.envelope, drawing.envelope()), covered, started_at_us)


def _draw_held(drawing: Drawing, held: Iterable[HeldSamples]) -> None:
    for each in held:
        drawing.add_samples(each.span.first_index, each.samples)


def _holds(covered: Iterable[IndexWindow], index: int) -> bool:
    return any(window.first_index <= index < window.end_index for window in covered)


def _together(one: Envelope, other: Envelope) -> Envelope:
    """Of two envelopes of the same parts that of both; MISSING is below every sample."""
    lowest = np.where(
        one.minimum == MISSING,
        other.minimum,
        np.where(other.minimum == MISSING, one.minimum, np.minimum(one.minimum, other.minimum)),
    )
    return Envelope(lowest, np.maximum(one.maximum, other.maximum))


async def _parts(
    conn: AsyncConnection, kept: Kept, wanted: IndexWindow, rows: Sequence[tuple[int, int, datetime]]
) -> list[ArchivedPart]:
    """The records that hold a stretch about `wanted` of which there is no row as long."""
    if _covers(wanted, rows):
        return []
    there = {(first_index, to_us(started_at)): count for first_index, count, started_at in rows}
    hours = await archive_index.hours_holding(conn, kept.recording.recording_id, wanted.first_index, wanted.end_index)
    return [
        part
        for hour in hours
        for part in hour.parts
        if any(
            there.get((span.first_index, span.started_at_us), 0) < span.count
            for span in part.spans
            if _overlap(span, wanted.first_index, wanted.end_index)
        )
    ]


def _covers(wanted: IndexWindow, rows: Sequence[tuple[int, int, datetime]]) -> bool:
    """Whether rows in order of their first index hold every sample: then nobody needs to look further."""
    reached = wanted.first_index
    for first_index, count, _ in rows:
        if first_index > reached:
            return False
        reached = max(reached, first_index + count)
    return reached >= wanted.end_index


def _overlap(span: Span, first_index: int, end_index: int) -> bool:
    return span.first_index < end_index and span.end_index > first_index


async def _held(shelf: Shelf, found: Found) -> list[HeldSamples]:
    leads, wanted = len(found.kept.recording.leads), IndexWindow(found.first_index, found.end_index)
    read = await asyncio.gather(*(shelf.read(part, leads, wanted) for part in found.parts))
    return [held for part in read for held in part]


def _merged(found: Found, held: Sequence[HeldSamples]) -> list[WaveformStretch]:
    """In the order of rows; of what overlaps the first has its say, as among rows alone."""
    recording = found.kept.recording
    if not held:
        return cut(recording, found.rows, found.first_index, found.end_index)
    leads = len(recording.leads)
    decoded = _decoded(found.rows, leads)
    reached, stretches = found.first_index, list[WaveformStretch]()
    for each in sorted([*decoded, *held], key=lambda one: one.span.order):
        span = each.span
        begin, end = max(span.first_index, reached), min(span.end_index, found.end_index)
        if begin < end:
            skipped = begin - span.first_index
            stretches.append(
                WaveformStretch(
                    recording.recording_id,
                    recording.device_id,
                    begin,
                    span.started_at_us + index_to_us(skipped, recording.rate_hz),
                    recording.rate_hz,
                    recording.leads,
                    recording.uv_per_lsb,
                    each.samples[:, skipped : end - span.first_index],
                )
            )
            reached = end
    return stretches


def _decoded(rows: Sequence[StretchRow], leads: int) -> list[HeldSamples]:
    counts = [row.sample_count for row in rows]
    if not rows:
        return []
    joined = decode_many([Encoded(row.codec, row.data) for row in rows], leads, counts)
    ends = np.cumsum(counts).tolist()
    return [
        HeldSamples(
            Span(row.first_index, row.sample_count, to_us(row.started_at)), joined[:, end - row.sample_count : end]
        )
        for row, end in zip(rows, ends, strict=True)
    ]


def _unreadable(kept: Kept) -> Busy:
    return Busy(
        f"archived samples of recording {kept.recording.recording_id} are not in the object store; try again, and if "
        "it stays so run `leadwire archive verify`"
    )
