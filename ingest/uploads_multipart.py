"""A multipart body, streamed: its file to a temporary one with the SHA-256 on the way, its fields to a mapping."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from schemas.errors import Malformed, TooLarge, WrongType

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_FIELD: Final = "file"
_BUFFER_BYTES: Final = 256 * 1024
_MAX_FIELDS: Final = 64
_MAX_VALUE_BYTES: Final = 8 * 1024
_PLAIN_FILENAME_MISSING: Final = re.compile(rb"filename\*=utf-8''([^;\s]+)", re.IGNORECASE)
"""Older clients name a file that is not ASCII in this way only, which RFC 7578 does not allow."""

_REMEDY: Final = f"send multipart/form-data with the file in the field `{FILE_FIELD}`, as every HTTP client makes it"


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has come in whole: where it lies for now, what its sender called it, and the fields beside it."""

    path: Path
    filename: str
    size: int
    sha256: bytes
    fields: dict[str, str]


@asynccontextmanager
async def received(request: Request, max_bytes: int) -> AsyncIterator[Received]:
    """Take the body in; its file lies in the temporary folder until the block ends. At most 256 KiB are in memory.

    Raises WrongType unless it is multipart/form-data, Malformed for a broken one or one without a file, TooLarge for a
    file over `max_bytes`.
    """
    boundary = _boundary(request)
    with tempfile.NamedTemporaryFile(prefix="leadwire-upload-") as target:
        body = _Body(max_bytes)
        try:
            parser = MultipartParser(boundary, body.callbacks())
            async for chunk in request.stream():
                parser.write(chunk)
                if len(body.waiting) >= _BUFFER_BYTES:
                    await asyncio.to_thread(body.spill, target)
            parser.finalize()
        except FormParserError as error:
            raise Malformed(f"the body is not multipart as its header says ({error}); {_REMEDY}") from None
        await asyncio.to_thread(body.spill, target)
        await asyncio.to_thread(target.flush)
        yield body.received(Path(target.name))


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise WrongType(f"the body is {kind.decode('latin-1') or 'of no type'}; {_REMEDY}")
    if not options.get(b"boundary"):
        raise Malformed(f"the Content-Type names no boundary; {_REMEDY}")
    return options[b"boundary"]


@dataclass(slots=True)
class _Part:
    """One part of the body, as far as its headers tell."""

    name: str
    filename: str | None
    value: bytearray = field(default_factory=bytearray)


class _Body:
    """What the parser's calls add up to. Every call is quick; `spill` is not, and runs in a thread."""

    def __init__(self, max_bytes: int) -> None:
        self.waiting = bytearray()
        self._max_bytes = max_bytes
        self._size = 0
        self._hash = hashlib.sha256()
        self._filename: str | None = None
        self._fields: dict[str, str] = {}
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._part = _Part("", None)
        self._has_ended = False

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._take_header,
            "on_header_value": self._take_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._take_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def spill(self, target: IO[bytes]) -> None:
        """Hash and write what is waiting."""
        self._hash.update(self.waiting)
        target.write(self.waiting)
        self.waiting.clear()

    def received(self, path: Path) -> Received:
        if not self._has_ended:
            raise Malformed(f"the body ends before its last boundary; send it again, whole: {_REMEDY}")
        if self._filename is None:
            raise Malformed(f"there is no file in the body; {_REMEDY}")
        if self._size > self._max_bytes:
            raise TooLarge(f"the file has {self._size} bytes and {self._max_bytes} are allowed; send a smaller one")
        return Received(path, self._filename, self._size, self._hash.digest(), self._fields)

    def _begin_part(self) -> None:
        self._disposition = b""

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part = _Part(_decoded(options.get(b"name", b"")), _filename(self._disposition, options))
        if self._is_file:
            if self._filename is not None:
                raise Malformed(f"there are two files in the body; send one at a time: {_REMEDY}")
            self._filename = self._part.filename

    @property
    def _is_file(self) -> bool:
        return self._part.filename is not None and self._part.name == FILE_FIELD

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._size += end - start
            if self._size <= self._max_bytes:  # the rest of one that is too large is read and not kept
                self.waiting += data[start:end]
        elif self._part.filename is None:
            self._part.value += data[start:end]
            if len(self._part.value) > _MAX_VALUE_BYTES:
                raise Malformed(
                    f"the field {self._part.name[:60]!r} is over {_MAX_VALUE_BYTES} bytes; send a short one"
                )

    def _end_part(self) -> None:
        if self._part.filename is None:
            if len(self._fields) >= _MAX_FIELDS:
                raise Malformed(f"there are over {_MAX_FIELDS} fields in the body; leave out those nobody asks for")
            self._fields[self._part.name] = _decoded(bytes(self._part.value))

    def _end(self) -> None:
        self._has_ended = True


def _filename(disposition: bytes, options: dict[bytes, bytes]) -> str | None:
    if b"filename" in options:
        return _decoded(options[b"filename"])
    extended = _PLAIN_FILENAME_MISSING.search(disposition)
    return unquote(extended[1].decode("latin-1"), errors="replace") if extended else None


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
