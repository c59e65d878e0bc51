"""Admin: everybody's reports, each with a link that opens it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from api.dependencies import Paging, ReadRooms, ReadWitness, Rooms, Witness
from api.moments import Moment
from schemas import clock
from schemas.accounts import Caller
from schemas.pages import Page
from schemas.reports import Report
from storage import managed, reports
from storage.access import for_caller
from storage.managed import ReportFilter
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/reports", tags=["Admin"], responses=documented(403))


@dataclass(frozen=True, slots=True)
class LinkedReport(Report):
    """A report, and a link to its file that needs no token until it expires; none while there is no file."""

    url: str | None
    url_expires_at: datetime | None


@router.get("", summary="Reports, newest first, with links to their files")
async def list_reports(
    caller: Admin,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    upload_status: Literal["pending", "uploaded", "failed"] | None = None,
    cloud_service: Literal["s3", "azure", "gcs", "local"] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> Page[LinkedReport]:
    wanted = ReportFilter(
        user_id,
        device_id,
        upload_status,
        cloud_service,
        None if start is None else clock.to_datetime(start),
        None if end is None else clock.to_datetime(end),
    )
    async with rooms.database.transaction() as conn:
        found = await managed.list_managed_reports(conn, wanted, page)
    if found.items:
        witness.saw(caller, "reports.read", device_id or user_id or "all", user_id)
    linked = [await _linked(report, caller, rooms, witness) for report in found.items]
    return Page(linked, found.page, found.limit, found.total, found.total_is_exact, found.next)


@router.get("/{report_id}", summary="One report with a link to its file", responses=documented(404))
async def report(report_id: UUID, caller: Admin, rooms: Rooms, witness: Witness) -> LinkedReport:
    async with rooms.database.transaction() as conn:
        found = await reports.report(conn, for_caller(caller), report_id)
    witness.saw(caller, "report.read", report_id, found.user_id)
    return await _linked(found, caller, rooms, witness)


async def _linked(found: Report, caller: Caller, rooms: ReadRooms, witness: ReadWitness) -> LinkedReport:
    if found.upload_status != "uploaded" or found.file_path_s3 is None:
        return LinkedReport(**asdict(found), url=None, url_expires_at=None)
    witness.handed_out(caller.user_id, "report.link", found.report_id, found.user_id, once=True)
    seconds = rooms.object_settings.url_expires_s
    url = await rooms.objects.presigned_url(found.file_path_s3, seconds, found.filename)
    return LinkedReport(**asdict(found), url=url, url_expires_at=clock.now() + timedelta(seconds=seconds))
