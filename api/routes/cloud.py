"""cloud: everything that rests in the object store, reports and other files, listed and linked to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Paging, Rooms, Witness
from api.routes.reports import ReportLink
from schemas import clock
from schemas.files import CloudFile, FileKind
from schemas.pages import Page
from storage import cloud_files
from storage.access import for_caller
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/cloud/files", tags=["Cloud"])


@router.get("", summary="Files in the object store, reports included, newest first")
async def list_files(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    user_id: UUID | None = None,
    kind: FileKind | None = None,
) -> Page[CloudFile]:
    async with rooms.database.transaction() as conn:
        found = await cloud_files.list_files(conn, for_caller(caller), page, user_id, kind)
    if found.items:
        witness.saw(caller, "files.read", user_id or "all", user_id)
    return found


@router.get("/{file_id}/url", summary="A link to a file that needs no token and expires", responses=documented(404))
async def url(
    file_id: UUID,
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    expires_s: Annotated[int | None, Query(ge=1, le=604_800, description="Default: LEADWIRE_URL_EXPIRES_S")] = None,
) -> ReportLink:
    async with rooms.database.transaction() as conn:
        found = await cloud_files.cloud_file(conn, for_caller(caller), file_id)
    witness.handed_out(caller.user_id, "file.link", file_id, found.user_id)
    seconds = expires_s or rooms.object_settings.url_expires_s
    expires_at = clock.now() + timedelta(seconds=seconds)
    return ReportLink(await rooms.objects.presigned_url(found.file_path_s3, seconds, found.filename), expires_at)
