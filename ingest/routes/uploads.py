"""ecg/reports/upload: a report that a device or the desktop app has made comes in as a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ingest.rooms import Rooms, address_of
from ingest.uploads import Sender, check_owner, identified, store_received
from ingest.uploads_form import ReportForm, documented_body, form
from ingest.uploads_multipart import received
from schemas.accounts import Caller
from schemas.errors import Duplicate, NotFound
from schemas.files import FileKind, UploadedFile
from schemas.reports import Report
from storage import devices, report_uploads
from storage.access import for_caller
from storage.database import Connection
from storage.report_uploads import ReportFigures
from storage.uploads import Claim
from web import problems
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/ecg/reports", tags=["Reports"])

_KIND: Final[FileKind] = "report"


@dataclass(frozen=True, slots=True)
class _Reports:
    """ecg_reports, as an upload sees it; `figures` are what the form told."""

    figures: ReportFigures
    kind: FileKind = _KIND
    action: str = "report.upload"

    async def claim(self, conn: Connection, row_id: UUID, file: UploadedFile, at: datetime) -> Claim:
        return await report_uploads.claim(conn, row_id, file, self.figures, at)

    async def finish(self, conn: Connection, claim: Claim, service: str, url: str, at: datetime) -> Report | None:
        return await report_uploads.finish(conn, claim.row_id, service, url, at)

    async def fail(self, conn: Connection, claim: Claim) -> None:
        await report_uploads.fail(conn, claim.row_id)


@router.post(
    "/upload",
    status_code=201,
    summary="Send a report as a file",
    response_model=Report,
    responses=documented(401, 404, 409, 413, 415, 422, 503),
    openapi_extra=documented_body(ReportForm),
)
async def upload_report(caller: Person, request: Request, response: Response, rooms: Rooms) -> Report | JSONResponse:
    """Multipart: the field `file`, and what is known of it; for yourself, a patient in care, as an admin anyone.

    A file that its owner has already is 409, and `Location` says which report it is. After 503 send the same file
    again: it fills the row it has.
    """
    async with received(request, rooms.http.max_upload_bytes) as body:
        told = form(ReportForm, body.fields)
        async with rooms.database.transaction() as conn:
            owner = await _owner(conn, caller, told)
        target, sender = _Reports(told.figures()), Sender(caller, address_of(request))
        file = await identified(rooms, target, body, owner, sender)
        stored = await store_received(rooms, target, file, body, sender)
    location = f"{rooms.http.prefix}/ecg/reports/{stored.row_id}"
    if stored.row is None:
        return _already_there(stored.row_id, location, request)
    response.headers["Location"] = location
    return stored.row


async def _owner(conn: Connection, caller: Caller, told: ReportForm) -> UUID:
    """Whose report it is: whom the form names, else whose device it names, else the caller. Raises NotFound."""
    device = None
    if told.device_id is not None:
        device = await devices.device(conn, for_caller(caller), told.device_id)
    owner = told.user_id or (device.user_id if device is not None else None) or caller.user_id
    await check_owner(conn, caller, owner)
    if device is not None and device.user_id != owner and caller.role != "admin":  # who may know of former owners
        raise NotFound(f"no device {device.device_id} of user {owner}; leave device_id out, or correct one of the two")
    return owner


def _already_there(report_id: UUID, location: str, request: Request) -> JSONResponse:
    error = Duplicate(f"the same file is report {report_id} already; read that one, or delete it first")
    answer = problems.of(error, request.url.path)
    answer.headers["Location"] = location
    return answer
