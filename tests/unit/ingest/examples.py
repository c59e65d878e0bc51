"""Blocks, a Kafka and a socket to test with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
from aiokafka.errors import KafkaError
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from schemas.codec import decode_pack
from schemas.samples import SampleBlock

DEVICE = UUID(int=7)
RECORDING = UUID(int=9)

BLOCK = SampleBlock(
    device_id=DEVICE,
    recording_id=RECORDING,
    first_index=0,
    started_at_us=1_700_000_000_000_000,
    rate_hz=250.0,
    leads=("II",),
    uv_per_lsb=(5.0,),
    samples=np.arange(250, dtype=np.int16).reshape(1, -1),
)


def block(first_index: int = 0, device_id: UUID = DEVICE) -> SampleBlock:
    """One second of lead II that starts at `first_index`."""
    return replace(BLOCK, first_index=first_index, device_id=device_id)


@dataclass
class FakeKafka:
    """Takes records at once, or when it is released; or fails."""

    partitions: int = 4
    held: bool = False
    away: bool = False
    records: list[tuple[str, int | None, bytes, bytes]] = field(default_factory=list)
    stopped: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        if self.away:
            raise KafkaError("nobody is there")

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        del topic
        return set(range(self.partitions))

    async def ask_metadata(self) -> None:
        if self.away:
            raise KafkaError("nobody is there")

    async def send_and_wait(self, topic: str, value: bytes, key: bytes, partition: int | None) -> object:
        self.arrived.set()
        if self.held:
            await self.released.wait()
        if self.away:
            raise KafkaError("nobody is there")
        self.records.append((topic, partition, key, value))
        return object()

    def first_indices(self) -> list[int]:
        """Of every block of every record, in order."""
        return [block.first_index for record in self.records for block in decode_pack(record[3])]


class FakeSocket:
    """A device that sends its frames and goes; what it was told is kept."""

    def __init__(self, *frames: bytes | str, stays: bool = False) -> None:
        self.frames, self.stays = list(frames), stays
        self.told: list[str] = []
        self.closed: int | None = None

    async def receive(self) -> Message:
        if self.frames:
            frame = self.frames.pop(0)
            return {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}
        if self.stays:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send_text(self, data: str) -> None:
        if self.closed is not None:
            raise WebSocketDisconnect(1006)
        self.told.append(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        del reason
        self.closed = code
