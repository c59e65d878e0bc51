"""Where a play takes its blocks from: a source at rest, a live one, or a spool that keeps them safe meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Iterable, Iterator
from itertools import islice
from typing import Final, Protocol

from ingest.spool import Spool, Spooled
from schemas.errors import Malformed
from schemas.samples import SampleBlock

AHEAD: Final = 128
"""Blocks at rest that are spooled ahead of their acknowledgement, and blocks that are read back at once."""


class Feed(Protocol):
    """Blocks in the order in which they are to be sent."""

    async def next(self) -> SampleBlock | None:
        """The next block, None at the end; nothing is lost when the wait for it is cancelled."""

    def acknowledge(self, block: SampleBlock) -> None:
        """Kafka has this block, and all before it."""


class RestingFeed:
    """Blocks that wait where they are: nothing of them needs to be kept."""

    def __init__(self, blocks: Iterator[SampleBlock]) -> None:
        self._blocks = blocks

    async def next(self) -> SampleBlock | None:
        return next(self._blocks, None)

    def acknowledge(self, block: SampleBlock) -> None:
        """Nobody waits for it."""


class LiveFeed:
    """Blocks that come when they come, kept nowhere: one that can't be sent yet holds up those behind it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[SampleBlock | None] = asyncio.Queue(1)

    async def fill(self, blocks: AsyncIterable[SampleBlock]) -> None:
        """Pass on all of them; runs beside the play, which may be cut off at any moment."""
        async for block in blocks:
            await self._queue.put(block)
        await self._queue.put(None)

    async def next(self) -> SampleBlock | None:
        return await self._queue.get()

    def acknowledge(self, block: SampleBlock) -> None:
        """Nobody waits for it."""


class SpoolFeed:
    """What a spool holds from before, then the new blocks, each on the disk before it is sent."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._read: deque[Spooled] = deque()
        self._sent: deque[Spooled] = deque()
        self._waiting, self._last = spool.blocks_waiting, 0
        self._device_id = next((spooled.block.device_id for spooled in spool.after(0, 1)), None)
        self._changed = asyncio.Event()
        self._filled = False

    async def fill(self, blocks: Iterable[SampleBlock]) -> None:
        """Spool blocks that are at rest, never more than AHEAD of what is acknowledged. Raises Busy when full."""
        resting = iter(blocks)
        while part := list(islice(resting, AHEAD // 2)):
            while self._waiting >= AHEAD:
                await self._change()
            await self._append(part)
        self._end()

    async def fill_live(self, blocks: AsyncIterable[SampleBlock]) -> None:
        """Spool blocks as they come, whatever the gateway does. Raises Busy when the spool is full."""
        async for block in blocks:
            await self._append([block])
        self._end()

    async def next(self) -> SampleBlock | None:
        while not self._read:
            self._read.extend(self._spool.after(self._last, AHEAD))
            if self._read:
                self._last = self._read[-1].number
            elif self._filled:
                return None
            else:
                await self._change()
        spooled = self._read.popleft()
        self._sent.append(spooled)
        return spooled.block

    def acknowledge(self, block: SampleBlock) -> None:
        while self._sent:
            spooled = self._sent.popleft()
            self._spool.acknowledge(spooled.number)
            self._waiting -= 1
            if spooled.block is block:
                break
        self._changed.set()

    async def _append(self, blocks: list[SampleBlock]) -> None:
        for block in blocks:
            self._check_device(block)
        self._waiting += await asyncio.to_thread(self._spool.append, blocks)  # it waits for the disk
        self._changed.set()

    def _check_device(self, block: SampleBlock) -> None:
        self._device_id = self._device_id or block.device_id
        if block.device_id != self._device_id:
            raise Malformed(
                f"a block of device {block.device_id} comes among those of {self._device_id}; "
                "give each device its own stream and spool"
            )

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _end(self) -> None:
        self._filled = True
        self._changed.set()
