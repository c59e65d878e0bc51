"""Objects in Azure Blob Storage."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Literal
from urllib.parse import quote, urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContentSettings,
    ExponentialRetry,
    generate_blob_sas,
)
from pydantic import SecretStr

from schemas import clock
from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound
from schemas.files import OCTET_STREAM
from schemas.settings_store import ObjectSettings
from storage.object_checksums import SHA256, checked, checked_chunks, sha256_of, sha256_of_file
from storage.object_keys import check_key
from storage.object_links import disposition
from storage.object_requests import CONNECT_S, PART_BYTES, READ_S, Requests, away, base_url, unwell
from storage.object_streams import WINDOW_BYTES, ObjectStat, OpenObject, windows

_PART_TRIES: Final = 3
_PARTS_AT_ONCE: Final = 1
"""A file goes in parts one after the other: no more than one is in memory."""

_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")

# https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
_MISSING_CODES: Final = {"BlobNotFound"}
_TEMPORARY_CODES: Final = {
    "AccountBeingCreated", "ConditionNotMet", "ContainerBeingDeleted", "InternalError", "InvalidBlockList",
    "Md5Mismatch", "OperationTimedOut", "ServerBusy",
}  # fmt: skip
"""InvalidBlockList: somebody else's file of this key was quicker, and took the parts of ours with it."""


class AzureObjects:
    """Files in one container (see storage/objects.py for the contract). Raises Misconfigured when Azure refuses us.

    Each body goes with its MD5, which the service checks, and each window that is read comes with one, checked here.
    """

    service: Literal["azure"] = "azure"

    def __init__(self, settings: ObjectSettings, account: str, key: SecretStr) -> None:
        if not _ACCOUNT.fullmatch(account):
            raise Misconfigured(f"AZURE_STORAGE_ACCOUNT={account} is no account; give 3 to 24 small letters and digits")
        try:
            base64.b64decode(key.get_secret_value(), validate=True)
        except ValueError as error:
            raise Misconfigured("AZURE_STORAGE_KEY is no key of an account; give one as the portal shows it") from error
        self._account, self._key = account, key
        self._container_name = settings.azure_container
        theirs = f"https://{account}.blob.core.windows.net"
        self._endpoint = base_url(settings.azure_endpoint, "LEADWIRE_AZURE_ENDPOINT", theirs)
        # Links carry the address that browsers reach, which is no part of what is signed.
        self._public = base_url(settings.azure_public_endpoint, "LEADWIRE_AZURE_PUBLIC_ENDPOINT", self._endpoint)
        self._container = _service(self._endpoint, account, key).get_container_client(self._container_name)
        self._requests = Requests("azure", (AzureError, OSError), self._meaning)

    async def ensure(self) -> None:
        await self._requests.ask(self._make_container)

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
        found = await self._requests.ask(self._blob(key).get_blob_properties)
        return ObjectStat(found.size, found.content_settings.content_type or OCTET_STREAM, found.metadata.get(SHA256))

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        found = await self._requests.ask(self._blob(key).get_blob_properties)

        async def window(begin: int, last: int) -> bytes:
            return await self._requests.ask(partial(self._range, key, found.etag, begin, last))

        chunks = windows(window, first, found.size if end is None else end)
        if first == 0 and end in (None, found.size):
            chunks = checked_chunks(key, found.metadata.get(SHA256), chunks)
        return OpenObject(found.size, found.content_settings.content_type or OCTET_STREAM, chunks)

    def location(self, key: str) -> str:
        return f"{self._endpoint}/{self._container_name}/{quote(check_key(key))}"

    async def delete(self, key: str) -> None:
        blob = self._blob(key)
        try:
            await self._requests.ask(blob.delete_blob)
        except NotFound:
            return

    async def below(self, folder: str) -> list[str]:
        prefix = f"{check_key(folder)}/"
        return await self._requests.ask(
            lambda: sorted(str(one.name) for one in self._container.walk_blobs(name_starts_with=prefix))
        )

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        proof = generate_blob_sas(
            self._account,
            self._container_name,
            check_key(key),
            account_key=self._key.get_secret_value(),
            permission=BlobSasPermissions(read=True),
            expiry=clock.now() + timedelta(seconds=expires_s),
            protocol="https" if self._public.startswith("https:") else "https,http",
            content_disposition=disposition(filename),
        )
        return f"{self._public}/{self._container_name}/{quote(key)}?{proof}"

    async def ping(self) -> None:
        if not await self._requests.ask_once(self._container.exists):
            raise Busy(
                f"the container {self._container_name} does not exist; create it, or correct AZURE_STORAGE_CONTAINER"
            )

    async def unfinished(self, before: datetime) -> list[str]:
        return []  # Azure forgets parts that nobody put together after a week, and tells of none

    async def forget_unfinished(self, before: datetime) -> int:
        return 0

    def _blob(self, key: str) -> BlobClient:
        return self._container.get_blob_client(check_key(key))

    def _make_container(self) -> None:
        if self._container.exists():
            return
        try:
            self._container.create_container()
        except ResourceExistsError:
            return  # somebody was quicker

    def _upload_file(self, key: str, path: Path, content_type: str, sha256: str) -> None:
        with path.open("rb") as file:
            self._upload(key, file, path.stat().st_size, content_type, sha256)

    def _upload(self, key: str, source: BinaryIO, size: int, content_type: str, sha256: str) -> None:
        self._blob(key).upload_blob(
            source,
            length=size,
            overwrite=True,
            metadata={SHA256: sha256},
            content_settings=ContentSettings(content_type=content_type),
            validate_content=True,
            max_concurrency=_PARTS_AT_ONCE,
            retry_total=_PART_TRIES if size > PART_BYTES else 0,
        )

    def _read(self, key: str) -> bytes:
        found = self._blob(key).download_blob(max_concurrency=1)
        return checked(key, found.properties.metadata.get(SHA256), found.readall())

    def _range(self, key: str, etag: str, first: int, end: int) -> bytes:
        """The bytes [first, end) of the file as it was when it was opened."""
        return (
            self._blob(key)
            .download_blob(
                first,
                end - first,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                validate_content=True,
                max_concurrency=1,
            )
            .readall()
        )

    def _meaning(self, error: Exception) -> LeadwireError:
        told = getattr(error, "error_code", None)
        code = str(getattr(told, "value", told) or "")  # the client makes an enumeration of those it knows
        status = getattr(error, "status_code", None) or 0
        if code in _MISSING_CODES:
            return NotFound(f"no file {self._name(error)} in the object store; it may have been deleted")
        is_changed = status == 400 and "contentMD5" in str(error)  # as Azurite says Md5Mismatch
        if code in _TEMPORARY_CODES or status >= 500 or status in (408, 429) or is_changed:
            return unwell(code or status)
        if isinstance(error, ClientAuthenticationError | HttpResponseError) and status:
            return Misconfigured(
                f"the object store refuses: {code or status}; check AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY, "
                f"AZURE_STORAGE_CONTAINER ({self._container_name}) and the rights they have"
            )
        return away(self._endpoint, error, "AZURE_STORAGE_ACCOUNT and LEADWIRE_AZURE_ENDPOINT are")

    def _name(self, error: Exception) -> str:
        """The key that was asked for: what stands behind the container in the request's path."""
        request = getattr(getattr(error, "response", None), "request", None)
        return urlsplit(getattr(request, "url", "")).path.partition(f"/{self._container_name}/")[2]


def _service(endpoint: str, account: str, key: SecretStr) -> BlobServiceClient:
    return BlobServiceClient(
        endpoint,
        credential={"account_name": account, "account_key": key.get_secret_value()},
        connection_timeout=CONNECT_S,
        read_timeout=READ_S,
        # Parts of a large file are tried again one by one, within 2 s; all else as a whole, by Requests.
        retry_policy=ExponentialRetry(initial_backoff=0, increment_base=1, random_jitter_range=1, retry_total=0),
        max_single_put_size=PART_BYTES,
        max_block_size=PART_BYTES,
        max_single_get_size=WINDOW_BYTES,
        max_chunk_get_size=WINDOW_BYTES,
    )
