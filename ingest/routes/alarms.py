"""Alarms: a clinician acknowledges one, and sets a patient's limits; both are audited."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from ingest.people import Body
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.alarms import (
    DEFAULT_LIMITS,
    HIGHEST_BPM,
    LONGEST_DELAY_S,
    LOWEST_BPM,
    AlarmEvent,
    AlarmLimits,
    PatientLimits,
    problem_with,
)
from storage import alarm_limits, alarms, audit
from storage.access import for_caller
from web.callers import Clinician
from web.problems import documented

router = APIRouter(tags=["Alarms"])

_Rate = Annotated[int, Field(ge=LOWEST_BPM, le=HIGHEST_BPM)]


class NewLimits(Body):
    """A patient's limits; what is left out is as by default."""

    low_bpm: _Rate = DEFAULT_LIMITS.low_bpm
    high_bpm: _Rate = DEFAULT_LIMITS.high_bpm
    delay_s: Annotated[int, Field(ge=0, le=LONGEST_DELAY_S)] = DEFAULT_LIMITS.delay_s
    off: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)

    @property
    def limits(self) -> AlarmLimits:
        return AlarmLimits(self.low_bpm, self.high_bpm, self.delay_s, tuple(dict.fromkeys(self.off)))

    @model_validator(mode="after")
    def _check_together(self) -> NewLimits:
        problem = problem_with(self.limits)
        if problem is not None:
            raise ValueError(problem)
        return self


@router.post(
    "/ecg/alarms/{alarm_id}/acknowledge",
    summary="Take note of an alarm (doctors and admins)",
    responses=documented(401, 403, 404, 422, 503),
)
async def acknowledge(alarm_id: UUID, caller: Clinician, request: Request, rooms: Rooms) -> AlarmEvent:
    """The first time counts and is audited; again changes nothing. 503: it is noted, but not told to all; ask again."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        noted = await alarms.acknowledge(conn, for_caller(caller), alarm_id, caller.user_id, at)
        if noted.is_new:
            actor, patient = str(caller.user_id), noted.alarm.user_id
            address = address_of(request)
            await audit.append(conn, actor, "alarm.acknowledge", str(alarm_id), address, at, patient_id=patient)
    await rooms.producer.publish_alarm(noted.alarm)
    return noted.alarm


@router.put(
    "/users/{user_id}/alarm-limits",
    summary="Set a patient's alarm limits (doctors and admins)",
    responses=documented(401, 403, 404, 422, 503),
)
async def set_limits(
    user_id: UUID, body: NewLimits, caller: Clinician, request: Request, rooms: Rooms
) -> PatientLimits:
    """In force within a few seconds, for every device of the patient."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        told = await alarm_limits.set_limits(conn, for_caller(caller), user_id, body.limits, caller.user_id, at)
        actor, address = str(caller.user_id), address_of(request)
        await audit.append(conn, actor, "alarm_limits.set", str(user_id), address, at, patient_id=user_id)
    return told


@router.delete(
    "/users/{user_id}/alarm-limits",
    status_code=204,
    summary="Back to the default alarm limits (doctors and admins)",
    responses=documented(401, 403, 404, 422, 503),
)
async def reset_limits(user_id: UUID, caller: Clinician, request: Request, rooms: Rooms) -> Response:
    async with rooms.database.transaction() as conn:
        await alarm_limits.reset_limits(conn, for_caller(caller), user_id)
        actor, address = str(caller.user_id), address_of(request)
        await audit.append(conn, actor, "alarm_limits.reset", str(user_id), address, clock.now(), patient_id=user_id)
    return Response(status_code=204)
