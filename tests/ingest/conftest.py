"""The gateway in this process, on the embedded database and broker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from leadwire.brokers import ensure_topics
from leadwire.embedded import Stack, embedded_stack
from schemas.settings import Settings
from storage.database import Database, writer
from storage.migrate import migrate
from tests.ingest.desk import Desk, Person, arrive, open_desk, serving


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> AsyncIterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.env().items():
            patch.setenv(name, value)
        read = Settings()
        await migrate(read.database.url, read.database)
        await ensure_topics(read.kafka)
        yield read


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = writer(settings.database)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """At the gateway's prefix, with no token."""
    async with serving(settings, settings.kafka) as client:
        yield client


@pytest.fixture(scope="session")
async def desk(database: Database, settings: Settings) -> Desk:
    """People who are logged in; their own sessions are left open."""
    return await open_desk(database, settings.security)


@pytest.fixture
async def newcomer(http: httpx.AsyncClient) -> Person:
    """A user of the test's own, who came in by the front door."""
    return await arrive(http)
