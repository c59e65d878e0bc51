"""A device's WebSocket: frames of blocks in, an acknowledgement for each block out once Kafka has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from ingest.json_blocks import parse_json
from ingest.packets import admit, parse_protobuf
from schemas.accounts import DeviceCaller
from schemas.clock import now_us
from schemas.errors import Busy, LeadwireError, Refused, TooLarge
from schemas.samples import SampleBlock
from schemas.settings import HttpSettings
from schemas.telemetry import BLOCKS_REFUSED

WINDOW: Final = 64
"""Frames of one connection on their way into Kafka; further ones stay unread, and TCP slows the device down."""

RECHECK_S: Final = 60.0
"""How long a connection outlives its token."""

TRY_AGAIN_LATER: Final = 1013
POLICY_VIOLATION: Final = 1008
"""WebSocket close codes (IANA registry)."""


class Socket(Protocol):
    """The part of Starlette's WebSocket that is used."""

    async def receive(self) -> Message: ...
    async def send_text(self, data: str) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Producer(Protocol):
    """The part of SampleProducer that is used."""

    async def send(self, blocks: list[SampleBlock]) -> None: ...


@dataclass(frozen=True, slots=True)
class _Frame:
    number: int
    blocks: list[SampleBlock]
    stored: asyncio.Task[None] | None
    error: LeadwireError | None


class DeviceStream:
    """Serves one connection until either side ends it.

    Frames are answered in their order: a text frame `{"type": "ack", "recording_id", "first_index", "end_index"}`
    for each block of a good frame, or one `{"type": "error", "frame", "status", "title", "detail"}` for a bad one, of
    which nothing is kept; `frame` counts from 0. After a bad frame the connection goes on. When Kafka is away the
    error has `retry_after_s` and the connection is closed with 1013, so that the device repeats, in order, from the
    first block that was not acknowledged; when the token is no longer good it is closed with 1008.
    """

    def __init__(
        self,
        socket: Socket,
        device: DeviceCaller,
        producer: Producer,
        http: HttpSettings,
        still_known: Callable[[], Awaitable[object]],
    ) -> None:
        self._socket, self._device, self._producer, self._http = socket, device, producer, http
        self._still_known = still_known
        self._frames: asyncio.Queue[_Frame | None] = asyncio.Queue(WINDOW)
        self._number = 0

    async def run(self) -> None:
        """Return when the connection has ended and what it sent is answered for."""
        reading = asyncio.create_task(self._read())
        answering = asyncio.create_task(self._answer())
        try:
            await asyncio.wait({reading, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()  # the answering side has closed
            await asyncio.wait({reading, answering})
        finally:
            reading.cancel()
            answering.cancel()
        for task in (reading, answering):
            if not task.cancelled():
                task.result()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + RECHECK_S
        try:
            while (message := await self._socket.receive())["type"] == "websocket.receive":
                await self._frames.put(self._take(message))
                if loop.time() > check_at:
                    await self._still_known()
                    check_at = loop.time() + RECHECK_S
        except (Refused, Busy) as error:
            await self._frames.put(_Frame(self._number, [], None, error))
        except WebSocketDisconnect:
            pass
        await self._frames.put(None)

    def _take(self, message: Message) -> _Frame:
        number, self._number = self._number, self._number + 1
        try:
            blocks = admit(self._parse(message), self._device.device_id, now_us(), self._http.max_clock_skew_s)
        except LeadwireError as error:
            BLOCKS_REFUSED.labels(type(error).__name__).inc()
            return _Frame(number, [], None, error)
        return _Frame(number, blocks, asyncio.create_task(self._producer.send(blocks)), None)

    def _parse(self, message: Message) -> list[SampleBlock]:
        body: bytes | str = message.get("bytes") or message.get("text") or b""
        if len(body) > self._http.max_body_bytes:
            limit = self._http.max_body_bytes
            raise TooLarge(f"the frame is {len(body)} long, {limit} bytes are allowed; send fewer blocks a frame")
        return parse_json(body) if isinstance(body, str) else parse_protobuf(body)

    async def _answer(self) -> None:
        try:
            while (frame := await self._frames.get()) is not None:
                code = await self._answer_frame(frame)
                if code is not None:
                    await self._socket.close(code)
                    return
        except WebSocketDisconnect:
            pass  # what is on its way still goes into Kafka; the device repeats it and the repeat is dropped

    async def _answer_frame(self, frame: _Frame) -> int | None:
        error = frame.error
        if frame.stored is not None:
            try:
                await frame.stored
            except Busy as busy:
                error = busy
                BLOCKS_REFUSED.labels(type(busy).__name__).inc()
        if error is not None:
            await self._socket.send_text(_error(frame.number, error))
            return _close_code(frame, error)
        for block in frame.blocks:
            await self._socket.send_text(_ack(block))
        return None


def _close_code(frame: _Frame, error: LeadwireError) -> int | None:
    if isinstance(error, Busy):
        return TRY_AGAIN_LATER
    return POLICY_VIOLATION if isinstance(error, Refused) and error.status == 401 else None


def _ack(block: SampleBlock) -> str:
    return (
        f'{{"type":"ack","recording_id":"{block.recording_id}",'
        f'"first_index":{block.first_index},"end_index":{block.end_index}}}'
    )


def _error(number: int, error: LeadwireError) -> str:
    told = {"type": "error", "frame": number, "status": error.status, "title": error.title, "detail": str(error)}
    if error.retry_after_s is not None:
        told["retry_after_s"] = error.retry_after_s
    return json.dumps(told)
