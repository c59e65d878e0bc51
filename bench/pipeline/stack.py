"""The stack under test, everything on this machine: broker, PostgreSQL, worker, registered devices."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import psutil

from bench.pipeline.processes import Watched
from leadwire.children import Child
from leadwire.embedded import Stack, embedded_stack
from leadwire.provision import provision
from schemas.errors import Misconfigured
from schemas.settings import Settings
from storage import devices
from storage.database import Database
from storage.devices import NewDevice
from tests.servers.kafka import KafkaServer

BrokerKind = Literal["tansu", "kafka"]

_IN_MEMORY: Final = {"tmpfs", "ramfs"}
_TREES: Final = {"postgres", "worker"}
_WORKER_START_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Program:
    """A worker as a process: its command, and the words in its log that say it has started."""

    command: tuple[str, ...]
    started: str
    path: tuple[Path, ...] = ()
    processes: int = 1


PEER_STARTED: Final = "peer worker started"
OURS: Final = Program((sys.executable, "-m", "leadwire", "worker"), "worker started")


def ours(processes: int) -> Program:
    """Our worker, as so many processes that share the partitions."""
    return Program((*OURS.command, "--processes", str(processes)), OURS.started, processes=processes)


@dataclass(slots=True)
class Rig:
    """The running stack and its worker; the worker may be another one after a restart."""

    stack: Stack
    broker: BrokerKind
    kafka: KafkaServer | None
    folder: Path
    program: Program = OURS
    worker: Child | None = None
    load_pid: int | None = None

    async def start_worker(self) -> None:
        """Returns when the worker says that it has started. Raises SystemExit with its last words if it does not."""
        path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *map(str, self.program.path)])
        env = {**os.environ, "PYTHONPATH": path} if self.program.path else None
        self.worker = worker = self.stack.children.start("worker", self.program.command, env=env)
        deadline = time.monotonic() + _WORKER_START_S
        seen = worker.log.stat().st_size if worker.log.exists() else 0
        while worker.log.read_bytes()[seen:].count(self.program.started.encode()) < self.program.processes:
            if worker.exit_code is not None or time.monotonic() > deadline:
                raise SystemExit(f"the worker did not start: {worker.last_words(20)}")
            await asyncio.sleep(0.1)

    def stop_worker(self) -> None:
        """SIGINT, and wait until it is gone."""
        if self.worker is not None:
            self.stack.children.stop(self.worker, grace_s=30)

    def watched(self) -> list[Watched]:
        """The processes that run now."""
        found = [Watched(child.name, child.pid, child.name in _TREES) for child in self.stack.children.running]
        if self.kafka is not None and self.kafka.pid is not None:
            found.append(Watched("broker", self.kafka.pid))
        if self.load_pid is not None:
            found.append(Watched("load", self.load_pid))
        return found


@contextmanager
def rig(broker: BrokerKind, folder: Path | None = None, program: Program = OURS) -> Iterator[Rig]:
    """Broker and PostgreSQL, new and empty, their addresses in os.environ; all stopped and removed at the end.

    Raises Misconfigured when the folder is in memory: what is written there costs nothing.
    """
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-", dir=folder) as made:
        place = Path(made)
        refuse_memory(place)
        server = KafkaServer(place / "kafka") if broker == "kafka" else None
        before = dict(os.environ)
        try:
            with embedded_stack(place, server.start().bootstrap if server else None) as stack:
                os.environ.update(stack.env())
                yield Rig(stack, broker, server, place, program)
        finally:
            if server is not None:
                server.stop()
            os.environ.clear()
            os.environ.update(before)


def refuse_memory(folder: Path) -> None:
    kind = filesystem(folder)
    if kind in _IN_MEMORY:
        raise Misconfigured(f"{folder} is on {kind}, where writing is free; choose a folder on a disk with --folder")


def filesystem(folder: Path) -> str:
    """The kind of filesystem a folder is on, as the kernel names it."""
    mounts = [m for m in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(m.mountpoint)]
    return max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else "unknown"


async def make_devices(database: Database, count: int) -> list[UUID]:
    """Registered devices, as a gateway knows them."""
    async with database.transaction() as connection:
        made = [await devices.register(connection, NewDevice(None), secrets.token_bytes(32)) for _ in range(count)]
    return [device.device_id for device in made]


async def prepare(settings: Settings) -> None:
    """Schema, topics and bucket."""
    await provision(settings)


async def settings_used(settings: Settings, database: Database, at: Rig) -> dict[str, Any]:
    """What was set, and what PostgreSQL says of itself."""
    async with database.transaction() as connection:
        cursor = await connection.execute("""
            SELECT name, current_setting(name)
            FROM pg_settings
            WHERE name IN (
                'server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'wal_level',
                'wal_compression', 'max_wal_size', 'checkpoint_timeout', 'autovacuum'
            )
        """)
        told = dict(await cursor.fetchall())
    return {
        "broker": at.broker,
        "kafka": settings.kafka.model_dump(mode="json", exclude={"bootstrap"}),
        "worker": settings.worker.model_dump(mode="json", exclude={"telemetry_host", "telemetry_port"}),
        "postgres": told,
        "filesystem": filesystem(at.folder),
        "cores": psutil.cpu_count(),
        "python": sys.version.split()[0],
    }
