"""A topic, read along from its beginning while the tests run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

Record: TypeAlias = ConsumerRecord[bytes, bytes]


@dataclass
class Tape:
    """Every record so far; those of a partition in their order."""

    topic: str
    records: list[Record] = field(default_factory=list)

    def found(self, wanted: Callable[[Record], bool]) -> list[Record]:
        return [record for record in self.records if wanted(record)]


@asynccontextmanager
async def running_tape(bootstrap: str, topic: str, partitions: int) -> AsyncIterator[Tape]:
    tape = Tape(topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, fetch_max_wait_ms=50)
    consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
    async with consumer:
        await consumer.seek_to_beginning()
        reading = asyncio.create_task(_read(consumer, tape))
        yield tape
        reading.cancel()
        await asyncio.wait({reading})


async def _read(consumer: AIOKafkaConsumer, tape: Tape) -> None:
    async for record in consumer:
        tape.records.append(record)
