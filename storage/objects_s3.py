"""Objects in S3, or in any server that speaks it."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

from minio import Minio
from minio.error import InvalidResponseError, S3Error, ServerError
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from schemas.errors import Busy, Misconfigured, NotFound
from schemas.files import OCTET_STREAM
from schemas.settings import ObjectSettings
from storage.object_keys import check_key
from storage.object_streams import CHUNK_BYTES, ObjectStat, OpenObject

Answer = TypeVar("Answer")

_TIMEOUT: Final = Timeout(connect=5, read=30)
_CONNECTIONS: Final = 16
_PARALLEL_PARTS: Final = 1
"""A file over 5 MiB goes in parts of that size, one after the other: no more than one is in memory."""

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: those that ask to try again.
_TEMPORARY_CODES: Final = {
    "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "SlowDownRead",
    "SlowDownWrite", "XMinioServerNotInitialized", "XMinioStorageFull",
}  # fmt: skip

_TRIES: Final = 4
_PATIENCE_S: Final = 10.0
"""A store that restarts is back within seconds; one that stays away is told as Busy, and the caller comes again."""

_MISSING_CODES: Final = {"NoSuchKey", "NoSuchObject"}
_THERE_CODES: Final = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


class S3Objects:
    """Files in one bucket (see storage/objects.py for the contract). Raises Misconfigured when S3 refuses the keys."""

    service: Literal["s3"] = "s3"

    def __init__(self, settings: ObjectSettings, access_key: str, secret_key: SecretStr) -> None:
        self._bucket = settings.bucket
        self._region = settings.region
        endpoint = settings.endpoint or f"https://s3.{settings.region}.amazonaws.com"
        self._endpoint = endpoint
        self._is_secure = not endpoint.startswith("http:")
        self._client = _client(endpoint, access_key, secret_key, settings.region, settings.ca_file)
        # Links carry the address that browsers reach, which is part of what is signed.
        self._links = _client(settings.public_endpoint or endpoint, access_key, secret_key, settings.region)
        # Threads of our own: a store that hangs must not hold up what else this process does in threads.
        self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="s3")

    async def ensure(self) -> None:
        await self._ask(self._make_bucket)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        check_key(key)
        await self._ask(
            lambda: self._client.put_object(self._bucket, key, io.BytesIO(data), len(data), content_type=content_type)
        )

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        check_key(key)
        await self._ask(
            lambda: self._client.fput_object(
                self._bucket, key, str(path), content_type=content_type, num_parallel_uploads=_PARALLEL_PARTS
            )
        )

    async def get(self, key: str) -> bytes:
        check_key(key)
        return await self._ask(lambda: self._read(key))

    async def stat(self, key: str) -> ObjectStat:
        check_key(key)
        found = await self._ask(lambda: self._client.stat_object(self._bucket, key))
        return ObjectStat(found.size or 0, found.content_type or OCTET_STREAM)

    async def open(self, key: str, first: int = 0, end: int | None = None) -> OpenObject:
        check_key(key)
        length = 0 if end is None else end - first  # 0 is the client's word for "to the end"
        response = await self._ask(lambda: self._client.get_object(self._bucket, key, first, length))
        content_type = response.headers.get("content-type", OCTET_STREAM)
        return OpenObject(_whole_size(response), content_type, self._chunks(response))

    def location(self, key: str) -> str:
        return f"s3://{self._bucket}/{check_key(key)}"

    async def delete(self, key: str) -> None:
        check_key(key)
        await self._ask(lambda: self._client.remove_object(self._bucket, key))

    async def presigned_url(self, key: str, expires_s: int, filename: str) -> str:
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return self._links.presigned_get_object(
            self._bucket,
            check_key(key),
            expires=timedelta(seconds=expires_s),
            response_headers={"response-content-disposition": disposition},
        )

    async def ping(self) -> None:
        if not await self._ask_once(lambda: self._client.bucket_exists(self._bucket)):
            raise Busy(f"the bucket {self._bucket} does not exist; create it, or correct AWS_S3_BUCKET")

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
            return bytes(response.read())
        finally:
            response.close()
            response.release_conn()

    async def _chunks(self, response: BaseHTTPResponse) -> AsyncGenerator[bytes]:
        try:
            while chunk := await self._ask_once(lambda: response.read(CHUNK_BYTES)):
                yield chunk
        finally:
            response.close()
            response.release_conn()

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask up to _TRIES times, at moments of chance, so that many who wait don't come back together."""
        patiently = AsyncRetrying(
            retry=retry_if_exception_type(Busy),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_after_attempt(_TRIES) | stop_after_delay(_PATIENCE_S),
            reraise=True,
        )
        return await patiently(self._ask_once, question)

    async def _ask_once(self, question: Callable[[], Answer]) -> Answer:
        """Run a blocking call in a thread, and say what its failure means."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, question)
        except S3Error as error:
            raise self._meaning(error) from error
        except (HTTPError, ServerError, InvalidResponseError, OSError) as error:
            raise Busy(
                f"the object store at {self._endpoint} does not answer ({type(error).__name__}); see that it runs and "
                f"LEADWIRE_S3_ENDPOINT{' and LEADWIRE_S3_CA_FILE are' if self._is_secure else ' is'} right"
            ) from error

    def _meaning(self, error: S3Error) -> Exception:
        if error.code in _MISSING_CODES:
            return NotFound(f"no file {error.object_name} in the object store; it may have been deleted")
        if error.code in _TEMPORARY_CODES:
            return Busy(f"the object store can't serve this now ({error.code}); try again")
        return Misconfigured(
            f"the object store refuses: {error.code}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_S3_BUCKET "
            f"({self._bucket}) and the rights they have"
        )


def _whole_size(response: BaseHTTPResponse) -> int:
    """The size of the file that these bytes are of."""
    total = response.headers.get("content-range", "").rpartition("/")[2]
    return int(total or response.headers.get("content-length", "0"))


def _client(endpoint: str, access_key: str, secret_key: SecretStr, region: str, ca_file: Path | None = None) -> Minio:
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    context = _tls(ca_file) if parts.scheme != "http" else None
    pool = PoolManager(maxsize=_CONNECTIONS, timeout=_TIMEOUT, retries=False, ssl_context=context)
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
