"""Rhythms: a device's episodes."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, Rooms, Witness
from api.moments import ALL_TIME, Moment, period
from schemas.pages import Page
from schemas.rhythms import RhythmEpisode
from storage import rhythms
from storage.access import for_caller
from web.callers import Person

router = APIRouter(prefix="/ecg/rhythms", tags=["Rhythms"])


@router.get("", summary="Episodes that touch [start, end), in the order they began")
async def list_rhythms(
    device_id: UUID,
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    start: Moment = ALL_TIME.start_us,
    end: Moment = ALL_TIME.end_us,
) -> Page[RhythmEpisode]:
    span = period(start, end)
    async with rooms.database.transaction() as conn:
        found = await rhythms.list_rhythms(conn, for_caller(caller), device_id, span.start_us, span.end_us, page)
    if found.items:
        witness.saw(caller, "rhythms.read", device_id)
    return found
