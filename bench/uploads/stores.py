"""The object store of a run: MinIO or a folder, that can be taken away, and what rests in it in the end."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Final, Literal, Protocol

from minio import Minio

from bench.chaos.stands import Stand
from schemas.settings import ObjectSettings

StoreName = Literal["minio", "local"]
STORES: Final[tuple[StoreName, ...]] = ("minio", "local")
_UPLOADS: Final = "uploads/"


class Store(Protocol):
    """Calls block."""

    def take_away(self) -> None:
        """From now on it does not answer."""

    def bring_back(self) -> None:
        """It is there again with all it had."""

    def checksums(self) -> dict[str, str]:
        """SHA-256 of every object that was uploaded, by key."""


def store_of(name: StoreName, running: Stand) -> Store:
    return _MinioStore(running) if name == "minio" else _Folder(running.objects)


class _MinioStore:
    """Killed without warning, and started again on the same disk."""

    def __init__(self, running: Stand) -> None:
        if running.s3 is None:
            raise RuntimeError("the stand was made without S3")
        self._server = running.s3
        self._settings = ObjectSettings.model_validate({**running.s3.env()})

    def take_away(self) -> None:
        self._server.kill()

    def bring_back(self) -> None:
        self._server.start()

    def checksums(self) -> dict[str, str]:
        bucket = self._settings.bucket
        client = Minio(
            self._server.address,
            access_key=self._settings.access_key_id,
            secret_key=self._server.secret,
            secure=False,
            region=self._settings.region,
        )
        names = [str(found.object_name) for found in client.list_objects(bucket, _UPLOADS, recursive=True)]
        return {name: _of_object(client, bucket, name) for name in names}


def _of_object(client: Minio, bucket: str, name: str) -> str:
    response = client.get_object(bucket, name)
    try:
        return hashlib.sha256(response.read()).hexdigest()
    finally:
        response.close()
        response.release_conn()


class _Folder:
    """A file in the folder's place: no right keeps root out, but nobody writes into a file as if it were a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._aside = folder, folder.with_name(f"{folder.name}-aside")

    def take_away(self) -> None:
        self._folder.rename(self._aside)
        self._folder.touch()

    def bring_back(self) -> None:
        self._folder.unlink()
        self._aside.rename(self._folder)

    def checksums(self) -> dict[str, str]:
        files = [path for path in (self._folder / _UPLOADS).rglob("*") if path.is_file()]
        return {
            path.relative_to(self._folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
        }


async def outage(store: Store, seconds: float) -> None:
    """Away for so long, then back."""
    await asyncio.to_thread(store.take_away)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(store.bring_back)
