"""The object store of a run: MinIO or a folder, that can be taken away, and what rests in it in the end."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Final, Literal, Protocol

from minio import Minio

from bench.chaos.stands import Stand
from schemas.settings_store import ObjectSettings

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
    """Make it ready to be taken away; call it once, before anything is sent."""
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
            self._server.address.endpoint,
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
    """A link that leads to the folder, or for a while to a file: no right keeps root out, but this does."""

    def __init__(self, link: Path) -> None:
        self._link, self._folder = link, link.with_name(f"{link.name}-data")
        self._nothing = link.with_name(f"{link.name}-away")
        self._nothing.touch()
        link.rename(self._folder)
        link.symlink_to(self._folder)

    def take_away(self) -> None:
        self._lead_to(self._nothing)

    def bring_back(self) -> None:
        self._lead_to(self._folder)

    def checksums(self) -> dict[str, str]:
        files = [path for path in (self._folder / _UPLOADS).rglob("*") if path.is_file()]
        # A write that was cut off may leave its temporary file, whose name begins with a dot, as no key does.
        whole = [path for path in files if not path.name.startswith(".")]
        return {
            path.relative_to(self._folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in whole
        }

    def _lead_to(self, target: Path) -> None:
        """In one step: between two steps a writer would make the folder anew."""
        new = self._link.with_name(f"{self._link.name}-new")
        new.symlink_to(target)
        new.replace(self._link)


async def outage(store: Store, seconds: float) -> None:
    """Away for so long, then back."""
    await asyncio.to_thread(store.take_away)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(store.bring_back)
