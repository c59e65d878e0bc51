"""cloud: any other file for the object store comes in, and any file of it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import JSONResponse

from ingest.rooms import Rooms, address_of
from ingest.uploads import Sender, check_owner, identified, store_received
from ingest.uploads_form import OwnedForm, documented_body, form
from ingest.uploads_multipart import received
from ingest.uploads_sweeper import sweep
from schemas import clock
from schemas.accounts import Caller
from schemas.errors import Duplicate, Forbidden
from schemas.files import CloudFile, FileKind, UploadedFile
from storage import audit, cloud_files, reports
from storage.access import for_caller
from storage.database import Connection
from storage.object_keys import cloud_file_key
from storage.uploads import Claim
from web import problems
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/cloud", tags=["Cloud"])


@dataclass(frozen=True, slots=True)
class _Files:
    """cloud_files, as an upload sees it."""

    kind: FileKind = "file"
    action: str = "file.upload"

    async def claim(self, conn: Connection, row_id: UUID, file: UploadedFile, at: datetime) -> Claim:
        key = cloud_file_key(file.user_id, row_id, file.file_type)
        return await cloud_files.claim(conn, row_id, "file", key, file, at)

    async def finish(self, conn: Connection, claim: Claim, service: str, url: str, at: datetime) -> CloudFile | None:
        return await cloud_files.finish(conn, claim.row_id, service, url, at)

    async def fail(self, conn: Connection, claim: Claim) -> None:
        await cloud_files.fail(conn, claim.row_id)


@router.post(
    "/upload",
    status_code=201,
    summary="Send any file to the object store",
    response_model=CloudFile,
    responses=documented(401, 404, 409, 413, 415, 422, 503),
    openapi_extra=documented_body(OwnedForm),
)
async def upload_file(caller: Person, request: Request, rooms: Rooms) -> CloudFile | JSONResponse:
    """Multipart: the field `file`, and `user_id` if it is not for yourself. Types that are not known only from admins.

    A file that its owner has already is 409. After 503 send the same file again.
    """
    async with received(request, rooms.http.max_upload_bytes) as body:
        owner = form(OwnedForm, body.fields).user_id or caller.user_id
        async with rooms.database.transaction() as conn:
            await check_owner(conn, caller, owner)
        target, sender = _Files(), Sender(caller, address_of(request))
        file = await identified(rooms, target, body, owner, sender, takes_any=caller.role == "admin")
        stored = await store_received(rooms, target, file, body, sender)
    if stored.row is None:
        error = Duplicate(f"the same file is {stored.row_id} already; open that one, or delete it first")
        return problems.of(error, request.url.path)
    return stored.row


@router.delete(
    "/files/{file_id}", status_code=204, summary="Delete a file", responses=documented(401, 403, 404, 422, 503)
)
async def delete_file(
    file_id: UUID, caller: Person, request: Request, rooms: Rooms, background: BackgroundTasks
) -> None:
    """For its owner and admins; a report goes as with DELETE ecg/reports. The object goes after the row."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        file = await cloud_files.cloud_file(conn, for_caller(caller), file_id)
        check_may_delete(caller, file.user_id)
        if file.kind == "report":
            await reports.delete_report(conn, for_caller(caller), file_id, at)
        else:
            await cloud_files.delete_file(conn, file_id, at)
        action = "report.delete" if file.kind == "report" else "file.delete"
        await audit.append(
            conn, str(caller.user_id), action, str(file_id), address_of(request), at, patient_id=file.user_id
        )
    background.add_task(sweep, rooms)


def check_may_delete(caller: Caller, owner: UUID | None) -> None:
    """Raise Forbidden for a doctor: they may read their patients' files, and take away only their own."""
    if caller.role != "admin" and owner != caller.user_id:
        raise Forbidden("only its owner and admins delete a file; ask one of them")
