"""Recordings: what a device acquired, and how much of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, Rooms, Witness
from api.moments import ALL_TIME, Moment, period
from schemas import cursors
from schemas.pages import Page, PageRequest
from schemas.samples import Lead, Recording
from storage import samples
from storage.access import for_caller
from storage.whereabouts import Kept
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/ecg/recordings", tags=["Samples"])


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A recording; all samples ever stored of it lie in [first_index, end_index)."""

    recording_id: UUID
    device_id: UUID
    user_id: UUID | None
    started_at_us: int
    rate_hz: float
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]
    first_index: int
    end_index: int


def stored(kept: Kept) -> StoredRecording:
    recording, extent = kept.recording, kept.extent
    return StoredRecording(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        user_id=recording.user_id,
        started_at_us=recording.started_at_us,
        rate_hz=recording.rate_hz,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        first_index=extent.first_index,
        end_index=extent.end_index,
    )


@router.get("", summary="A device's recordings with samples in [start, end), in the order they began")
async def list_recordings(
    device_id: UUID,
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    start: Moment = ALL_TIME.start_us,
    end: Moment = ALL_TIME.end_us,
) -> Page[StoredRecording]:
    span, access = period(start, end), for_caller(caller)
    async with rooms.database.transaction() as conn:
        found = await samples.kept_of_device(conn, access, device_id, span.start_us, span.end_us)
    first = _first([one.recording for one in found], page)
    items = [stored(one) for one in found[first : first + page.limit]]
    if items:
        witness.saw(caller, "recordings.read", device_id)
    has_more = first + page.limit < len(found)
    following = cursors.encode([items[-1].started_at_us, items[-1].recording_id]) if has_more and items else None
    return Page(items, page.page, page.limit, len(found), next=following)


def _first(found: list[Recording], page: PageRequest) -> int:
    """Where the page begins: a device has few recordings, and all of them are here."""
    if page.after is None:
        return page.offset
    started_at_us, recording_id = cursors.decode(page.after, ["bigint", "uuid"])
    return sum((one.started_at_us, one.recording_id) <= (started_at_us, recording_id) for one in found)


@router.get("/{recording_id}", summary="One recording", responses=documented(404))
async def recording(recording_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> StoredRecording:
    access = for_caller(caller)
    async with rooms.database.transaction() as conn:
        found = await samples.kept(conn, access, recording_id)
    witness.saw(caller, "recording.read", recording_id, found.recording.user_id)
    return stored(found)
