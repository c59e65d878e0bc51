"""HRV: heart rate variability of each five minutes of a device."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, Rooms, Witness
from api.moments import ALL_TIME, Moment, period
from schemas.hrv import HrvStretch
from schemas.pages import Page
from storage import hrv
from storage.access import for_caller
from web.callers import Person

router = APIRouter(prefix="/ecg/hrv", tags=["HRV"])


@router.get(
    "",
    summary="Five-minute stretches that begin in [start, end), newest first",
    description="Done about half a minute after a stretch's end. One without figures tells its `reason`.",
)
async def list_hrv(
    device_id: UUID,
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    start: Moment = ALL_TIME.start_us,
    end: Moment = ALL_TIME.end_us,
) -> Page[HrvStretch]:
    span = period(start, end)
    async with rooms.database.transaction() as conn:
        found = await hrv.list_hrv(conn, for_caller(caller), device_id, span.start_us, span.end_us, page)
    if found.items:
        witness.saw(caller, "hrv.read", device_id)
    return found
