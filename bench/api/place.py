"""Where it happens: the embedded stack with a month in it, and servers that are each held to one core."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from bench.api.month import Made, Month, keep, kept, make
from bench.peers.subprocesses import PYTHON
from leadwire.children import Child, wait_until
from leadwire.embedded import Stack, embedded_stack, free_port, is_listening
from leadwire.provision import provision
from schemas.errors import Misconfigured
from schemas.settings import Settings
from storage.database import writer

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_START_S: Final = 60.0


@dataclass(slots=True)
class Place:
    """The stack, and what runs on it."""

    stack: Stack
    made: Made
    secret: str
    _servers: list[Child] = field(default_factory=list)

    def serve(self, **settings: str) -> Server:
        """`leadwire serve`: api and gateway in one process on one core."""
        port = free_port()
        command = [sys.executable, "-m", "leadwire", "serve", "--port", str(port)]
        return self._start("serve", command, port, {"LEADWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}", **settings})

    def peer(self) -> Server:
        """The plain handlers. Raises Misconfigured without the peers' environment."""
        if not PYTHON.exists():
            raise Misconfigured(f"there is no {PYTHON}; `make bench-api` makes the peers' environment")
        port = free_port()
        words = [
            "-m",
            "uvicorn",
            "bench.api.peer:app",
            "--port",
            str(port),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        url = self.stack.database_url.replace("postgresql:", "postgresql+asyncpg:")
        env = {"PEER_DATABASE_URL": url, "PEER_SECRET_KEY": self.secret, "PYTHONPATH": str(Path.cwd())}
        return self._start("peer", [str(PYTHON), *words], port, env)

    def _start(self, name: str, command: Sequence[str], port: int, env: Mapping[str, str]) -> Server:
        child = self.stack.children.start(name, command, env={**os.environ, **env}, before_exec=_on_server_core)
        wait_until(lambda: is_listening(f"127.0.0.1:{port}"), child, within_s=_START_S)
        return Server(self.stack, child, port)


@dataclass(frozen=True, slots=True)
class Server:
    """One running HTTP server."""

    stack: Stack
    child: Child
    port: int

    def cpu_s(self) -> float:
        """Seconds of CPU that it has used."""
        times = psutil.Process(self.child.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self.stack.children.stop(self.child)


def _on_server_core() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})


def hold_load() -> None:
    """Keep this process off the servers' core."""
    os.sched_setaffinity(0, {LOAD_CORE})


@contextmanager
def place(folder: Path, month: Month) -> Iterator[Place]:
    """The stack with its month, made when it is not kept in `folder` from before; the servers end with it.

    Raises Misconfigured on a machine without two cores.
    """
    if (os.cpu_count() or 1) < 2:
        raise Misconfigured("this machine has one core; one for the server and one for the load are needed")
    home = folder / month.name
    home.mkdir(parents=True, exist_ok=True)
    before, secret = dict(os.environ), secrets.token_hex(32)
    try:
        with embedded_stack(home) as stack:
            os.environ.update({**stack.env(), "SECRET_KEY": secret})
            yield Place(stack, _filled(month, home), secret)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _filled(month: Month, home: Path) -> Made:
    known = kept(home)
    made = asyncio.run(_fill(month, is_there=known is not None))
    if made is not None:
        keep(home, made)
    found = made or known
    assert found is not None  # noqa: S101  # one of the two
    return found


async def _fill(month: Month, *, is_there: bool) -> Made | None:
    """Schema and topics are brought up to date in any case."""
    settings = Settings()
    await provision(settings)
    if is_there:
        return None
    database = writer(settings.database)
    await database.open()
    try:
        return await make(database, month)
    finally:
        await database.close()
