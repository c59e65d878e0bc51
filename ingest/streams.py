"""Blocks of one device over one connection at a time, through a spool if there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ingest.feeds import Feed, LiveFeed, RestingFeed, SpoolFeed
from ingest.player import OnProgress, Progress, Target, play_feed
from ingest.sources import Take
from ingest.spool import MAX_BYTES, Spool
from schemas.errors import Malformed
from schemas.samples import SampleBlock

Blocks = Iterable[SampleBlock] | AsyncIterable[SampleBlock]
"""At rest, taken when there is room; or live, taken when they come."""


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """Where blocks are kept until they are acknowledged, and how many bytes of them at most."""

    path: Path
    max_bytes: int = MAX_BYTES


async def stream_blocks(
    blocks: Blocks,
    target: Callable[[UUID], Target],
    *,
    spool: SpoolFile | None = None,
    on_progress: OnProgress | None = None,
) -> Progress:
    """Send what the spool holds from before, then the blocks, and return when Kafka has all of them.

    A gateway that is away is waited for without end. Raises Malformed when there is nothing to send, Busy when the
    spool is full or in use, Misconfigured when its file can't be used, Unauthenticated for a bad token, and Rejected
    for a block that the gateway refuses for good; that block and those behind it stay in the spool.
    """
    with ExitStack() as stack:
        total = _total(blocks)
        if spool is not None:
            feed = SpoolFeed(stack.enter_context(Spool(spool.path, spool.max_bytes)))
            filling = feed.fill_live(blocks) if isinstance(blocks, AsyncIterable) else feed.fill(blocks)
            return await _beside(filling, _play(feed, target, total, on_progress))
        if isinstance(blocks, AsyncIterable):
            live = LiveFeed()
            return await _beside(live.fill(blocks), _play(live, target, total, on_progress))
        return await _play(RestingFeed(iter(blocks)), target, total, on_progress)


class _Begun:
    """A feed whose first block was looked at."""

    def __init__(self, first: SampleBlock, feed: Feed) -> None:
        self._first: SampleBlock | None = first
        self._feed = feed

    async def next(self) -> SampleBlock | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._feed.next()

    def acknowledge(self, block: SampleBlock) -> None:
        self._feed.acknowledge(block)


async def _play(
    feed: Feed, target: Callable[[UUID], Target], total: int | None, on_progress: OnProgress | None
) -> Progress:
    first = await feed.next()
    if first is None:
        raise Malformed("there are no blocks to stream; give at least one")
    take = Take(first.device_id, first.recording_id, first.recording_started_at_us)
    return await play_feed(_Begun(first, feed), target(first.device_id), take, total=total, on_progress=on_progress)


async def _beside(filling: Coroutine[Any, Any, None], playing: Coroutine[Any, Any, Progress]) -> Progress:
    """What `playing` returns; when either fails the other is ended and the failure raised."""
    fill, play = asyncio.create_task(filling), asyncio.create_task(playing)
    try:
        await asyncio.wait({fill, play}, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        fill.cancel()
        play.cancel()
        await asyncio.wait({fill, play})
    if not fill.cancelled():
        fill.result()
    return play.result()


def _total(blocks: Blocks) -> int | None:
    return blocks[-1].end_index if isinstance(blocks, Sequence) and blocks else None
