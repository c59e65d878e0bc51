"""Beats of a device or a recording, and how many of them are ectopic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Paging, Rooms, Witness
from api.moments import ALL_TIME, Moment, period
from schemas.beats import Beat
from schemas.burden import DayBurden, HourBurden
from schemas.errors import Malformed
from schemas.pages import Page
from storage import beats, burden
from storage.access import for_caller
from web.callers import Person

router = APIRouter(prefix="/ecg/beats", tags=["Beats"])

_LONGEST_US: Final = 31 * 86_400_000_000
_LONGEST_BY_DAY_US: Final = 366 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Burden:
    """Hours with beats, in order of time."""

    items: list[HourBurden]


@router.get("", summary="Beats with their R peak in [start, end), in order of time")
async def list_beats(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
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
        found = await beats.list_beats(
            conn, for_caller(caller), device_id, span.start_us, span.end_us, page, recording_id=recording_id
        )
    if found.items:
        witness.saw(caller, "beats.read", recording_id or device_id or "all")
    return found


@router.get(
    "/burden",
    summary="Ectopic beats of each hour that begins in [start, end)",
    description="Hours of UTC, of up to 31 days. Two ectopic beats of a class in a row are a couplet, more a run.",
)
async def list_burden(
    caller: Person, rooms: Rooms, witness: Witness, device_id: UUID, start: Moment, end: Moment
) -> Burden:
    span = period(start, end)
    if span.end_us - span.start_us > _LONGEST_US:
        raise Malformed("the period is over 31 days; ask for one month after the other")
    async with rooms.database.transaction() as conn:
        found = await burden.hourly_burden(conn, for_caller(caller), device_id, span.start_us, span.end_us)
    if found:
        witness.saw(caller, "beats.read", device_id)
    return Burden(found)


@dataclass(frozen=True, slots=True)
class DailyBurden:
    """Days with beats, in order of time."""

    items: list[DayBurden]


@router.get(
    "/burden/daily",
    summary="Ectopic beats of each day that begins in [start, end)",
    description="Days of UTC, of up to 366. Couplets and runs are told by the hour only.",
)
async def list_daily_burden(
    caller: Person, rooms: Rooms, witness: Witness, device_id: UUID, start: Moment, end: Moment
) -> DailyBurden:
    span = period(start, end)
    if span.end_us - span.start_us > _LONGEST_BY_DAY_US:
        raise Malformed("the period is over 366 days; ask for one year after the other")
    async with rooms.database.transaction() as conn:
        found = await burden.daily_burden(conn, for_caller(caller), device_id, span.start_us, span.end_us)
    if found:
        witness.saw(caller, "beats.read", device_id)
    return DailyBurden(found)
