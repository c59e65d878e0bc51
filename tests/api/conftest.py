"""The api, served on a port of this machine from the embedded stack."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from api.app import create_api
from leadwire.brokers import ensure_topics
from leadwire.embedded import Stack, embedded_stack
from schemas.settings import Settings
from storage.migrate import migrate
from tests.api.ward import Ward, open_ward


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with embedded_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def listener() -> Iterator[socket.socket]:
    # With the protocol named: else asyncio leaves Nagle's algorithm on, and small answers take 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        open_socket.listen()
        yield open_socket


@pytest.fixture(scope="session")
def base_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
async def settings(stack: Stack, base_url: str) -> AsyncIterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.env().items():
            patch.setenv(name, value)
        patch.setenv("LEADWIRE_PUBLIC_URL", base_url)
        read = Settings()
        await migrate(read.database.url, read.database)
        await ensure_topics(read.kafka)
        yield read


@pytest.fixture(scope="session")
async def ward(settings: Settings) -> AsyncIterator[Ward]:
    opened = await open_ward(settings)
    yield opened
    await opened.database.close()


@pytest.fixture(scope="session")
async def served(settings: Settings, ward: Ward, listener: socket.socket, base_url: str) -> AsyncIterator[str]:
    app: ASGIApp = create_api(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it by this flag only
        await asyncio.sleep(0.01)
    yield base_url
    server.should_exit = True
    await serving


@pytest.fixture
async def client(served: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served, timeout=30) as open_client:
        yield open_client
