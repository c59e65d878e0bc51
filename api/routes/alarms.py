"""Alarms: what wants a look, and the limits of a patient."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, Rooms, Witness
from schemas.alarms import AlarmEvent, PatientLimits, Priority
from schemas.pages import Page
from storage import alarm_limits, alarms
from storage.access import for_caller
from storage.alarms import AlarmFilter
from web.callers import Person
from web.problems import documented

router = APIRouter(tags=["Alarms"])


@router.get(
    "/ecg/alarms",
    summary="Alarms, the most urgent first and of those the newest",
    description="Research use: not for primary alarms. `active` picks those that last or wait to be acknowledged.",
)
async def list_alarms(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    priority: Priority | None = None,
    active: bool | None = None,
) -> Page[AlarmEvent]:
    wanted = AlarmFilter(user_id, device_id, priority, active)
    async with rooms.database.transaction() as conn:
        found = await alarms.list_alarms(conn, for_caller(caller), wanted, page)
    if found.items:
        witness.saw(caller, "alarms.read", device_id or user_id or "all", user_id)
    return found


@router.get("/ecg/alarms/{alarm_id}", summary="One alarm", responses=documented(404))
async def alarm(alarm_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> AlarmEvent:
    async with rooms.database.transaction() as conn:
        found = await alarms.alarm(conn, for_caller(caller), alarm_id)
    witness.saw(caller, "alarm.read", alarm_id, found.user_id)
    return found


@router.get("/users/{user_id}/alarm-limits", summary="A patient's alarm limits", responses=documented(404))
async def limits_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> PatientLimits:
    async with rooms.database.transaction() as conn:
        found = await alarm_limits.limits_of(conn, for_caller(caller), user_id)
    witness.saw(caller, "alarm_limits.read", user_id, user_id)
    return found
