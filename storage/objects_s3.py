"""Objects in S3, or in any server that speaks it."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from minio import Minio
from minio.datatypes import Upload
from minio.error import InvalidResponseError, S3Error, ServerError
from pydantic import SecretStr
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound
from schemas.files import OCTET_STREAM
from schemas.settings_store import ObjectSettings
from storage.object_checksums import SHA256, checked, checked_chunks, sha256_of, sha256_of_file
from storage.object_keys import check_key
from storage.object_links import disposition
from storage.object_requests import CONNECT_S, CONNECTIONS, PART_BYTES, READ_S, Requests, away, unwell
from storage.object_streams import CHUNK_BYTES, ObjectStat, OpenObject

_TIMEOUT: Final = Timeout(connect=CONNECT_S, read=READ_S)
_PARALLEL_PARTS: Final = 1
"""A file goes in parts one after the other: no more than one is in memory."""

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: those that ask to try again. Two tell that what
# came in is not what was sent.
_TEMPORARY_CODES: Final = {
    "BadDigest", "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown",
    "SlowDownRead", "SlowDownWrite", "XAmzContentSHA256Mismatch", "XMinioServerNotInitialized", "XMinioStorageFull",
}  # fmt: skip
_MISSING_CODES: Final = {"NoSuchKey", "NoSuchObject"}
_THERE_CODES: Final = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
_Metadata = dict[str, str | list[str] | tuple[str]]
"""As the client's signatures have it."""
_METADATA_HEADER: Final = f"x-amz-meta-{SHA256}"


class S3Objects:
    """Files in one bucket (see storage/objects.py for the contract). Raises Misconfigured when S3 refuses the keys.

    The client sends with each body its SHA-256, or over TLS its MD5, and the server refuses what does not agree.
    """

    service: Literal["s3"] = "s3"

    def __init__(self, settings: ObjectSettings, access_key: str, secret_key: SecretStr) -> None:
        self._bucket = settings.bucket
        self._region = settings.region
        self._endpoint = endpoint = settings.endpoint or f"https://s3.{settings.region}.amazonaws.com"
        self._is_secure = not endpoint.startswith("http:")
        credentials = (access_key, secret_key, settings.region)
        self._client = _client(endpoint, *credentials, settings.ca_file)
        # Parts of a large file are tried again one by one; everything else as a whole, by Requests.
        self._by_parts = _client(endpoint, *credentials, settings.ca_file, _part_retries())
        # Links carry the address that browsers reach, which is part of what is signed.
        self._links = _client(settings.public_endpoint or endpoint, *credentials)
        failures = (S3Error, HTTPError, ServerError, InvalidResponseError, OSError)
        self._requests = Requests("s3", failures, self._meaning)

    async def ensure(self) -> None:
        await self._requests.ask(self._make_bucket)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        check_key(key)
        metadata: _Metadata = {SHA256: sha256_of(data)}
        await self._requests.ask(
            lambda: self._client.put_object(
                self._bucket,
                key,
                io.BytesIO(data),
                len(data),
                content_type=content_type,
                metadata=metadata,
                part_size=PART_BYTES,
                num_parallel_uploads=_PARALLEL_PARTS,
            )
        )

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        check_key(key)
        metadata: _Metadata = {SHA256: await asyncio.to_thread(sha256_of_file, path)}
        client = self._client if path.stat().st_size <= PART_BYTES else self._by_parts  # noqa: ASYNC240  # just read
        await self._requests.ask(
            lambda: client.fput_object(
                self._bucket,
                key,
                str(path),
                content_type=content_type,
                metadata=metadata,
                part_size=PART_BYTES,
                num_parallel_uploads=_PARALLEL_PARTS,
            )
        )

    async def get(self, key: str) -> bytes:
        check_key(key)
        return await self._requests.ask(lambda: self._read(key))

    async def stat(self, key: str) -> ObjectStat:
        check_key(key)
        found = await self._requests.ask(lambda: self._client.stat_object(self._bucket, key))
        sha256 = found.metadata.get(_METADATA_HEADER) if found.metadata else None
        return ObjectStat(found.size or 0, found.content_type or OCTET_STREAM, sha256)

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        check_key(key)
        length = 0 if end is None else end - first  # 0 is the client's word for "to the end"
        response = await self._requests.ask(lambda: self._client.get_object(self._bucket, key, first, length))
        size, chunks = _whole_size(response), self._chunks(response)
        if first == 0 and end in (None, size):
            chunks = checked_chunks(key, response.headers.get(_METADATA_HEADER), chunks)
        return OpenObject(size, response.headers.get("content-type", OCTET_STREAM), chunks)

    def location(self, key: str) -> str:
        return f"s3://{self._bucket}/{check_key(key)}"

    async def delete(self, key: str) -> None:
        check_key(key)
        await self._requests.ask(lambda: self._client.remove_object(self._bucket, key))

    async def below(self, folder: str) -> list[str]:
        prefix = f"{check_key(folder)}/"
        return await self._requests.ask(
            lambda: sorted(one.object_name or "" for one in self._client.list_objects(self._bucket, prefix))
        )

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        return self._links.presigned_get_object(
            self._bucket,
            check_key(key),
            expires=timedelta(seconds=expires_s),
            response_headers={"response-content-disposition": disposition(filename)},
        )

    async def ping(self) -> None:
        if not await self._requests.ask_once(lambda: self._client.bucket_exists(self._bucket)):
            raise Busy(f"the bucket {self._bucket} does not exist; create it, or correct AWS_S3_BUCKET")

    async def unfinished(self, before: datetime) -> list[str]:
        return [upload.object_name for upload in await self._requests.ask(lambda: self._uploads(before))]

    async def forget_unfinished(self, before: datetime) -> int:
        uploads = await self._requests.ask(lambda: self._uploads(before))
        for upload in uploads:
            await self._requests.ask(lambda upload=upload: self._abort(upload))  # type: ignore[misc]  # bound now
        return len(uploads)

    def _uploads(self, before: datetime) -> list[Upload]:
        """Uploads in parts that began before that moment, the first thousand of them."""
        found = self._client._list_multipart_uploads(self._bucket)  # the client has no public way
        return [one for one in found.uploads if one.initiated_time and one.initiated_time < before]

    def _abort(self, upload: Upload) -> None:
        self._client._abort_multipart_upload(  # the client has no public way
            self._bucket, upload.object_name, upload.upload_id or ""
        )

    def _make_bucket(self) -> None:
        if self._client.bucket_exists(self._bucket):
            return
        try:
            self._client.make_bucket(self._bucket, location=self._region)
        except S3Error as error:
            if error.code not in _THERE_CODES:  # somebody was quicker
                raise

    def _read(self, key: str) -> bytes:
        response = self._client.get_object(self._bucket, key)
        try:
            return checked(key, response.headers.get(_METADATA_HEADER), bytes(response.read()))
        finally:
            response.close()
            response.release_conn()

    async def _chunks(self, response: BaseHTTPResponse) -> AsyncGenerator[bytes]:
        try:
            while chunk := await self._requests.ask_once(lambda: response.read(CHUNK_BYTES)):
                yield chunk
        finally:
            response.close()
            response.release_conn()

    def _meaning(self, error: Exception) -> LeadwireError:
        if not isinstance(error, S3Error):
            settings = f"LEADWIRE_S3_ENDPOINT{' and LEADWIRE_S3_CA_FILE are' if self._is_secure else ' is'}"
            return away(self._endpoint, error, settings)
        if error.code in _MISSING_CODES:
            return NotFound(f"no file {error.object_name} in the object store; it may have been deleted")
        if error.code in _TEMPORARY_CODES:
            return unwell(error.code)
        return Misconfigured(
            f"the object store refuses: {error.code}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_S3_BUCKET "
            f"({self._bucket}) and the rights they have"
        )


def _whole_size(response: BaseHTTPResponse) -> int:
    """The size of the file that these bytes are of."""
    total = response.headers.get("content-range", "").rpartition("/")[2]
    return int(total or response.headers.get("content-length", "0"))


def _part_retries() -> Retry:
    """A part that did not come through goes again, at a moment of chance within some seconds."""
    return Retry(
        total=3,
        allowed_methods={"PUT"},
        status_forcelist={500, 502, 503, 504},
        backoff_factor=0.2,
        backoff_jitter=0.5,
        backoff_max=2,
        raise_on_status=False,
        respect_retry_after_header=False,  # MinIO says two minutes
    )


def _client(
    endpoint: str,
    access_key: str,
    secret_key: SecretStr,
    region: str,
    ca_file: Path | None = None,
    retries: Retry | Literal[False] = False,
) -> Minio:
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    context = _tls(ca_file) if parts.scheme != "http" else None
    pool = PoolManager(maxsize=CONNECTIONS, timeout=_TIMEOUT, retries=retries, ssl_context=context)
    return Minio(
        parts.netloc,
        access_key=access_key,
        secret_key=secret_key.get_secret_value(),
        secure=parts.scheme != "http",
        region=region,
        http_client=pool,
    )


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Trust in the system's authorities, or in that file's alone."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            f"LEADWIRE_S3_CA_FILE={ca_file} can't be used ({error}); name a PEM file that this process may read"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
