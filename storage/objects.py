"""Objects: files by key, in a folder, S3, Azure or Google Cloud Storage, behind one protocol."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from schemas.errors import Misconfigured
from schemas.settings import HttpSettings, SecuritySettings
from schemas.settings_store import ObjectService, ObjectSettings
from storage.object_streams import ObjectStat, OpenObject
from storage.objects_local import LocalObjects


class Objects(Protocol):
    """Files by key ("reports/…/x.pdf"); putting a key again replaces its file, whole or not at all.

    Every call may wait for a server, which is asked again a few times at moments of chance, and raises Busy when the
    store stays away, Misconfigured when it refuses our login, and ValueError for a key that `object_keys.check_key`
    refuses. Each file goes with its SHA-256; one that is not what was put there is told as Malformed where it is read.
    """

    @property
    def service(self) -> ObjectService:
        """What ecg_reports.cloud_service says of files here."""

    async def ensure(self) -> None:
        """Make the bucket or folder if there is none."""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store `data`; when this returns it is durable."""

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file at `path`, of any size, without holding it in memory; when this returns it is durable."""

    async def get(self, key: str) -> bytes:
        """The whole file, checked. Raises NotFound, Malformed."""

    async def stat(self, key: str) -> ObjectStat:
        """How large it is, and what, with the SHA-256 it was put with. Raises NotFound."""

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        """The bytes [first, end) of a file, in chunks; all of them by default. Raises NotFound.

        The bytes must be there: ask `stat` first. Iterate the chunks to their end, or `aclose()` them. A store that
        goes away between two chunks raises Busy from the iteration. A whole file is checked: if it is damaged,
        Malformed comes in place of the last chunk.
        """

    def location(self, key: str) -> str:
        """What ecg_reports.cloud_url says of a file: where it rests, as long as it rests there. It opens nothing."""

    async def delete(self, key: str) -> None:
        """Remove the file; removing what is not there does nothing."""

    async def below(self, folder: str) -> list[str]:
        """What is directly below a folder of keys, in order: keys, and folders, which end with a slash; [] for none."""

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        """A link that anyone may GET for `expires_s` seconds, saved as `filename`; the file need not exist."""

    async def ping(self) -> None:
        """Raise Busy unless the store answers and has its bucket or folder."""

    async def unfinished(self, before: datetime) -> list[str]:
        """Keys of uploads that began before that moment and were never ended; stores that forget them say none."""

    async def forget_unfinished(self, before: datetime) -> int:
        """Give up what unfinished() names, with the bytes it holds; how many there were."""


def objects(settings: ObjectSettings, security: SecuritySettings, http: HttpSettings) -> Objects:
    """The store that the settings mean. Connects nothing.

    Raises Misconfigured when they mean none, or its key can't be used.
    """
    match settings.service:
        case "local" if settings.folder is not None:
            links_url = f"{http.public_url.rstrip('/')}{http.prefix}/files"
            return LocalObjects(settings.folder, security.secret_key, links_url)
        case "s3" if settings.access_key_id is not None and settings.secret_access_key is not None:
            from storage.objects_s3 import S3Objects  # noqa: PLC0415  # its client takes a tenth of a service's start

            return S3Objects(settings, settings.access_key_id, settings.secret_access_key)
        case "azure" if settings.azure_account is not None and settings.azure_key is not None:
            from storage.objects_azure import AzureObjects  # noqa: PLC0415  # its client takes 0.2 s and 36 MiB

            return AzureObjects(settings, settings.azure_account, settings.azure_key)
        case "gcs" if settings.gcs_credentials is not None and settings.gcs_bucket is not None:
            from storage.objects_gcs import GcsObjects  # noqa: PLC0415  # its client takes 0.25 s and 39 MiB

            return GcsObjects(settings, settings.gcs_credentials, settings.gcs_bucket)
    raise Misconfigured(
        "no object store is set; set LEADWIRE_OBJECTS_DIR to a folder, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
        "with LEADWIRE_S3_ENDPOINT unless it is AWS itself, AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or "
        "LEADWIRE_GCS_BUCKET and GOOGLE_APPLICATION_CREDENTIALS"
    )
