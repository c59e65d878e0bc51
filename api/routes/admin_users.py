"""Admin: users, deleted ones too, and one of them with everything there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Paging, Rooms, Witness
from schemas import clock
from schemas.accounts import Device, Role
from schemas.pages import Page, PageRequest
from schemas.reports import Report
from schemas.statistics import ManagedUser
from storage import care, managed, metrics_latest
from storage.access import everything, for_caller
from storage.care import Party
from storage.managed import ReportFilter, UserFilter
from storage.metrics_latest import LatestFilter
from storage.metrics_rows import MetricsRow
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/users", tags=["Admin"], responses=documented(403))

_NEWEST_REPORTS = PageRequest(limit=20)
_PARTIES = PageRequest(limit=100)


@dataclass(frozen=True, slots=True)
class WholeUser:
    """A user, their devices, the newest second of each, the newest reports, and who looks after whom."""

    user: ManagedUser
    open_sessions: int
    devices: list[Device]
    latest_metrics: list[MetricsRow]
    reports: list[Report]
    reports_total: int
    doctors: list[Party]
    patients: list[Party]


def _latest(user_id: UUID) -> LatestFilter:
    return LatestFilter(user_id=user_id, deleted=True)


@router.get("", summary="Users, by name")
async def list_users(
    caller: Admin,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    role: Role | None = None,
    is_active: bool | None = None,
    q: Annotated[
        str | None,
        Query(
            pattern=r"^[^\x00]{1,100}$", description="Part of a name, email, phone or serial number", examples=["ada"]
        ),
    ] = None,
    deleted: Annotated[bool, Query(description="Those that were deleted, instead of those that were not")] = False,
) -> Page[ManagedUser]:
    async with rooms.database.transaction() as conn:
        found = await managed.list_managed(conn, UserFilter(role, is_active, q, deleted), page)
    witness.saw(caller, "users.read", "all")
    return found


@router.get("/{user_id}", summary="One user with all data", responses=documented(404))
async def user(user_id: UUID, caller: Admin, rooms: Rooms, witness: Witness) -> WholeUser:
    async with rooms.database.transaction() as conn:
        found = await managed.managed_user(conn, user_id)
        witness.saw(caller, "user.read", user_id, user_id)
        reports = await managed.list_managed_reports(conn, ReportFilter(user_id=user_id), _NEWEST_REPORTS)
        return WholeUser(
            user=found,
            open_sessions=await managed.open_sessions(conn, user_id, clock.now()),
            devices=await managed.devices_of(conn, user_id),
            latest_metrics=(await metrics_latest.latest_page(conn, everything(), _latest(user_id), _PARTIES)).items,
            reports=reports.items,
            reports_total=reports.total,
            doctors=(await care.doctors_of(conn, user_id, _PARTIES)).items,
            patients=(await care.patients_of(conn, for_caller(caller), user_id, _PARTIES)).items,
        )
