"""A real S3 server: MinIO, built from its Go module."""

import os
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.availability import Unavailable, find_tool, run_tool
from tests.servers.cache import cached
from tests.servers.certificates import Authority
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

# MinIO's releases are dates; as a Go module it has only the version that names the commit. This is the last one there.
MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
BUILD_S, START_S = 1500.0, 60.0


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where an S3 server answers, and the keys that open it."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        """`host:port`, as the `minio` client wants it."""
        return urlsplit(self.url).netloc

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Address]:
    """Yield the S3 of LEADWIRE_TEST_S3_URL, or start MinIO in the folder and stop it afterwards; raises Unavailable."""
    if given := os.environ.get("LEADWIRE_TEST_S3_URL"):
        yield _given(given)
        return
    program = install_minio() / "minio"
    address = S3Address(f"http://127.0.0.1:{free_ports(1)[0]}", "leadwire-tests", "made-up-for-tests")
    folder.mkdir(parents=True, exist_ok=True)
    with Child(command(program, address, folder), folder / "minio.log", env=environment(address)) as child:
        child.wait_until(lambda: is_ready(address), START_S)
        yield address


@contextmanager
def running_secure_s3(folder: Path, ca: Authority) -> Iterator[S3Address]:
    """Start MinIO with a certificate of that authority, over TLS only, and stop it afterwards; raises Unavailable."""
    program = install_minio() / "minio"
    address = S3Address(f"https://127.0.0.1:{free_ports(1)[0]}", "leadwire-tests", "made-up-for-tests")
    (folder / "certs").mkdir(parents=True)
    pair = ca.certificate("minio")
    shutil.copy(pair.file, folder / "certs" / "public.crt")
    shutil.copy(pair.key, folder / "certs" / "private.key")
    context = ssl.create_default_context(cafile=ca.file)
    with Child(command(program, address, folder), folder / "minio.log", env=environment(address)) as child:
        child.wait_until(lambda: is_ready(address, context), START_S)
        yield address


def install_minio() -> Path:
    """Return the folder of the MinIO program, built the first time (some minutes); raises Unavailable."""
    return cached(f"minio-{MINIO_VERSION}", _build)


def is_ready(address: S3Address, context: ssl.SSLContext | None = None) -> bool:
    url = f"{address.url}/minio/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:  # noqa: S310 our own http or https URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _build(folder: Path) -> None:
    go = find_tool("go", remedy="install Go 1.24 or newer, or set LEADWIRE_TEST_S3_URL")
    argv: list[str | Path] = [go, "install", "-trimpath", "-ldflags=-s -w", f"github.com/minio/minio@{MINIO_VERSION}"]
    run_tool(argv, folder, BUILD_S, {"GOBIN": str(folder)})


def command(program: Path, address: S3Address, folder: Path) -> list[str | Path]:
    """What starts MinIO at that address, its data and certificates in the folder."""
    listen, certificates = ("--address", address.endpoint), ("--certs-dir", str(folder / "certs"))
    return [program, "server", "--quiet", *listen, *certificates, folder / "data"]


def environment(address: S3Address) -> dict[str, str]:
    """Its keys, and quiet."""
    keys = {"MINIO_ROOT_USER": address.access_key, "MINIO_ROOT_PASSWORD": address.secret_key}
    # No web console, no look-up of newer versions, and no protest that data and system share a disk.
    return keys | {"MINIO_BROWSER": "off", "MINIO_UPDATE": "off", "MINIO_CI_CD": "on"}


def _given(url: str) -> S3Address:
    try:
        address = S3Address(url.rstrip("/"), os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    except KeyError as missing:
        raise Unavailable(f"LEADWIRE_TEST_S3_URL is set but {missing} isn't; set it, or unset the URL") from None
    parts = urlsplit(address.url)
    if not is_listening(parts.port or (443 if address.is_secure else 80), parts.hostname or ""):
        raise Unavailable(f"LEADWIRE_TEST_S3_URL={url} doesn't answer; start it, or unset the variable")
    return address
