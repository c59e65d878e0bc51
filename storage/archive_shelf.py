"""The shelf: archived records as samples again, the ones read last kept at hand within a bound of memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from schemas.telemetry import ARCHIVE_READS
from storage.archive_files import read_canvas
from storage.archive_records import ArchivedPart
from storage.archive_spans import HeldSamples
from storage.objects import Objects
from storage.whereabouts import IndexWindow

_AT_ONCE: Final = 4
"""Files fetched at the same time for all who ask: each is megabytes while it is decoded."""

Canvas: TypeAlias = NDArray[np.int16]


class Shelf:
    """Decoded records by name; a name is never used for other samples, so nothing here goes out of date.

    FLAC can't be read from the middle of a file that is elsewhere, so a page of samples costs a whole hour once.
    """

    def __init__(self, store: Callable[[], Objects], max_bytes: int) -> None:
        """`store` is asked for when something archived is read: those who never do need none."""
        self._store = store
        self._kept: LRUCache[str, Canvas] = LRUCache(max_bytes, getsizeof=_size)
        self._coming: dict[str, asyncio.Task[Canvas]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def read(self, part: ArchivedPart, leads: int, wanted: IndexWindow) -> list[HeldSamples]:
        """The stretches of a record that reach into `wanted`, whole. Raises NotFound, Busy when it can't be read."""
        samples = await self._canvas(part, leads)
        begin = part.first_index
        return [
            HeldSamples(span, samples[:, span.first_index - begin : span.end_index - begin])
            for span in part.spans
            if span.first_index < wanted.end_index and span.end_index > wanted.first_index
        ]

    async def _canvas(self, part: ArchivedPart, leads: int) -> Canvas:
        found = self._kept.get(part.name)
        if found is not None:
            ARCHIVE_READS.labels("memory").inc()
            return found
        coming = self._coming.get(part.name)
        if coming is None:
            coming = self._coming[part.name] = asyncio.create_task(self._fetch(part, leads))
            coming.add_done_callback(lambda task: self._arrived(part.name, task))
        return await asyncio.shield(coming)  # whoever asked first may hang up; the others wait for the same file

    async def _fetch(self, part: ArchivedPart, leads: int) -> Canvas:
        async with self._turns:
            ARCHIVE_READS.labels("store").inc()
            return await read_canvas(self._store(), part, leads)

    def _arrived(self, name: str, task: asyncio.Task[Canvas]) -> None:
        del self._coming[name]
        if task.cancelled() or task.exception() is not None:
            return
        samples = task.result()
        if samples.nbytes <= self._kept.maxsize:
            self._kept[name] = samples


def _size(samples: NDArray[Any]) -> int:
    return int(samples.nbytes)
