"""Who a client is: a trusted proxy's word, and nobody else's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from leadwire.serving import config
from schemas.settings import HttpSettings

STRANGER, CLIENT = "203.0.113.7", "198.51.100.9"


async def tell_address(scope: Scope, _: Receive, send: Send) -> None:
    """An application that answers with the address it sees."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["client"][0]).encode()})


@asynccontextmanager
async def served(trusted: list[str]) -> AsyncIterator[str]:
    settings = HttpSettings.model_validate({"trusted_proxies": trusted})
    wanted = config(tell_address, settings, "127.0.0.1", 0)
    wanted.lifespan = "off"
    server = uvicorn.Server(wanted)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110  # uvicorn tells it by this flag only
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def address_seen(trusted: list[str], forwarded: str) -> str:
    async with served(trusted) as url, httpx.AsyncClient() as client:
        return (await client.get(url, headers={"X-Forwarded-For": forwarded})).text


async def test_a_strangers_forged_header_is_ignored() -> None:
    assert await address_seen(["10.0.0.1"], STRANGER) == "127.0.0.1"
    assert await address_seen([], STRANGER) == "127.0.0.1"


@pytest.mark.parametrize("proxy", ["127.0.0.1", "127.0.0.0/8"])
async def test_a_trusted_proxy_says_who_the_client_is(proxy: str) -> None:
    assert await address_seen([proxy], CLIENT) == CLIENT


async def test_what_a_client_wrote_itself_before_the_proxys_word_is_ignored() -> None:
    assert await address_seen(["127.0.0.1"], f"{STRANGER}, {CLIENT}") == CLIENT


def test_only_this_machine_is_trusted_unless_told_otherwise() -> None:
    assert HttpSettings.model_fields["trusted_proxies"].get_default() == ["127.0.0.1", "::1"]
