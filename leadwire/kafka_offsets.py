"""Where the workers' group reads on in Kafka, held against the checkpoints of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processors.topic_reader import partition_count
from schemas import topics
from schemas.clock import to_us
from schemas.errors import Busy, Misconfigured
from schemas.kafka import client_options
from schemas.logs import logger
from schemas.settings import Settings
from storage import checkpoints, reports
from storage.database import Connection, Database

_SHOWN: Final = 3

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A partition: Kafka holds [first, end), the group reads on at `committed`, the checkpoint at `next_offset`."""

    partition: int
    first: int
    end: int
    committed: int | None
    next_offset: int | None

    @property
    def problem(self) -> str | None:
        """What would be lost if a worker went on from here; None when nothing would."""
        if self.next_offset is None:
            return None
        if self.next_offset > self.end:
            return f"partition {self.partition} ends at {self.end} and its checkpoint stands at {self.next_offset}"
        if self.committed is not None and self.committed > self.next_offset:
            return (
                f"of partition {self.partition} the group has read up to {self.committed} and the database "
                f"up to {self.next_offset}"
            )
        return None

    def mended(self, *, is_new: bool) -> Mended:
        """Where to read on so that nothing is lost; what is read twice is stored once.

        Another Kafka (`is_new`, or a checkpoint past the end) begins at its first record, with the engine as it was.
        """
        if self.next_offset is None or is_new or self.next_offset > self.end:
            return Mended(self.partition, self.first, None if self.next_offset is None else self.first, 0)
        dropped = max(0, self.first - self.next_offset)
        return Mended(self.partition, self.next_offset + dropped, self.first if dropped else None, dropped)


@dataclass(frozen=True, slots=True)
class Mended:
    """Where a partition is read on; `checkpoint` is its offset from now on, None where it stays.

    `dropped` records were no longer in Kafka when the database needed them.
    """

    partition: int
    offset: int
    checkpoint: int | None
    dropped: int


@dataclass(frozen=True, slots=True)
class Aligned:
    """What was done: partitions that read on elsewhere, and what Kafka's retention had dropped before."""

    partitions: int
    moved: int
    rewound: int
    dropped: int
    reports_from: int | None


async def places(settings: Settings, conn: Connection) -> list[Place]:
    """Every partition of ecg.samples. Raises Busy, NotFound when the topic is not there."""
    async with _consumer(settings) as consumer:
        return await _places(settings, consumer, conn)


async def refuse_misfit(settings: Settings, database: Database) -> None:
    """Raises Misconfigured when a worker that started now would leave records out.

    It is so after an older database came back under a Kafka that went on, or beside a Kafka that was made anew. Tansu
    tells its ends wrongly (see processors/topic_reader.py) and is left out.
    """
    if not settings.kafka.idempotent:
        return
    async with database.transaction() as conn:
        problems = [place.problem for place in await places(settings, conn) if place.problem is not None]
    if problems:
        raise Misconfigured(
            f"{topics.SAMPLES} at {settings.kafka.bootstrap} does not fit the database: {'; '.join(problems[:_SHOWN])} "
            f"({len(problems)} partitions); stop all workers and run `leadwire restore offsets`"
        )


async def align(settings: Settings, database: Database, *, is_new: bool) -> Aligned:
    """Let the workers' group read on where the database ends. Raises Busy while a worker runs or Kafka is away."""
    async with _consumer(settings) as consumer, database.transaction() as conn:
        before = {place.partition: place for place in await _places(settings, consumer, conn)}
        mended = [place.mended(is_new=is_new) for place in before.values()]
        back = {each.partition: each.checkpoint for each in mended if each.checkpoint is not None}
        await checkpoints.put_back(conn, topics.SAMPLES, back)
        moves = {TopicPartition(topics.SAMPLES, each.partition): each.offset for each in mended}
        asked = await _unanswered_requests(settings, consumer, conn, is_new=is_new)
        await _commit(settings, consumer, {**moves, **asked})
    for each in mended:
        if each.dropped:
            _log.warning("records are gone", partition=each.partition, records=each.dropped, why="Kafka's retention")
    moved = sum(before[each.partition].committed != each.offset for each in mended)
    return Aligned(
        len(mended), moved, len(back), sum(each.dropped for each in mended), min(asked.values(), default=None)
    )


async def _places(settings: Settings, consumer: AIOKafkaConsumer, conn: Connection) -> list[Place]:
    """Asked in this order no worker that goes on meanwhile looks as if it were ahead of itself."""
    partitions = await _partitions(settings, topics.SAMPLES)
    committed = await asyncio.gather(*(consumer.committed(each) for each in partitions))
    saved = await checkpoints.offsets(conn, topics.SAMPLES)
    first, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    return [
        Place(each.partition, first[each], ends[each], offset, saved.get(each.partition))
        for each, offset in zip(partitions, committed, strict=True)
    ]


async def _unanswered_requests(
    settings: Settings, consumer: AIOKafkaConsumer, conn: Connection, *, is_new: bool
) -> Mapping[TopicPartition, int]:
    """Where the requests begin that the database still waits for. A Kafka made anew has none of them: they fail."""
    oldest = await reports.oldest_asked_for(conn)
    if oldest is None:
        return {}
    if is_new:
        await reports.fail_asked_for(conn)
        return {}
    partitions = await _partitions(settings, topics.REPORTS)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, to_us(oldest) // 1000))
    return {partition: at.offset for partition, at in found.items() if at is not None}


async def _partitions(settings: Settings, topic: str) -> Sequence[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(await partition_count(settings.kafka, topic))]


async def _commit(settings: Settings, consumer: AIOKafkaConsumer, moves: Mapping[TopicPartition, int]) -> None:
    try:
        consumer.assign(list(moves))
        await consumer.commit(dict(moves))
    except KafkaError as error:
        raise Busy(
            f"the offsets of group {settings.worker.group} can't be set ({type(error).__name__}); stop all workers, "
            "wait ten seconds and run `leadwire restore offsets`"
        ) from error


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """Has the workers' group's name, and never joins it."""
    options = client_options(settings.kafka)
    consumer = AIOKafkaConsumer(**options, group_id=settings.worker.group, enable_auto_commit=False)
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.kafka.bootstrap} does not answer ({error}); see that it runs") from error
    finally:
        await consumer.stop()
