"""Memory, CPU and lag, every few seconds of a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from aiokafka.errors import KafkaError

from bench.pipeline.flatness import Series
from bench.pipeline.lag import LagProbe, Offsets, seconds_behind
from bench.pipeline.processes import Usage, Watched, usage
from schemas.errors import Busy
from schemas.settings import KafkaSettings

EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """A process at a moment; another pid under the same name is another life of it."""

    at_s: float
    watched: Watched
    usage: Usage


class Sampler:
    """A context in which the processes and the lag are looked at every EVERY_S; a broker that is away is no sample."""

    def __init__(self, watched: Callable[[], Sequence[Watched]], kafka: KafkaSettings, group: str) -> None:
        self._watched, self._kafka, self._group = watched, kafka, group
        self._probe: LagProbe | None = None
        self._task: asyncio.Task[None] | None = None
        self.processes: list[ProcessSample] = []
        self.offsets: list[Offsets] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._close_probe()

    @property
    def behind(self) -> list[tuple[float, int, float]]:
        """(moment, records, seconds) behind, sample by sample."""
        return [
            (now.at_s, now.records_behind, seconds_behind(self.offsets[: number + 1]))
            for number, now in enumerate(self.offsets)
        ]

    async def _run(self) -> None:
        while True:
            due_s = time.monotonic() + EVERY_S
            await self.look()
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def look(self) -> None:
        """One sample of everything, now."""
        at_s = time.monotonic()
        for watched in self._watched():
            told = usage(watched)
            if told is not None:
                self.processes.append(ProcessSample(at_s, watched, told))
        try:
            if self._probe is None:
                self._probe = await LagProbe(self._kafka, self._group).__aenter__()
            async with asyncio.timeout(EVERY_S):
                self.offsets.append(await self._probe.offsets(time.monotonic()))
        except (KafkaError, Busy, OSError, TimeoutError):
            await self._close_probe()

    async def _close_probe(self) -> None:
        if self._probe is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await self._probe.__aexit__(None, None, None)
            self._probe = None


def memory_of(samples: Sequence[ProcessSample], watched: Watched, begin_s: float, end_s: float) -> Series:
    """What this life of the process held within [begin_s, end_s], in bytes."""
    kept = [each for each in samples if each.watched == watched and begin_s <= each.at_s <= end_s]
    return Series([each.at_s for each in kept], [each.usage.memory_bytes for each in kept])
