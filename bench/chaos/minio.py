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
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def env(self) -> Mapping[str, str]:
        """What tells a Leadwire to keep its objects there."""
        return {
            "LEADWIRE_S3_ENDPOINT": f"http://{self.address}",
            "AWS_ACCESS_KEY_ID": "leadwire-chaos",
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def start(self) -> None:
        """Blocks until it listens. Raises Busy, or Misconfigured when there is no MinIO."""
        keys = {"MINIO_ROOT_USER": "leadwire-chaos", "MINIO_ROOT_PASSWORD": self.secret}
        quiet = {"MINIO_BROWSER": "off", "MINIO_UPDATE": "off", "MINIO_CI_CD": "on"}
        command = [_program(), "server", "--quiet", "--address", self.address, str(self.folder)]
        self.child = self.children.start("minio", command, env=os.environ | keys | quiet)
        wait_until(lambda: is_listening(self.address), self.child, within_s=_START_S)

    def kill(self) -> None:
        """SIGKILL; what it confirmed is on its disk."""
        if self.child is not None:
            self.children.kill(self.child)
            self.children.stop(self.child)


def _program() -> str:
    """MinIO on PATH, else what the tests' installer left."""
    if found := shutil.which("minio"):
        return found
    built = sorted(Path(os.environ.get("LEADWIRE_TEST_CACHE", ".cache")).glob("minio-*/minio"), reverse=True)
    if built:
        return str(built[0].resolve())
    raise Misconfigured(
        "no minio on PATH; install it, run `.venv/bin/python -m tests.servers.install`, or choose STACK=embedded"
    )
