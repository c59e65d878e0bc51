"""The proxy carries, refuses, swallows and resets as a network does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bench.chaos.proxy import Proxy


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = int(server.sockets[0].getsockname()[1])
        running = Proxy(lambda: port)
        await running.start()
        yield running
        await running.stop()


async def said_back(proxy: Proxy, word: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(word)
    answer = await reader.read(100)
    writer.close()
    return answer


async def test_it_carries_both_ways(proxy: Proxy) -> None:
    assert await said_back(proxy, b"beat") == b"beat"


async def test_refusing_looks_like_nothing_running_and_ends_with_start(proxy: Proxy) -> None:
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await said_back(proxy, b"beat")
    await proxy.start()
    assert await said_back(proxy, b"beat") == b"beat"


async def test_what_is_swallowed_comes_through_when_it_flows_again(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.swallow()
    writer.write(b"beat")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(100), 0.1)
    proxy.flow()
    assert await reader.read(100) == b"beat"
    writer.close()


async def test_a_reset_ends_connections_and_serves_new_ones(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"beat")
    assert await reader.read(100) == b"beat"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    writer.close()
    assert await said_back(proxy, b"beat") == b"beat"
