"""The lag watchdog: asks Kafka itself how far the group has come, and tells when a partition makes no progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.errors import Busy
from schemas.kafka import client_options
from schemas.logs import logger
from schemas.settings import KafkaSettings, WorkerSettings
from schemas.telemetry import LAG_RECORDS, STALLED_SECONDS

LOOK_EVERY_S: Final = 5.0
_LOOK_WITHIN_S: Final = 10.0

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """How far the group has committed a partition, and where it ends."""

    committed: int
    end: int

    @property
    def lag(self) -> int:
        """Records that wait; none when the topic was made anew below what was committed."""
        return max(0, self.end - self.committed)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partition with records beyond its committed offset, which has stood there since `since_s`."""

    position: Position
    since_s: float


class Progress:
    """Since when each partition has had records waiting without its committed offset moving. Pure: time is given."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}

    def look(self, positions: Mapping[int, Position], now_s: float) -> None:
        """Take in what Kafka says now; partitions that it does not name are forgotten."""
        self._waiting = {
            number: Waiting(position, self._since_s(number, position, now_s))
            for number, position in positions.items()
            if position.lag
        }

    def _since_s(self, number: int, position: Position, now_s: float) -> float:
        before = self._waiting.get(number)
        if before is None or before.position.committed != position.committed:
            return now_s
        return before.since_s

    def stalled_s(self, number: int, now_s: float) -> float:
        """For how long records of the partition have waited without progress; 0 when none wait."""
        waiting = self._waiting.get(number)
        return now_s - waiting.since_s if waiting else 0.0

    def stalled(self, now_s: float, after_s: float) -> dict[int, Position]:
        """The partitions that have not moved for so long, and where they stand."""
        return {
            number: waiting.position
            for number, waiting in sorted(self._waiting.items())
            if now_s - waiting.since_s >= after_s
        }


class Watchdog:
    """Looks every few seconds while `watching` runs; `ready` is a check for /ready.

    It trusts nothing of Faust: a client of its own reads the committed offsets and the ends. It joins no group and
    commits nothing, so it disturbs nobody.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        partitions: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka = kafka
        self._group = worker.group
        self._after_s = worker.stalled_after_s
        self._partitions = [TopicPartition(topics.SAMPLES, number) for number in range(partitions)]
        self._clock = clock
        self._progress = Progress()
        self._looked_at_s = clock()

    def take(self, positions: Mapping[int, Position]) -> None:
        """Take in one look: figures for Prometheus, and the memory of who stands still."""
        now_s = self._looked_at_s = self._clock()
        self._progress.look(positions, now_s)
        for number, position in positions.items():
            LAG_RECORDS.labels(number).set(position.lag)
            STALLED_SECONDS.labels(number).set(self._progress.stalled_s(number, now_s))

    async def ready(self) -> None:
        """Raise Busy when a partition stands still with records waiting, or Kafka has not told for as long."""
        now_s = self._clock()
        blind_s = now_s - self._looked_at_s
        if blind_s >= self._after_s + LOOK_EVERY_S:
            raise Busy(
                f"Kafka has not told the group's offsets for {blind_s:.0f} s; see that the broker at "
                f"{self._kafka.bootstrap} runs, and that this principal may Describe group {self._group}"
            )
        stalled = self._progress.stalled(now_s, self._after_s)
        if stalled:
            where = ", ".join(f"{number} (at {at.committed}, {at.lag} behind)" for number, at in stalled.items())
            raise Busy(
                f"no progress for {self._after_s:g} s on partitions of {topics.SAMPLES}: {where}; read the log of the "
                "worker that holds them (too many rejects in a row stop one, a slow database holds it up), mend "
                "that, then restart it"
            )

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look again and again while the block runs."""
        running = asyncio.create_task(self._for_ever(), name="lag watchdog")
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _for_ever(self) -> None:
        """Connect again after every outage: /ready tells when that takes too long."""
        while True:
            try:
                await self._look_on()
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("lag watchdog waits for Kafka", why=repr(error))
            except Exception:  # noqa: BLE001  # this task's outermost loop: /ready tells that it is blind
                _log.exception("lag watchdog failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look_on(self) -> None:
        consumer = (
            AIOKafkaConsumer(  # has the group's name to ask for its offsets; subscribes to nothing, so never joins
                **client_options(self._kafka), group_id=self._group, enable_auto_commit=False
            )
        )
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                await consumer.start()
            while True:
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    self.take(await _positions(consumer, self._partitions))
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await consumer.stop()


async def _positions(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> dict[int, Position]:
    """By partition; what was never committed stands at the partition's beginning."""
    committed = await asyncio.gather(*(consumer.committed(partition) for partition in partitions))
    first = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)  # asked last, so that nothing committed lies beyond
    return {
        partition.partition: Position(max(offset or 0, first[partition]), ends[partition])
        for partition, offset in zip(partitions, committed, strict=True)
    }
