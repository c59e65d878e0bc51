"""The generator reads answers whole, however they arrive, and counts from when a request was due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.api.load import Call, Load, percentiles_ms
from bench.api.wire import Answer, Connection, request

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Wire(asyncio.Transport):
    """A connection whose other end the test is."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return False


def _sent(connection: Connection, count: int) -> list[asyncio.Future[Answer]]:
    connection.connection_made(_Wire())
    return [connection.send(b"") for _ in range(count)]


@given(st.sets(st.integers(1, len(CONTINUE + PLAIN + CHUNKED + EMPTY + PLAIN))))
def test_pipelined_answers_are_told_apart_wherever_they_are_cut(cuts: set[int]) -> None:
    async def read() -> list[int]:
        connection = Connection()
        answers = _sent(connection, 4)
        stream, edges = CONTINUE + PLAIN + CHUNKED + EMPTY + PLAIN, [0, *sorted(cuts)]
        for start, end in zip(edges, [*edges[1:], None], strict=True):
            connection.data_received(stream[start:end])
        return [answer.result().status for answer in answers]

    assert asyncio.run(read()) == [200, 201, 429, 200]


async def test_what_is_never_answered_has_status_0() -> None:
    connection = Connection()
    [answer] = _sent(connection, 1)
    connection.connection_lost(None)
    assert answer.result() == Answer(0)


def test_a_request_carries_its_token_and_body() -> None:
    told = request("POST", "/x", "secret", {"a": 1})
    assert b"Authorization: Bearer secret\r\n" in told
    assert told.endswith(b'Content-Length: 8\r\n\r\n{"a": 1}')


class _Slow:
    """A server that answers each request after a while, one at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.get_running_loop().run_in_executor(None, asyncio.run, asyncio.sleep(self._seconds))
            writer.write(PLAIN)
        writer.close()


@pytest.fixture
async def slow_port() -> AsyncIterator[int]:
    server = await asyncio.start_server(_Slow(0.02), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def _calls() -> Iterator[Call]:
    while True:
        yield Call("GET", request("GET", "/"))


async def test_latency_counts_from_when_a_request_was_due(slow_port: int) -> None:
    """Ten due within 10 ms, of 20 ms each: the last one waited for all before it, and that shows."""
    outcome = await Load(slow_port, "127.0.0.1", 1).run(_calls(), rate=1000, seconds=0.01)
    told = outcome.report()
    assert told["statuses"] == {"200": 10}
    assert told["max_ms"] > 150


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles_ms([]) == {}
    assert percentiles_ms([0.001] * 99 + [1.0])["max_ms"] == 1000
