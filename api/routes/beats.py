"""Beats of a device or a recording."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Paging, Rooms
from api.moments import ALL_TIME, Moment, period
from schemas.beats import Beat
from schemas.errors import Malformed
from schemas.pages import Page
from storage import beats
from storage.access import for_caller
from web.callers import Person

router = APIRouter(prefix="/ecg/beats", tags=["Beats"])


@router.get("", summary="Beats with their R peak in [start, end), in order of time")
async def list_beats(
    caller: Person,
    rooms: Rooms,
    page: Paging,
    device_id: Annotated[UUID | None, Query(description="This, recording_id, or both")] = None,
    recording_id: UUID | None = None,
    start: Moment = ALL_TIME.start_us,
    end: Moment = ALL_TIME.end_us,
) -> Page[Beat]:
    if device_id is None and recording_id is None:
        raise Malformed("whose beats is not said; name a device_id or a recording_id")
    span = period(start, end)
    async with rooms.database.transaction() as conn:
        return await beats.list_beats(
            conn, for_caller(caller), device_id, span.start_us, span.end_us, page, recording_id=recording_id
        )
