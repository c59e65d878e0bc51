"""A wire that somebody meddles with: a TCP proxy that breaks connections off, or changes what goes through, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK_BYTES = 64 * 1024


@dataclass(slots=True)
class Meddler:
    """What is done to the bytes on their way to the server, and how often it was."""

    port: int = 0
    cut_after: int | None = None
    """Every connection over which so many bytes have gone in all breaks off, and so does every later one."""
    marker: bytes | None = None
    """Where this comes by for the first time, its last bit is turned over. It must come in one piece."""
    sent: int = 0
    cuts: int = 0
    flips: int = 0
    was_cut: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self, data: bytes) -> bytes:
        """What goes on in its place. Raises ConnectionError to break off."""
        self.sent += len(data)
        if self.cut_after is not None and self.sent > self.cut_after:
            self.cuts += 1
            self.was_cut.set()
            raise ConnectionError("cut")
        if self.marker and self.marker in data and not self.flips:
            self.flips += 1
            return data.replace(self.marker, self.marker[:-1] + bytes([self.marker[-1] ^ 1]))
        return data


@asynccontextmanager
async def meddling(server_port: int, meddler: Meddler) -> AsyncIterator[Meddler]:
    """Listen on a port of 127.0.0.1, `meddler.port`, and pass on to the other one until the block ends."""
    going: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        going.add(task)
        try:
            await _pass_on(server_port, meddler, reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            going.discard(task)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    meddler.port = listening.sockets[0].getsockname()[1]
    try:
        yield meddler
    finally:
        listening.close()
        for task in list(going):
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)


async def _pass_on(
    server_port: int, meddler: Meddler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    to_reader, to_writer = await asyncio.open_connection("127.0.0.1", server_port)
    back = asyncio.create_task(_copy(to_reader, writer))
    try:
        while data := await reader.read(_CHUNK_BYTES):
            to_writer.write(meddler.change(data))
            await to_writer.drain()
    except ConnectionError:
        writer.transport.abort()
    finally:
        back.cancel()
        with suppress(asyncio.CancelledError):
            await back
        to_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.close()
