"""The gateway's resident memory, several times a second of a run."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, Self

import psutil

from bench.pipeline.flatness import MEMORY_GROWTH, Series

_EVERY_S: Final = 0.2
_WARM_UP_S: Final = 5.0
_MIB: Final = 2**20


class Memory:
    """A context in which a process is watched."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._at_s: list[float] = []
        self._rss: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._look()
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._look()

    def as_json(self) -> dict[str, object]:
        """In MiB: before the first report, after the last, the most, and the median of the first and the last third."""
        warm = Series(self._at_s, self._rss).after(_WARM_UP_S)
        first, last = warm.first_third, warm.last_third
        return {
            "before_mib": round(self._rss[0] / _MIB, 1),
            "after_mib": round(self._rss[-1] / _MIB, 1),
            "max_mib": round(max(self._rss) / _MIB, 1),
            "first_third_mib": round(first / _MIB, 1),
            "last_third_mib": round(last / _MIB, 1),
            "deciles_mib": [round(self._rss[(len(self._rss) - 1) * tenth // 10] / _MIB) for tenth in range(11)],
            "samples": len(self._rss),
            "is_flat": last <= first * (1 + MEMORY_GROWTH),
        }

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            self._look()

    def _look(self) -> None:
        self._at_s.append(time.monotonic())
        self._rss.append(float(self._process.memory_info().rss))
