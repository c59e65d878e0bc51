"""The databases that are measured: PostgreSQL as it is embedded, and a TimescaleDB that is given or brought by npm."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from leadwire.children import Children
from leadwire.embedded import Postgres
from schemas.errors import Misconfigured
from schemas.settings_store import DatabaseSettings
from tests.servers.availability import Unavailable
from tests.servers.timescale import running_timescale

POSTGRES: Final = "postgres"
TIMESCALE: Final = "timescale"
GIVEN: Final = "LEADWIRE_TEST_TIMESCALE"
"""Its URL for a superuser; without it the npm build stands in, which is one thread of WASM and much slower."""
SERVER_CORE: Final = 0
CLIENT_CORE: Final = 1


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and an empty database on it; `process` is None when it runs on another machine."""

    kind: str
    version: str
    url: str
    process: psutil.Process | None

    @property
    def settings(self) -> DatabaseSettings:
        """For storage's pools: nothing of the environment but this server."""
        names = ("READER_DATABASE_URL", "AUDITOR_DATABASE_URL", "READER_PASSWORD", "AUDITOR_PASSWORD")
        given = {"DATABASE_URL": self.url, "DATABASE_POOL_SIZE": 4, "DATABASE_MAX_OVERFLOW": 0}
        return DatabaseSettings.model_validate(given | {f"LEADWIRE_{name}": None for name in names})

    @property
    def is_npm(self) -> bool:
        return "PGlite" in self.version

    def cpu_s(self) -> float:
        """Seconds of CPU of all its processes, ended ones too; 0 for one on another machine."""
        if self.process is None:
            return 0.0
        ended = self.process.cpu_times()
        return sum(map(_own_cpu_s, self._all())) + ended.children_user + ended.children_system

    def hold(self, core: int = SERVER_CORE) -> None:
        """Keep all its processes on one core; those it starts later inherit that."""
        for each in self._all():
            with suppress(psutil.NoSuchProcess):
                each.cpu_affinity([core])

    def let_go(self) -> None:
        for each in self._all():
            with suppress(psutil.NoSuchProcess):
                each.cpu_affinity(list(range(os.cpu_count() or 1)))

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)] if self.process is not None else []


def _own_cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Server]:
    """One server of that kind with an empty database; what was started here is stopped when the block ends.

    Raises Misconfigured when it can't be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = _postgres if kind == POSTGRES else _timescale
    with start(folder) as url:
        yield Server(kind, _version(url), url, _process(url))


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with Children(folder / "logs") as children:
        yield Postgres.start(children, folder).url("postgres")


@contextmanager
def _timescale(folder: Path) -> Iterator[str]:
    try:
        with running_timescale(folder) as address:
            if not address.is_shared:
                yield address.url
                return
            with _own_database(address.url) as url:
                yield url
    except Unavailable as error:
        raise Misconfigured(f"no TimescaleDB: {error}") from error


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    """An empty database on a server that is others' too, dropped when the block ends."""
    name = f"leadwire_bench_{secrets.token_hex(4)}"
    _alone(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        _alone(url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _alone(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _version(url: str) -> str:
    """PostgreSQL's, and TimescaleDB's where its files are."""
    with psycopg.connect(url, autocommit=True) as connection:
        [whole] = connection.execute("SELECT version()").fetchone() or ("",)
        extension = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        ).fetchone()
    name = " ".join(str(whole).split()[:2]) + (" (PGlite)" if "wasm" in str(whole).lower() else "")
    return f"{name}, TimescaleDB {extension[0]}" if extension else name


def _process(url: str) -> psutil.Process | None:
    """Who listens there, if that is on this machine."""
    port = urlsplit(url).port or 5432
    for found in psutil.net_connections(kind="tcp"):
        if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid is not None:
            return psutil.Process(found.pid)
    return None
