"""Objects as files in a folder, for laptops and tests; their links are served by the api."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from schemas.clock import now_us
from schemas.errors import Busy, NotFound
from schemas.files import content_type_of_name
from storage.object_checksums import checked, checked_chunks
from storage.object_keys import check_key
from storage.object_links import sign
from storage.object_streams import CHUNK_BYTES, ObjectStat, OpenObject

_MISSING: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
_TEMPORARY_PREFIX: Final = ".new-"
"""No key's part begins with a dot, so a half-written file can't be asked for."""
_ATTRIBUTE: Final = "user.leadwire.sha256"
"""Where a file's checksum rests: beside its bytes, and moved with them. Not every file system has such places."""


class LocalObjects:
    """Files below `folder`; `links_url` is where the api serves them (see storage/objects.py for the contract)."""

    service: Literal["local"] = "local"

    def __init__(self, folder: Path, secret: SecretStr, links_url: str) -> None:
        self._folder = folder
        self._secret = secret
        self._links_url = links_url

    async def ensure(self) -> None:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        # A folder keeps no content types: they are told from the key's ending.
        await self._put(key, io.BytesIO(data))

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        source = await asyncio.to_thread(path.open, "rb")
        try:
            await self._put(key, source)
        finally:
            source.close()

    async def get(self, key: str) -> bytes:
        return await asyncio.to_thread(self._read, key)

    async def stat(self, key: str) -> ObjectStat:
        with await asyncio.to_thread(self._open, key) as file:
            return ObjectStat(os.fstat(file.fileno()).st_size, content_type_of_name(key), _recorded(file))

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        file = await asyncio.to_thread(self._open, key)
        size = os.fstat(file.fileno()).st_size
        chunks = _chunks(file, first, size if end is None else end)
        if first == 0 and end in (None, size):
            chunks = checked_chunks(key, _recorded(file), chunks)
        return OpenObject(size, content_type_of_name(key), chunks)

    def location(self, key: str) -> str:
        return f"{self._links_url}/{quote(check_key(key))}"

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        except OSError as error:
            raise Busy(f"the folder {self._folder} does not let go of a file ({error}); see to its rights") from error

    async def below(self, folder: str) -> list[str]:
        return await asyncio.to_thread(_below, self._path(folder), folder)

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        expires = now_us() // 1_000_000 + expires_s
        signature = sign(self._secret, check_key(key), expires, filename)
        query = urlencode({"expires": expires, "filename": filename, "signature": signature})
        return f"{self._links_url}/{quote(key)}?{query}"

    async def ping(self) -> None:
        if not await asyncio.to_thread(os.access, self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise Busy(f"the folder {self._folder} can't be written; create it, or set LEADWIRE_OBJECTS_DIR to another")

    async def unfinished(self, before: datetime) -> list[str]:
        found = await asyncio.to_thread(lambda: list(self._drafts(before)))
        return [str(draft.relative_to(self._folder)) for draft in found]

    async def forget_unfinished(self, before: datetime) -> int:
        found = await asyncio.to_thread(lambda: list(self._drafts(before)))
        for draft in found:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
        return len(found)

    def _drafts(self, before: datetime) -> Iterator[Path]:
        """Files that a process left half-written when it was killed; who still writes changes their time."""
        for draft in self._folder.rglob(f"{_TEMPORARY_PREFIX}*"):
            with suppress(FileNotFoundError):  # it was finished meanwhile
                if draft.stat().st_mtime < before.timestamp():
                    yield draft

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")  # which a folder refuses
        except _MISSING:
            raise _not_found(key) from None

    def _read(self, key: str) -> bytes:
        with self._open(key) as file:
            return checked(key, _recorded(file), file.read())

    async def _put(self, key: str, source: BinaryIO) -> None:
        path = self._path(key)
        try:
            await asyncio.to_thread(_write, path, source)
        except OSError as error:
            raise Busy(
                f"the folder {self._folder} can't take a file ({error}); make room, or see to its rights"
            ) from error

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


async def _chunks(file: BinaryIO, first: int, end: int) -> AsyncGenerator[bytes]:
    try:
        file.seek(first)
        while chunk := await asyncio.to_thread(file.read, max(0, min(CHUNK_BYTES, end - file.tell()))):
            yield chunk
    finally:
        file.close()


def _below(path: Path, folder: str) -> list[str]:
    if not path.is_dir():
        return []
    entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    return sorted(f"{folder}/{entry.name}{'/' if entry.is_dir() else ''}" for entry in entries)


def _not_found(key: str) -> NotFound:
    return NotFound(f"no file {key} in the object store; it may have been deleted")


def _write(path: Path, source: BinaryIO) -> None:
    """Beside its place, to the disk, then renamed: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _record(file, _copy(source, file))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _copy(source: BinaryIO, to: BinaryIO) -> str:
    """The SHA-256 of what was copied."""
    counted = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        to.write(chunk)
        counted.update(chunk)
    return counted.hexdigest()


def _record(file: BinaryIO, sha256: str) -> None:
    if hasattr(os, "setxattr"):  # Linux only
        with suppress(OSError):  # the file system has no such places
            os.setxattr(file.fileno(), _ATTRIBUTE, sha256.encode())


def _recorded(file: BinaryIO) -> str | None:
    if hasattr(os, "getxattr"):
        with suppress(OSError):  # put there by other means, or on a file system without such places
            return os.getxattr(file.fileno(), _ATTRIBUTE).decode()
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
