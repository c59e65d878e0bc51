"""Objects as files in a folder, for laptops and tests; their links are served by the api."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from schemas.clock import now_us
from schemas.errors import Busy, NotFound
from storage.object_keys import check_key
from storage.object_links import sign

_TEMPORARY_PREFIX: Final = ".new-"
"""No key's part begins with a dot, so a half-written file can't be asked for."""


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
        # A folder keeps no content types: the api tells one from the key's ending.
        path = self._path(key)
        try:
            await asyncio.to_thread(_write, path, data)
        except OSError as error:
            raise Busy(
                f"the folder {self._folder} can't take a file ({error}); make room, or see to its rights"
            ) from error

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"no file {key} in the object store; it may have been deleted") from None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        expires = now_us() // 1_000_000 + expires_s
        signature = sign(self._secret, check_key(key), expires, filename)
        query = urlencode({"expires": expires, "filename": filename, "signature": signature})
        return f"{self._links_url}/{quote(key)}?{query}"

    async def ping(self) -> None:
        if not await asyncio.to_thread(os.access, self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise Busy(f"the folder {self._folder} can't be written; create it, or set LEADWIRE_OBJECTS_DIR to another")

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


def _write(path: Path, data: bytes) -> None:
    """Beside its place, to the disk, then renamed: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
