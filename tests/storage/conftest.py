"""One suite, two databases: PostgreSQL as it is embedded, and TimescaleDB."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from leadwire.children import Children
from leadwire.embedded import Postgres
from schemas.settings_store import DatabaseSettings
from storage.database import Database, reader, writer
from storage.migrate import migrate
from tests.servers.fixtures import skipping_or_failing
from tests.servers.timescale import running_timescale

POSTGRES = pytest.param("postgres_url", id="postgres", marks=pytest.mark.embedded)
TIMESCALE = pytest.param("timescale_url", id="timescale", marks=pytest.mark.timescale)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("postgres")
    with Children(folder / "logs") as children:
        yield Postgres.start(children, folder).url("postgres")


@pytest.fixture(scope="session")
def timescale_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("timescale")
    with skipping_or_failing("TimescaleDB"), running_timescale(folder) as address:
        if not address.is_shared:
            yield address.url
            return
        with own_database(address.url) as url:
            yield url


@pytest.fixture(scope="session", params=[POSTGRES, TIMESCALE])
def database_url(request: pytest.FixtureRequest) -> str:
    """A server that the suite may do anything to."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def settings(database_url: str) -> DatabaseSettings:
    return settings_for(database_url)


@pytest.fixture(scope="session")
async def database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """The side that writes, on an up-to-date schema."""
    await migrate(settings.url, settings)
    opened = writer(settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def reading(database: Database, settings: DatabaseSettings) -> AsyncIterator[Database]:
    """The side that reads."""
    opened = reader(settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def conn(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that is undone when the test ends."""
    async with database.transaction() as connection, connection.transaction(force_rollback=True):
        yield connection


def settings_for(url: str, **others: object) -> DatabaseSettings:
    pools = {"DATABASE_POOL_SIZE": 4, "DATABASE_MAX_OVERFLOW": 0}
    names = ("READER_DATABASE_URL", "AUDITOR_DATABASE_URL", "READER_PASSWORD", "AUDITOR_PASSWORD")
    logins = {f"LEADWIRE_{name}": None for name in names}  # whatever an embedded stack of other tests has set
    return DatabaseSettings.model_validate({"DATABASE_URL": url, **pools, **logins, **others})


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """An empty database beside the one at `url`, dropped when the block ends."""
    name = f"leadwire_test_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
