"""Reports: PDF pages and uploaded files, listed, downloaded and linked to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import downloads
from api.dependencies import Paging, ReadRooms, Rooms, Witness
from api.downloads import Download
from api.own import report_list
from schemas import clock
from schemas.accounts import Caller
from schemas.errors import NotFound
from schemas.files import content_type_of_type
from schemas.pages import Page
from schemas.reports import Report
from storage import reports
from storage.access import for_caller
from web.callers import Current, Person
from web.problems import documented

router = APIRouter(prefix="/ecg/reports", tags=["Reports"])


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link that anyone who has it can open until it expires."""

    url: str
    expires_at: datetime


@router.get("", summary="Reports, newest first")
async def list_reports(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    current: Current,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
) -> Page[Report]:
    found = await report_list(caller, rooms, current, page, user_id, device_id)
    if found.items:
        witness.saw(caller, "reports.read", device_id or user_id or "all", user_id)
    return found


@router.get("/{report_id}", summary="One report's figures and status", responses=documented(404))
async def report(report_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> Report:
    async with rooms.database.transaction() as conn:
        found = await reports.report(conn, for_caller(caller), report_id)
    witness.saw(caller, "report.read", report_id, found.user_id)
    return found


@router.get(
    "/{report_id}/download", summary="The file, or a range of it", response_class=Response, responses=downloads.ANSWERS
)
async def download(report_id: UUID, caller: Person, request: Request, rooms: Rooms, witness: Witness) -> Response:
    found = await _with_file(report_id, caller, rooms)
    witness.handed_out(caller.user_id, "report.download", report_id, found.user_id)
    return await downloads.send(request, rooms.objects, _file(found))


@router.get("/{report_id}/url", summary="A link to the file that needs no token and expires", responses=documented(404))
async def url(
    report_id: UUID,
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    expires_s: Annotated[int | None, Query(ge=1, le=604_800, description="Default: LEADWIRE_URL_EXPIRES_S")] = None,
) -> ReportLink:
    found = await _with_file(report_id, caller, rooms)
    witness.handed_out(caller.user_id, "report.link", report_id, found.user_id)
    file = _file(found)
    seconds = expires_s or rooms.object_settings.url_expires_s
    expires_at = clock.now() + timedelta(seconds=seconds)
    return ReportLink(await rooms.objects.presigned_url(file.key, seconds, file.filename), expires_at)


async def _with_file(report_id: UUID, caller: Caller, rooms: ReadRooms) -> Report:
    async with rooms.database.transaction() as conn:
        found = await reports.report(conn, for_caller(caller), report_id)
    if found.upload_status != "uploaded" or found.file_path_s3 is None:
        remedy = (
            "send it again, or ask for a new one" if found.upload_status == "failed" else "ask again in a few seconds"
        )
        raise NotFound(f"report {report_id} has no file, its status is {found.upload_status}; {remedy}")
    return found


def _file(report: Report) -> Download:
    media = content_type_of_type(report.file_type)
    return Download(report.file_path_s3 or "", report.filename, media, report.sha256)
