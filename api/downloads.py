"""Downloads: a file of the object store as an answer, whole or one range of it, never all in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from storage.objects import Objects
from web import etags, problems
from web.problems import Responses, documented

_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")

ANSWERS: Final[Responses] = {
    200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The part that Range asks for", "content": {"*/*": {}}},
    304: {"description": "Not changed since the ETag of If-None-Match"},
    **documented(404, 416),
}
"""What a route that downloads answers, for FastAPI's `responses=`."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be sent: its key, the name to save it under, its media type, and its SHA-256 (hexadecimal) if known."""

    key: str
    filename: str
    content_type: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """The bytes [first, end) of a file."""

    first: int
    end: int


async def send(request: Request, store: Objects, download: Download) -> Response:
    """200 with the file, 206 with one range of it, 304 or 416 (RFC 9110). Raises NotFound, Busy.

    Several ranges at once, and a Range that can't be read, are answered with the whole file, as the RFC allows.
    """
    etag = f'"{download.sha256}"' if download.sha256 else None
    headers = {**attachment(download.filename), "Accept-Ranges": "bytes", **({"ETag": etag} if etag else {})}
    if etag and etags.names(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    size = (await store.stat(download.key)).size
    part = _asked(request, etag, size)
    if part is not None and part.first >= part.end:
        detail = (
            f"the file has {size} bytes and Range asks for others; ask for bytes 0 to {size - 1}, or leave Range out"
        )
        return problems.answer(
            416, "Range not satisfiable", detail, request.url.path, headers={"Content-Range": f"bytes */{size}"}
        )
    if part is None:
        return await _stream(store, download, _Part(0, size), headers, 200)
    headers["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{size}"
    return await _stream(store, download, part, headers, 206)


async def _stream(store: Objects, download: Download, part: _Part, headers: dict[str, str], status: int) -> Response:
    length = part.end - part.first
    headers = {**headers, "Content-Length": str(length)}
    if length == 0:
        return Response(status_code=status, headers=headers, media_type=download.content_type)
    opened = await store.open(download.key, part.first, part.end)
    return StreamingResponse(opened.chunks, status, headers, download.content_type)


def _asked(request: Request, etag: str | None, size: int) -> _Part | None:
    """The range that is asked for, with first >= end when the file has none of it; None for the whole file."""
    condition = request.headers.get("if-range")
    found = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if found is None or (condition is not None and condition != etag):
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return _Part(max(0, size - int(suffix)), size if int(suffix) else 0)
    if last and int(last) < int(first):
        return None
    return _Part(int(first), min(int(last) + 1, size) if last else size)


def attachment(filename: str) -> dict[str, str]:
    """The header that makes a browser save a file under its name (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in filename)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"}
