"""Objects in Google Cloud Storage."""

from __future__ import annotations

import asyncio
import base64
import io
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import google_crc32c
from google.api_core.exceptions import Conflict, GoogleAPICallError, RetryError
from google.api_core.exceptions import NotFound as Absent
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from google.oauth2.service_account import Credentials
from requests.exceptions import RequestException

from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound
from schemas.files import OCTET_STREAM
from schemas.settings_store import ObjectSettings
from storage.object_checksums import SHA256, checked, checked_chunks, sha256_of, sha256_of_file
from storage.object_keys import check_key
from storage.object_links import disposition
from storage.object_requests import CONNECT_S, PART_BYTES, READ_S, Requests, away, base_url, unwell
from storage.object_streams import CHUNK_BYTES, ObjectStat, OpenObject, windows

_TIMEOUT: Final = (CONNECT_S, READ_S)
_PUBLIC: Final = "https://storage.googleapis.com"
_PART_RETRY: Final = DEFAULT_RETRY.with_delay(initial=0.2, maximum=2).with_timeout(4)
"""Parts of a large file are tried again one by one, at moments of chance; all else as a whole, by Requests."""

_BUSY_STATUS: Final = {408, 412, 429}
_FAILURES: Final = (
    GoogleAPICallError, GoogleAuthError, RetryError, DataCorruption, InvalidResponse, RequestException, OSError,
)  # fmt: skip


class GcsObjects:
    """Files in one bucket (see storage/objects.py for the contract). Raises Misconfigured when Google refuses us.

    Each file goes with its CRC32C, which the service checks before it shows the file.
    """

    service: Literal["gcs"] = "gcs"

    def __init__(self, settings: ObjectSettings, credentials: Path, bucket: str) -> None:
        self._endpoint = base_url(settings.gcs_endpoint, "LEADWIRE_GCS_ENDPOINT", _PUBLIC)
        # Links carry the address that browsers reach, which is part of what is signed.
        self._public = base_url(settings.gcs_public_endpoint, "LEADWIRE_GCS_PUBLIC_ENDPOINT", self._endpoint)
        self._location = settings.gcs_location
        self._client = _client(credentials, self._endpoint)
        self._bucket = self._client.bucket(bucket)
        self._requests = Requests("gcs", _FAILURES, self._meaning)

    async def ensure(self) -> None:
        await self._requests.ask(self._make_bucket)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        check_key(key)
        await self._requests.ask(lambda: self._upload(key, io.BytesIO(data), len(data), content_type, sha256_of(data)))

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        check_key(key)
        sha256 = await asyncio.to_thread(sha256_of_file, path)
        await self._requests.ask(lambda: self._upload_file(key, path, content_type, sha256))

    async def get(self, key: str) -> bytes:
        check_key(key)
        return await self._requests.ask(lambda: self._read(key))

    async def stat(self, key: str) -> ObjectStat:
        return _stat(await self._found(key))

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        blob = await self._found(key)
        found = _stat(blob)

        async def window(begin: int, last: int) -> bytes:
            return await self._requests.ask(partial(_range, blob, begin, last))

        chunks = windows(window, first, found.size if end is None else end)
        if first == 0 and end in (None, found.size):
            chunks = checked_chunks(key, found.sha256, chunks)
        return OpenObject(found.size, found.content_type, chunks)

    def location(self, key: str) -> str:
        return f"gs://{self._bucket.name}/{check_key(key)}"

    async def delete(self, key: str) -> None:
        blob = self._blob(key)
        try:
            await self._requests.ask(lambda: blob.delete(timeout=_TIMEOUT, retry=None))
        except NotFound:
            return

    async def below(self, folder: str) -> list[str]:
        prefix = f"{check_key(folder)}/"
        return await self._requests.ask(lambda: self._list(prefix))

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        return str(
            self._blob(key).generate_signed_url(
                version="v4",
                method="GET",
                expiration=timedelta(seconds=expires_s),
                response_disposition=disposition(filename),
                api_access_endpoint=self._public,
            )
        )

    async def ping(self) -> None:
        if not await self._requests.ask_once(lambda: self._bucket.exists(timeout=_TIMEOUT, retry=None)):
            raise Busy(f"the bucket {self._bucket.name} does not exist; create it, or correct LEADWIRE_GCS_BUCKET")

    async def unfinished(self, before: datetime) -> list[str]:
        return []  # Google forgets uploads that nobody went on with after a week, and tells of none

    async def forget_unfinished(self, before: datetime) -> int:
        return 0

    def _list(self, prefix: str) -> list[str]:
        found = self._client.list_blobs(self._bucket, prefix=prefix, delimiter="/", timeout=_TIMEOUT, retry=None)
        keys = [str(blob.name) for blob in found]
        return sorted([*keys, *(str(each) for each in found.prefixes)])

    def _blob(self, key: str) -> Blob:
        return self._bucket.blob(check_key(key), chunk_size=PART_BYTES)

    async def _found(self, key: str) -> Blob:
        """With what Google knows of it, its generation among that."""
        blob = self._blob(key)
        await self._requests.ask(lambda: blob.reload(timeout=_TIMEOUT, retry=None))
        return blob

    def _make_bucket(self) -> None:
        if self._bucket.exists(timeout=_TIMEOUT, retry=None):
            return
        try:
            self._client.create_bucket(self._bucket, location=self._location, timeout=_TIMEOUT, retry=None)
        except Conflict:
            return  # somebody was quicker

    def _upload_file(self, key: str, path: Path, content_type: str, sha256: str) -> None:
        with path.open("rb") as file:
            self._upload(key, file, path.stat().st_size, content_type, sha256)

    def _upload(self, key: str, source: BinaryIO, size: int, content_type: str, sha256: str) -> None:
        blob = self._blob(key)
        blob.metadata = {SHA256: sha256}
        blob.upload_from_file(
            source,
            size=size,
            content_type=content_type,
            timeout=_TIMEOUT,
            checksum="crc32c",
            crc32c_checksum_value=_crc32c(source),
            retry=_PART_RETRY if size > PART_BYTES else None,
        )

    def _read(self, key: str) -> bytes:
        blob = self._blob(key)
        blob.reload(timeout=_TIMEOUT, retry=None)
        found = _stat(blob)
        return checked(key, found.sha256, _range(blob, 0, found.size) if found.size else b"")

    def _meaning(self, error: Exception) -> LeadwireError:
        status = int(getattr(error, "code", None) or 0) if isinstance(error, GoogleAPICallError) else 0
        said = str(error)
        if isinstance(error, Absent) and "bucket does not exist" not in said:
            return NotFound(f"no file {_name(error, self._bucket.name)} in the object store; it may have been deleted")
        if status >= 500 or status in _BUSY_STATUS or isinstance(error, DataCorruption) or "match calculated" in said:
            return unwell(status or type(error).__name__)
        is_refused = isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)
        if status or is_refused:
            return Misconfigured(
                f"the object store refuses: {status or type(error).__name__}; check GOOGLE_APPLICATION_CREDENTIALS, "
                f"LEADWIRE_GCS_BUCKET ({self._bucket.name}) and the rights they have"
            )
        return away(self._endpoint, error, "LEADWIRE_GCS_ENDPOINT is")


def _stat(blob: Blob) -> ObjectStat:
    return ObjectStat(int(blob.size or 0), blob.content_type or OCTET_STREAM, (blob.metadata or {}).get(SHA256))


def _range(blob: Blob, first: int, end: int) -> bytes:
    """The bytes [first, end) of the generation that was found. Raises Busy when another took its place since."""
    pinned = blob.bucket.blob(blob.name, generation=blob.generation)
    try:
        return bytes(
            pinned.download_as_bytes(
                start=first,
                end=end - 1,
                raw_download=True,
                timeout=_TIMEOUT,
                checksum=None,  # Google's is of the whole file; ours is checked in its stead
                retry=None,
                single_shot_download=True,
            )
        )
    except Absent as error:
        raise Busy(f"the file {blob.name} was replaced or deleted while it was read; read it again") from error


def _crc32c(source: BinaryIO) -> str:
    """In base64, as Google wants it; the source stands at its beginning again."""
    counted: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]  # theirs
    while chunk := source.read(CHUNK_BYTES):
        counted.update(chunk)
    source.seek(0)
    return base64.b64encode(counted.digest()).decode()


def _name(error: Any, bucket: str) -> str:
    """The key that was asked for, from what the error says of its request."""
    return str(error).rpartition(f"/b/{bucket}/o/")[2].partition("?")[0].partition(":")[0].replace("%2F", "/")


def _client(credentials: Path, endpoint: str) -> Client:
    try:
        account = Credentials.from_service_account_file(str(credentials))  # type: ignore[no-untyped-call]  # theirs
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"GOOGLE_APPLICATION_CREDENTIALS={credentials} can't be used ({error}); name the JSON key of a service "
            "account that this process may read"
        ) from error
    return Client(project=account.project_id, credentials=account, client_options={"api_endpoint": endpoint})
