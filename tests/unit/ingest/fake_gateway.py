"""A gateway that takes blocks over a WebSocket, or refuses, or goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from ingest.player import Target
from schemas.codec import decode_pack
from schemas.samples import SampleBlock
from tests.unit.ingest.examples import DEVICE


@dataclass
class FakeGateway:
    """Acknowledges blocks, after `deaf_after` no more.

    After `hang_up_after` of them in one connection it hangs up, `busy` tells why first.
    """

    hang_up_after: int | None = None
    hang_ups: int = 1
    busy: bool = False
    refuse: bool = False
    status: HTTPStatus | None = None
    deaf_after: int | None = None
    stored: list[SampleBlock] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers["Authorization"])
        return None if self.status is None else connection.respond(self.status, json.dumps({"detail": "who?"}))

    async def handle(self, socket: ServerConnection) -> None:
        taken = 0
        async for frame in socket:
            assert isinstance(frame, bytes)
            if self.hang_ups and taken == self.hang_up_after:
                self.hang_ups -= 1
                if self.busy:
                    await socket.send(json.dumps({"type": "error", "frame": 0, "status": 503, "detail": "busy"}))
                await socket.close(1013)
                return
            [block] = decode_pack(frame)
            self.stored.append(block)
            self.grown.set()
            if self.deaf_after is not None and len(self.stored) > self.deaf_after:
                continue
            await socket.send(json.dumps(self._answer(block)))
            taken += 1

    def _answer(self, block: SampleBlock) -> dict[str, object]:
        if self.refuse:
            return {"type": "error", "frame": 0, "status": 422, "detail": "rate_hz is 0; send 100 to 1000"}
        span = {"first_index": block.first_index, "end_index": block.end_index}
        return {"type": "ack", "recording_id": str(block.recording_id), **span}

    def samples(self) -> list[int]:
        """By index, repeats dropped."""
        by_index = {block.first_index: block.samples[0].tolist() for block in self.stored}
        return [value for index in sorted(by_index) for value in by_index[index]]

    async def until(self, blocks: int) -> None:
        """Return when so many blocks have come, repeats included."""
        while len(self.stored) < blocks:
            self.grown.clear()
            await self.grown.wait()

    @property
    def target(self) -> Target:
        return Target(self.url, DEVICE, "lwd_good")


@asynccontextmanager
async def running(gateway: FakeGateway, port: int = 0) -> AsyncIterator[FakeGateway]:
    serving = serve(gateway.handle, "127.0.0.1", port, process_request=gateway.admit, max_queue=None)
    async with serving as server:  # no bound on the queue: a full one would hide the client's farewell
        port = next(iter(server.sockets)).getsockname()[1]
        gateway.url = f"http://127.0.0.1:{port}"
        yield gateway
