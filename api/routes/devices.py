"""Devices, and which of them are live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.responses import Response

from api.dependencies import After, Paging, Rooms, Witness
from schemas import clock
from schemas.accounts import Device
from schemas.pages import MAX_LIMIT, Cursor, Page, PageRequest
from schemas.reports import Report
from storage import devices, live, reports
from storage.access import for_caller
from storage.live import LiveDevice
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/devices", tags=["Devices"])


@dataclass(frozen=True, slots=True)
class LiveDevices:
    """Devices that were heard of lately; `next` is the cursor of further ones, if there are any."""

    items: list[LiveDevice]
    next: Cursor = None


_LIVE: Final = TypeAdapter(LiveDevices)
"""Pages ask for this every second: written at once, without FastAPI's second check of what the database said."""


@router.get("", summary="Devices, in the order they were registered")
async def list_devices(
    caller: Person, rooms: Rooms, witness: Witness, page: Paging, user_id: UUID | None = None
) -> Page[Device]:
    async with rooms.database.transaction() as conn:
        found = await devices.list_devices(conn, for_caller(caller), page, user_id)
    if found.items:
        witness.saw(caller, "devices.read", user_id or "all", user_id)
    return found


@router.get(
    "/live", summary="Who is live: devices heard of lately, with patient and newest figures", response_model=LiveDevices
)
async def live_now(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    within_s: Annotated[int, Query(ge=1, le=3600, description="How long ago counts as live")] = 60,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Devices per answer")] = MAX_LIMIT,
    after: After = None,
) -> Response:
    since = clock.now() - timedelta(seconds=within_s)
    async with rooms.database.transaction() as conn:
        found = await live.live_devices(conn, for_caller(caller), since, PageRequest(1, limit, after))
    if found.items:
        witness.saw(caller, "live.read", "all")
    return Response(_LIVE.dump_json(LiveDevices(found.items, found.next)), media_type="application/json")


@router.get("/{device_id}", summary="One device", responses=documented(404))
async def device(device_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> Device:
    async with rooms.database.transaction() as conn:
        found = await devices.device(conn, for_caller(caller), device_id)
    witness.saw(caller, "device.read", device_id, found.user_id)
    return found


@router.get("/{device_id}/reports", summary="A device's reports, newest first", responses=documented(404))
async def reports_of(device_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[Report]:
    async with rooms.database.transaction() as conn:
        access = for_caller(caller)
        await devices.device(conn, access, device_id)
        found = await reports.list_reports(conn, access, page, device_id=device_id)
    if found.items:
        witness.saw(caller, "reports.read", device_id)
    return found
