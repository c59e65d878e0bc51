"""The way of a file: a pending row, its object, then row and log together; sent again, it goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from ingest.rooms import WriteRooms
from ingest.uploads_multipart import Received
from ingest.uploads_names import display_name
from ingest.uploads_types import sniff
from schemas import clock
from schemas.accounts import Caller
from schemas.errors import LeadwireError, WrongType
from schemas.files import CONTENT_TYPES, FileKind, FileType, UploadedFile, UploadOutcome
from schemas.settings import HttpSettings
from schemas.telemetry import UPLOADS
from storage import accounts, audit, uploads
from storage.access import for_caller
from storage.database import Connection
from storage.uploads import Claim, UploadLine

Row = TypeVar("Row")
RowOut_co = TypeVar("RowOut_co", covariant=True)

UPLOAD_PATHS: Final = ("/ecg/reports/upload", "/cloud/upload")
_FORM_BYTES: Final = 2**20
"""What the fields and the framing around a file may take."""


def body_limits(http: HttpSettings) -> dict[str, int]:
    """How large a body each upload route takes, by its path."""
    return {f"{http.prefix}{path}": http.max_upload_bytes + _FORM_BYTES for path in UPLOAD_PATHS}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a file, and from what network address."""

    caller: Caller
    address: str | None


@dataclass(frozen=True, slots=True)
class Stored(Generic[Row]):
    """The row of a file and its id; `row` is None when the same file had been stored before."""

    row_id: UUID
    row: Row | None


class Target(Protocol[RowOut_co]):
    """The table that an upload's row is in."""

    @property
    def kind(self) -> FileKind:
        """What upload_logs says it is."""

    @property
    def action(self) -> str:
        """What the audit log says was done."""

    async def claim(self, conn: Connection, row_id: UUID, file: UploadedFile, at: datetime) -> Claim:
        """A pending row, new under `row_id` or that of an earlier try."""

    async def finish(self, conn: Connection, claim: Claim, service: str, url: str, at: datetime) -> RowOut_co | None:
        """The row, uploaded now; None when another was quicker."""

    async def fail(self, conn: Connection, claim: Claim) -> None:
        """Mark the row as failed, unless it is uploaded."""


async def check_owner(conn: Connection, caller: Caller, owner: UUID) -> None:
    """Raise NotFound unless the caller may send files for `owner`: themself, a patient in care, an admin anyone."""
    if owner != caller.user_id:
        await accounts.user(conn, for_caller(caller), owner)


async def identified(
    rooms: WriteRooms, target: Target[object], body: Received, owner: UUID, sender: Sender, *, takes_any: bool = False
) -> UploadedFile:
    """What came in, its type told from its content; a refused one is logged. Raises WrongType.

    With `takes_any` what is of no known type is `bin`.
    """
    try:
        file_type = await asyncio.to_thread(sniff, body.path)
    except WrongType as error:
        if not takes_any:
            await _refuse(rooms, target, body, owner, error)
            raise
        file_type = "bin"
    return _file(body, owner, sender, file_type)


def _file(body: Received, owner: UUID, sender: Sender, file_type: FileType) -> UploadedFile:
    filename = display_name(body.filename, file_type)
    return UploadedFile(owner, sender.caller.user_id, filename, file_type, body.size, body.sha256)


async def _refuse(rooms: WriteRooms, target: Target[object], body: Received, owner: UUID, error: WrongType) -> None:
    line = UploadLine(
        user_id=owner,
        filename=display_name(body.filename, "bin"),
        file_type=target.kind,
        upload_status="failed",
        uploaded_at=clock.now(),
        file_size=body.size,
        sha256=body.sha256,
        error_message=str(error),
    )
    async with rooms.database.transaction() as conn:
        await uploads.log(conn, line)
    UPLOADS.labels(target.kind, "failed").inc()


async def store(
    rooms: WriteRooms,
    target: Target[Row],
    file: UploadedFile,
    put: Callable[[str], Awaitable[None]],
    sender: Sender,
) -> Stored[Row]:
    """Bring a file to rest: `put` stores its object under the key it is given.

    When this returns, row, log and object agree. Raises Busy when a server is away: then the row says failed, or
    pending if it was the database, and the same file sent again fills the same row. Two who send the same file at once
    put the same bytes under the same key, and the one who comes to finish first has stored it.
    """
    async with rooms.database.transaction() as conn:
        claim = await target.claim(conn, uuid4(), file, clock.now())
        if claim.is_done:
            await _log(conn, target, file, claim, "duplicate")
    if claim.is_done:
        UPLOADS.labels(target.kind, "duplicate").inc()
        return Stored(claim.row_id, None)
    try:
        await put(claim.key)
    except LeadwireError as error:
        await _fail(rooms, target, file, claim, error)
        raise
    return await _finish(rooms, target, file, claim, sender)


async def store_received(
    rooms: WriteRooms, target: Target[Row], file: UploadedFile, body: Received, sender: Sender
) -> Stored[Row]:
    """store() for what came in as a multipart body."""
    content_type = CONTENT_TYPES[file.file_type]
    return await store(rooms, target, file, lambda key: rooms.objects.put_file(key, body.path, content_type), sender)


async def _fail(
    rooms: WriteRooms, target: Target[object], file: UploadedFile, claim: Claim, error: LeadwireError
) -> None:
    async with rooms.database.transaction() as conn:
        await target.fail(conn, claim)
        await _log(conn, target, file, claim, "failed", error=str(error))
    UPLOADS.labels(target.kind, "failed").inc()


async def _finish(
    rooms: WriteRooms, target: Target[Row], file: UploadedFile, claim: Claim, sender: Sender
) -> Stored[Row]:
    at, service, url = clock.now(), rooms.objects.service, rooms.objects.location(claim.key)
    async with rooms.database.transaction() as conn:
        row = await target.finish(conn, claim, service, url, at)
        outcome: UploadOutcome = "success" if row is not None else "duplicate"
        await _log(conn, target, file, claim, outcome, service=service, url=url)
        if row is not None:
            detail = f"{file.file_type}, {file.file_size} bytes"
            actor, subject = str(sender.caller.user_id), str(claim.row_id)
            await audit.append(
                conn, actor, target.action, subject, sender.address, at, patient_id=file.user_id, detail=detail
            )
    UPLOADS.labels(target.kind, outcome).inc()
    return Stored(claim.row_id, row)


async def _log(
    conn: Connection,
    target: Target[object],
    file: UploadedFile,
    claim: Claim,
    outcome: UploadOutcome,
    *,
    service: str | None = None,
    url: str | None = None,
    error: str | None = None,
) -> None:
    is_report = target.kind == "report"
    line = UploadLine(
        user_id=file.user_id,
        filename=file.filename,
        file_type=target.kind,
        upload_status=outcome,
        uploaded_at=clock.now(),
        file_path=claim.key,
        file_size=file.file_size,
        sha256=file.sha256,
        report_id=claim.row_id if is_report else None,
        file_id=None if is_report else claim.row_id,
        cloud_service=service,
        cloud_url=url,
        error_message=error,
    )
    await uploads.log(conn, line)
