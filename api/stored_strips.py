"""Stored strips: from what a query asks for to the strips or drawings that the database has of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from api.waveforms import Drawn, Span, Strip, assemble, drawn, index_at, uncovered
from schemas.errors import Malformed
from schemas.samples import Lead, Recording
from storage import archived_samples, samples
from storage.access import Access
from storage.archive_shelf import Shelf
from storage.archived_samples import Found, FoundDrawing
from storage.database import Connection, Database
from storage.whereabouts import Extent, Kept

Made = TypeVar("Made", Strip, Drawn)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording and a range of indices, or a recording or a device and a period; `limit` counts all leads.

    `leads` are those to answer with, in this order; () for all.
    """

    device_id: UUID | None
    recording_id: UUID | None
    start: int | None
    end: int | None
    first_index: int | None
    end_index: int | None
    limit: int
    leads: tuple[Lead, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A span of a recording, and which of its leads by number."""

    kept: Kept
    span: Span
    chosen: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.span.count * len(self.chosen)

    @property
    def bounds(self) -> tuple[int, int]:
        return self.span.first_index, self.span.end_index

    @property
    def answered(self) -> Recording:
        """The recording as the answer tells it: with the chosen leads only."""
        recording = self.kept.recording
        leads = tuple(recording.leads[number] for number in self.chosen)
        return replace(recording, leads=leads, uv_per_lsb=tuple(recording.uv_per_lsb[number] for number in self.chosen))


async def read(database: Database, shelf: Shelf, access: Access, wanted: Wanted) -> list[Strip]:
    """The strips, in order of time, from the database and from the archive.

    Raises NotFound, Malformed for more samples than the limit, and Busy when the archive can't be read.
    """
    async with database.transaction() as conn:
        parts = _checked(await _recordings(conn, access, wanted), wanted)
        found = [await archived_samples.find(conn, part.kept, *part.bounds) for part in parts]
    made = [
        assemble(part.answered, part.span, await archived_samples.fetch(database, shelf, one), part.chosen)
        for part, one in zip(parts, found, strict=True)
    ]
    return _telling(made, wanted)


async def draw(database: Database, shelf: Shelf, access: Access, wanted: Wanted, points: int) -> list[Drawn]:
    """The lowest and highest of each of `points` parts of each strip. Raises like `read`."""
    async with database.transaction() as conn:
        parts = _checked(await _recordings(conn, access, wanted), wanted)
        found = [await _find_drawing(conn, part, points) for part in parts]
    made = [await _drawn(database, shelf, part, one, points) for part, one in zip(parts, found, strict=True)]
    return _telling(made, wanted)


def _checked(found: list[Kept], wanted: Wanted) -> list[_Part]:
    parts = _parts(found, wanted)
    _check_size(parts, wanted.limit)
    return parts


def _telling(made: list[Made], wanted: Wanted) -> list[Made]:
    if wanted.recording_id is None:  # of a device, a recording that only has a gap there has nothing to say
        return [one for one in made if list(uncovered(one.span, ())) != one.gaps]
    return made


async def _recordings(conn: Connection, access: Access, wanted: Wanted) -> list[Kept]:
    if wanted.recording_id is None:
        if wanted.device_id is None or wanted.start is None or wanted.end is None:
            raise Malformed("whose samples is not said; name a recording_id, or a device_id with start and end")
        return await samples.kept_of_device(conn, access, wanted.device_id, wanted.start, wanted.end)
    found = await samples.kept(conn, access, wanted.recording_id)
    if wanted.device_id not in (None, found.recording.device_id):
        raise Malformed(f"recording {wanted.recording_id} is not of device {wanted.device_id}; leave device_id out")
    return [found]


def _parts(found: list[Kept], wanted: Wanted) -> list[_Part]:
    parts = [_Part(kept, span_of(kept.recording, kept.extent, wanted), chosen(kept, wanted.leads)) for kept in found]
    if parts and not any(part.chosen for part in parts):
        there = ",".join(dict.fromkeys(lead for kept in found for lead in kept.recording.leads))
        raise Malformed(f"leads={','.join(wanted.leads)} were not recorded; ask for some of {there}")
    return [part for part in parts if part.size > 0]


def chosen(kept: Kept, leads: tuple[Lead, ...]) -> tuple[int, ...]:
    """The numbers of those leads that the recording has, in the order asked for; all of its own for ()."""
    own = kept.recording.leads
    return tuple(own.index(lead) for lead in leads if lead in own) if leads else tuple(range(len(own)))


def span_of(recording: Recording, extent: Extent, wanted: Wanted) -> Span:
    """What is asked of a recording, cut to what is stored of it; perhaps of no or negative count."""
    first_index, end_index = wanted.first_index, wanted.end_index
    if wanted.start is not None:
        first_index = index_at(recording, wanted.start)
    if wanted.end is not None:
        end_index = index_at(recording, wanted.end)
    return Span(
        extent.first_index if first_index is None else max(first_index, extent.first_index),
        extent.end_index if end_index is None else min(end_index, extent.end_index),
    )


def _check_size(parts: list[_Part], limit: int) -> None:
    size = sum(part.size for part in parts)
    if size <= limit:
        return
    first = parts[0]
    until = first.span.first_index + limit // len(first.chosen)
    raise Malformed(
        f"{size} samples are asked for and {limit} fit one answer, all leads together; ask for "
        f"recording_id={first.kept.recording.recording_id}&first_index={first.span.first_index}&end_index={until} and "
        "go on from there, or thin them out with points="
    )


async def _find_drawing(conn: Connection, part: _Part, points: int) -> Found | FoundDrawing:
    if part.span.count // points < part.kept.longest:  # no row lies within one part, so all would be decoded anyway
        return await archived_samples.find(conn, part.kept, *part.bounds)
    return await archived_samples.find_drawing(conn, part.kept, *part.bounds, points)


async def _drawn(database: Database, shelf: Shelf, part: _Part, found: Found | FoundDrawing, points: int) -> Drawn:
    if isinstance(found, Found):
        stretches = await archived_samples.fetch(database, shelf, found)
        return drawn(assemble(part.answered, part.span, stretches, part.chosen), points)
    made = await archived_samples.fetch_drawing(database, shelf, found)
    gaps = uncovered(part.span, (Span(one.first_index, one.end_index) for one in made.covered))
    return Drawn(part.answered, part.span, made.started_at_us, made.envelope.of_leads(part.chosen), list(gaps))
