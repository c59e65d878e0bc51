"""A TCP proxy on 127.0.0.1 that stands for the network: it forwards, refuses, or swallows."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

_CHUNK = 65_536

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing then is a reset, not an orderly end."""


class Proxy:
    """Forwards to whatever port `target` tells at that moment; the proxy's own port stays the same."""

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0

    async def start(self) -> None:
        """Listen, on the same port as before if it listened already."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def refuse(self) -> None:
        """Reset every connection and refuse new ones, as when nothing runs there; `start` ends it."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        self._flowing.set()

    def reset(self) -> None:
        """Reset every connection; new ones are served."""
        for writer in list(self._writers):
            held = writer.get_extra_info("socket")
            if held is not None:  # uvloop has none of a connection that has just ended
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    def swallow(self) -> None:
        """From now on nothing comes through and nobody is told; `flow` ends it and passes on what was held."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    async def stop(self) -> None:
        """Refuse, and leave nothing running."""
        await self.refuse()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            there = await asyncio.open_connection("127.0.0.1", self._target())
        except OSError:
            self._forget(writer)
            return
        self._writers.add(there[1])
        try:
            await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))
        finally:
            self._forget(writer)
            self._forget(there[1])

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes one way; the end of this way is the end of the connection."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
