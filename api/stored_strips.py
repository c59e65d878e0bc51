"""Stored strips: from what a query asks for to the strips that the database has of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from api.waveforms import Span, Strip, assemble, index_at
from schemas.errors import Malformed
from schemas.samples import Recording
from storage import samples
from storage.access import Access
from storage.database import Connection
from storage.samples import Extent


@dataclass(frozen=True, slots=True)
class Wanted:
    """A recording and a range of indices, or a recording or a device and a period; `limit` counts all leads."""

    device_id: UUID | None
    recording_id: UUID | None
    start: int | None
    end: int | None
    first_index: int | None
    end_index: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class _Part:
    recording: Recording
    span: Span

    @property
    def size(self) -> int:
        return self.span.count * len(self.recording.leads)


async def read(conn: Connection, access: Access, wanted: Wanted) -> list[Strip]:
    """The strips, in order of time. Raises NotFound, and Malformed for more samples than the limit."""
    parts = [await _part(conn, access, recording, wanted) for recording in await _recordings(conn, access, wanted)]
    parts = [part for part in parts if part.span.count > 0]
    _check_size(parts, wanted.limit)
    return [await _strip(conn, access, part) for part in parts]


async def _recordings(conn: Connection, access: Access, wanted: Wanted) -> list[Recording]:
    if wanted.recording_id is None:
        if wanted.device_id is None or wanted.start is None or wanted.end is None:
            raise Malformed("whose samples is not said; name a recording_id, or a device_id with start and end")
        return await samples.recordings(conn, access, wanted.device_id, wanted.start, wanted.end)
    found = await samples.recording(conn, access, wanted.recording_id)
    if wanted.device_id not in (None, found.device_id):
        raise Malformed(f"recording {found.recording_id} is not of device {wanted.device_id}; leave device_id out")
    return [found]


async def _part(conn: Connection, access: Access, recording: Recording, wanted: Wanted) -> _Part:
    extent = await samples.extent(conn, access, recording.recording_id)
    return _Part(recording, span_of(recording, extent, wanted))


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
    until = first.span.first_index + limit // len(first.recording.leads)
    raise Malformed(
        f"{size} samples are asked for and {limit} fit one answer, all leads together; ask for "
        f"recording_id={first.recording.recording_id}&first_index={first.span.first_index}&end_index={until} and go on "
        "from there, or thin them out with points="
    )


async def _strip(conn: Connection, access: Access, part: _Part) -> Strip:
    span = part.span
    stretches = await samples.read_stretches(
        conn, access, part.recording.recording_id, span.first_index, span.end_index
    )
    return assemble(part.recording, span, stretches)
