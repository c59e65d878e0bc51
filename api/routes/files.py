"""Files: the local object store's signed links; S3 serves its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import downloads
from api.dependencies import Rooms, Witness
from api.downloads import Download
from schemas import clock
from schemas.errors import NotFound
from schemas.files import content_type_of_name
from storage.object_links import verify_signature
from web.callers import door_of
from web.problems import documented

router = APIRouter(prefix="/files", tags=["Files"])


@router.get(
    "/{key:path}",
    summary="A file by its signed link, without a token",
    response_class=Response,
    responses={**downloads.ANSWERS, **documented(403)},
)
async def file(
    key: str,
    request: Request,
    rooms: Rooms,
    witness: Witness,
    expires: Annotated[int, Query(description="Unix seconds")],
    signature: str,
    filename: str = "",
) -> Response:
    secrets = door_of(request).security.verifying_keys
    verify_signature(secrets, key, expires, filename, signature, clock.now_us() / 1_000_000)
    if rooms.objects.service != "local":
        raise NotFound("files are not served here but by the object store; ask for a new link")
    witness.handed_out("link", "file.download", key)
    name = filename or key.rpartition("/")[2]
    return await downloads.send(request, rooms.objects, Download(key, name, content_type_of_name(key)))
