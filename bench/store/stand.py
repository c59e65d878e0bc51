"""A database and a MinIO that can go away and come back while their addresses stay the same."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
import psycopg

from bench.chaos.minio import S3Server
from bench.chaos.proxy import Proxy
from bench.store.servers import POSTGRES, Server, running
from leadwire.children import Children
from leadwire.embedded import Postgres
from schemas.errors import Misconfigured
from schemas.settings import HttpSettings, SecuritySettings
from schemas.settings_store import DatabaseSettings, ObjectSettings
from storage.objects import Objects, objects

_OLD: Final = {
    "LEADWIRE_ARCHIVE": "true",
    "LEADWIRE_ARCHIVE_AFTER_HOURS": "2",
    "LEADWIRE_HOT_DAYS": "0",
    "LEADWIRE_CHUNK_HOURS": "1",
}
"""What is archived leaves the tables at once, so that a run goes through every step of it."""


@dataclass(slots=True)
class Stand:
    """The servers, and one way to the database that every fault of it goes through."""

    folder: Path
    children: Children
    s3: S3Server
    way: Proxy
    direct_url: str
    postgres: Postgres | None
    """Ours to stop and start; None for a server that was given."""

    @property
    def settings(self) -> DatabaseSettings:
        names = ("READER_DATABASE_URL", "AUDITOR_DATABASE_URL", "READER_PASSWORD", "AUDITOR_PASSWORD")
        pools: dict[str, object] = {"DATABASE_POOL_SIZE": 4, "DATABASE_MAX_OVERFLOW": 0}
        none = {f"LEADWIRE_{name}": None for name in names}
        return DatabaseSettings.model_validate({"DATABASE_URL": self.url, **pools, **none, **_OLD})

    @property
    def url(self) -> str:
        """Through the way that faults cut."""
        parts = urlsplit(self.direct_url)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.way.port}").geturl()

    def env(self) -> Mapping[str, str]:
        """For commands on these servers."""
        kept = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
        ours = {"LEADWIRE_ENV": "development", "SECRET_KEY": secrets.token_hex(32), "DATABASE_URL": self.url}
        return {**kept, **ours, **self.s3.env(), **_OLD}

    def object_store(self) -> Objects:
        return objects(
            ObjectSettings.model_validate({**self.s3.env(), "LEADWIRE_OBJECTS_DIR": None}),
            SecuritySettings.model_validate({"LEADWIRE_ENV": "development"}),
            HttpSettings.model_validate({}),
        )

    async def database_away(self, seconds: float) -> None:
        """Stopped in order and started again; of a server that was given the way to it is cut."""
        await self.way.refuse()
        if self.postgres is not None:
            stopped = self.postgres.child
            await asyncio.to_thread(self.children.stop, stopped, number=signal.SIGINT, grace_s=30)
        await asyncio.sleep(seconds)
        await self._back()

    async def database_killed(self) -> None:
        """SIGKILL of the whole server; of one that was given, of a backend, after which it recovers as from a crash."""
        if self.postgres is None:
            _kill_backend(self.direct_url)
            return
        await asyncio.to_thread(_kill_family, self.postgres.child.pid)
        await self.way.refuse()
        await asyncio.to_thread(self.children.stop, self.postgres.child)
        await self._back()

    async def _back(self) -> None:
        if self.postgres is not None:
            self.postgres = await asyncio.to_thread(Postgres.start, self.children, self.folder)
            self.direct_url = self.postgres.url("postgres")
        await self.way.start()

    async def store_away(self, seconds: float) -> None:
        """SIGKILL, and started again after so long."""
        await asyncio.to_thread(self.s3.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.s3.start)


@asynccontextmanager
async def stand(kind: str, folder: Path) -> AsyncIterator[Stand]:
    """Everything started, nothing in it. All of it is gone afterwards. Raises Misconfigured, Busy."""
    if kind == POSTGRES:
        with Children(folder / "logs") as children:
            postgres = Postgres.start(children, folder)
            async with _ways(folder, children, postgres.url("postgres"), postgres) as made:
                yield made
        return
    with running(kind, folder) as server, Children(folder / "logs") as children:
        _check(server)
        async with _ways(folder, children, server.url, None) as made:
            yield made


@asynccontextmanager
async def _ways(folder: Path, children: Children, url: str, postgres: Postgres | None) -> AsyncIterator[Stand]:
    s3 = S3Server(children, folder / "s3")
    s3.start()
    way = Proxy(lambda: urlsplit(made.direct_url).port or 5432)
    made = Stand(folder, children, s3, way, url, postgres)
    await way.start()
    try:
        yield made
    finally:
        await way.stop()


def _check(server: Server) -> None:
    if server.process is None or server.is_npm:
        raise Misconfigured(
            f"{server.version} can't be killed from here; give LEADWIRE_TEST_TIMESCALE one of this machine"
        )


def _kill_family(pid: int) -> None:
    """Backends lead groups of their own, so each is killed by its own number; returns when all are gone."""
    postmaster = psutil.Process(pid)
    family = [postmaster, *postmaster.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(family[1:], timeout=10)


def _kill_backend(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
            "AND datname = current_database() LIMIT 1"
        ).fetchone()
    if row is not None:
        psutil.Process(int(row[0])).kill()
