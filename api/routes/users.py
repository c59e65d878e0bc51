"""Users, and what belongs to one of them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, Rooms, Witness
from schemas.accounts import Device, User
from schemas.pages import Page
from schemas.reports import Report
from storage import accounts, care, devices, metrics, reports
from storage.access import for_caller
from storage.care import Party
from storage.metrics import MetricsFilter
from storage.metrics_rows import MetricsRow
from web.callers import Admin, Person
from web.problems import documented

router = APIRouter(prefix="/users", tags=["Users"])


@router.get("", summary="All users, by name (admins)", responses=documented(403))
async def list_users(caller: Admin, rooms: Rooms, witness: Witness, page: Paging) -> Page[User]:
    async with rooms.database.transaction() as conn:
        found = await accounts.list_users(conn, for_caller(caller), page)
    witness.saw(caller, "users.read", "all")
    return found


@router.get("/{user_id}", summary="One user", responses=documented(404))
async def user(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> User:
    async with rooms.database.transaction() as conn:
        found = await accounts.user(conn, for_caller(caller), user_id)
    witness.saw(caller, "user.read", user_id, user_id)
    return found


@router.get("/{user_id}/devices", summary="A user's devices", responses=documented(404))
async def devices_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[Device]:
    async with rooms.database.transaction() as conn:
        access = for_caller(caller)
        await accounts.user(conn, access, user_id)
        found = await devices.list_devices(conn, access, page, user_id)
    if found.items:
        witness.saw(caller, "devices.read", user_id, user_id)
    return found


@router.get("/{user_id}/reports", summary="A user's reports, newest first", responses=documented(404))
async def reports_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[Report]:
    async with rooms.database.transaction() as conn:
        access = for_caller(caller)
        await accounts.user(conn, access, user_id)
        found = await reports.list_reports(conn, access, page, user_id=user_id)
    if found.items:
        witness.saw(caller, "reports.read", user_id, user_id)
    return found


@router.get("/{user_id}/metrics", summary="A user's metrics, newest first", responses=documented(404))
async def metrics_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[MetricsRow]:
    async with rooms.database.transaction() as conn:
        access = for_caller(caller)
        await accounts.user(conn, access, user_id)
        found = await metrics.list_metrics(conn, access, MetricsFilter(user_id=user_id), page)
    if found.items:
        witness.saw(caller, "metrics.read", user_id, user_id)
    return found


@router.get("/{user_id}/doctors", summary="Who looks after a patient now", responses=documented(404))
async def doctors_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[Party]:
    async with rooms.database.transaction() as conn:
        await accounts.user(conn, for_caller(caller), user_id)
        found = await care.doctors_of(conn, user_id, page)
    if found.items:
        witness.saw(caller, "care.read", user_id, user_id)
    return found


@router.get("/{user_id}/patients", summary="Whom a doctor looks after now", responses=documented(404))
async def patients_of(user_id: UUID, caller: Person, rooms: Rooms, witness: Witness, page: Paging) -> Page[Party]:
    async with rooms.database.transaction() as conn:
        access = for_caller(caller)
        await accounts.user(conn, access, user_id)
        found = await care.patients_of(conn, access, user_id, page)
    if found.items:
        witness.saw(caller, "care.read", user_id, user_id)
    return found
