"""Objects: files by key, in S3 or in a folder, behind one protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from schemas.errors import Misconfigured
from schemas.settings import HttpSettings, ObjectSettings, SecuritySettings
from storage.object_streams import ObjectStat, OpenObject
from storage.objects_local import LocalObjects

Service = Literal["s3", "local"]


class Objects(Protocol):
    """Files by key ("reports/…/x.pdf"); putting a key again replaces its file, whole or not at all.

    Every call may wait for a server, which is asked again a few times, and raises Busy when the store stays away and
    ValueError for a key that `object_keys.check_key` refuses.
    """

    @property
    def service(self) -> Service:
        """What ecg_reports.cloud_service says of files here."""

    async def ensure(self) -> None:
        """Make the bucket or folder if there is none."""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store `data`; when this returns it is durable."""

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file at `path`, of any size, without holding it in memory; when this returns it is durable."""

    async def get(self, key: str) -> bytes:
        """The whole file. Raises NotFound."""

    async def stat(self, key: str) -> ObjectStat:
        """How large it is, and what. Raises NotFound."""

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        """The bytes [first, end) of a file, in chunks; all of them by default. Raises NotFound.

        The bytes must be there: ask `stat` first. Iterate the chunks to their end, or `aclose()` them. A store that
        goes away between two chunks raises Busy from the iteration.
        """

    def location(self, key: str) -> str:
        """What ecg_reports.cloud_url says of a file: where it rests, as long as it rests there. It opens nothing."""

    async def delete(self, key: str) -> None:
        """Remove the file; removing what is not there does nothing."""

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        """A link that anyone may GET for `expires_s` seconds, saved as `filename`; the file need not exist."""

    async def ping(self) -> None:
        """Raise Busy unless the store answers and has its bucket or folder."""


def objects(settings: ObjectSettings, security: SecuritySettings, http: HttpSettings) -> Objects:
    """The store that the settings name: the folder if one is given, else S3. Connects nothing.

    Raises Misconfigured when they name neither.
    """
    if settings.folder is not None:
        return LocalObjects(settings.folder, security.secret_key, f"{http.public_url.rstrip('/')}{http.prefix}/files")
    if settings.access_key_id is not None and settings.secret_access_key is not None:
        from storage.objects_s3 import S3Objects  # noqa: PLC0415  # its client takes a tenth of a service's start

        return S3Objects(settings, settings.access_key_id, settings.secret_access_key)
    raise Misconfigured(
        "no object store is set; set LEADWIRE_OBJECTS_DIR to a folder, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, with LEADWIRE_S3_ENDPOINT unless it is AWS itself"
    )
