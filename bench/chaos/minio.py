"""One S3 server (MinIO) for the bench, from a program that is there already."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from leadwire.children import Child, Children, wait_until
from leadwire.embedded import free_port, is_listening
from schemas.errors import Misconfigured
from tests.servers.minio import S3Address, command, environment

_START_S: Final = 60.0


@dataclass(slots=True)
class S3Server:
    """A server whose port, keys and data stay the same through kill and start."""

    children: Children
    folder: Path
    port: int = field(default_factory=free_port)
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    child: Child | None = None

    @property
    def address(self) -> S3Address:
        return S3Address(f"http://127.0.0.1:{self.port}", "leadwire-chaos", self.secret)

    def env(self) -> Mapping[str, str]:
        """What tells a Leadwire to keep its objects there."""
        return {
            "LEADWIRE_OBJECTS": "s3",
            "LEADWIRE_S3_ENDPOINT": self.address.url,
            "AWS_ACCESS_KEY_ID": self.address.access_key,
            "AWS_SECRET_ACCESS_KEY": self.address.secret_key,
        }

    def start(self) -> None:
        """Blocks until it listens. Raises Busy, or Misconfigured when there is no MinIO."""
        words = [str(word) for word in command(_program(), self.address, self.folder)]
        self.child = self.children.start("minio", words, env=os.environ | environment(self.address))
        wait_until(lambda: is_listening(self.address.endpoint), self.child, within_s=_START_S)

    def kill(self) -> None:
        """SIGKILL; what it confirmed is on its disk."""
        if self.child is not None:
            self.children.kill(self.child)
            self.children.stop(self.child)


def _program() -> Path:
    """MinIO on PATH, else what the tests' installer left."""
    if found := shutil.which("minio"):
        return Path(found)
    built = sorted(Path(os.environ.get("LEADWIRE_TEST_CACHE", ".cache")).glob("minio-*/minio"), reverse=True)
    if built:
        return built[0].resolve()
    raise Misconfigured(
        "no minio on PATH; install it, run `.venv/bin/python -m tests.servers.install`, or choose STACK=embedded"
    )
