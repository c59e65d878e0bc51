"""How far the group's committed offsets are behind the ends of the partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.topic_counts import partition_counts
from schemas import topics
from schemas.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Offsets:
    """At a moment: the end of each partition of ecg.samples, and what the group has committed of it."""

    at_s: float
    ends: Mapping[int, int]
    committed: Mapping[int, int]

    @property
    def records_behind(self) -> int:
        return sum(end - self.committed.get(partition, 0) for partition, end in self.ends.items())


def seconds_behind(history: Sequence[Offsets]) -> float:
    """At the last of these moments, the age of the oldest record that is not committed.

    A record's age is told from when its partition's end went past it, interpolated between two moments.
    """
    now = history[-1]
    ages = [
        now.at_s - _written_at_s(history, partition, now.committed.get(partition, 0))
        for partition, end in now.ends.items()
        if now.committed.get(partition, 0) < end
    ]
    return max(ages, default=0.0)


def _written_at_s(history: Sequence[Offsets], partition: int, offset: int) -> float:
    """When the partition's end was `offset`."""
    before = history[0]
    for after in history:
        end, old = after.ends.get(partition, 0), before.ends.get(partition, 0)
        if end > offset:
            share = (offset - old) / (end - old) if end > old else 0.0
            return before.at_s + max(0.0, share) * (after.at_s - before.at_s)
        before = after
    return history[-1].at_s


class LagProbe:
    """Asks the broker; member of no group, commits nothing."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._settings, self._group = settings, group
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []

    async def __aenter__(self) -> Self:
        count = (await partition_counts(self._settings))[topics.SAMPLES]
        self._partitions = [TopicPartition(topics.SAMPLES, number) for number in range(count)]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap, group_id=self._group, enable_auto_commit=False
        )
        self._consumer.assign(self._partitions)
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def offsets(self, at_s: float) -> Offsets:
        """Raises KafkaError when the broker does not answer."""
        if self._consumer is None:
            raise RuntimeError("enter the context before asking")
        ends = await self._consumer.end_offsets(self._partitions)
        committed = {tp.partition: await self._consumer.committed(tp) or 0 for tp in self._partitions}
        return Offsets(at_s, {tp.partition: end for tp, end in ends.items()}, committed)
