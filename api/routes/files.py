"""Files: the local object store's signed links; S3 serves its own."""

from __future__ import annotations

import mimetypes
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.dependencies import Rooms
from api.routes.reports import attachment
from schemas import clock
from schemas.errors import NotFound
from storage.object_links import verify_signature
from web.callers import door_of
from web.problems import documented

router = APIRouter(prefix="/files", tags=["Files"])


@router.get(
    "/{key:path}",
    summary="A file by its signed link, without a token",
    response_class=Response,
    responses={200: {"description": "The file", "content": {"*/*": {}}}, **documented(403, 404)},
)
async def file(
    key: str,
    request: Request,
    rooms: Rooms,
    expires: Annotated[int, Query(description="Unix seconds")],
    signature: str,
    filename: str = "",
) -> Response:
    secrets = door_of(request).security.verifying_keys
    verify_signature(secrets, key, expires, filename, signature, clock.now_us() / 1_000_000)
    if rooms.objects.service != "local":
        raise NotFound("files are not served here but by the object store; ask for a new link")
    data = await rooms.objects.get(key)
    kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
    return Response(data, media_type=kind, headers=attachment(filename or key.rpartition("/")[2]))
