"""Dead letters back onto the topic they came from."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from processors.rejects import MAX_REPLAYS, SLICE, Letter, Reject, mark_of, read_letters, replay_headers
from processors.topic_counts import partition_counts
from schemas import topics
from schemas.errors import Busy, NotFound
from schemas.kafka import client_options
from schemas.settings import KafkaSettings

ORIGINS: Final = (topics.SAMPLES, topics.REPORTS)
_REQUEST_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent back, in the order in which it first came, and how much is left out and why."""

    chosen: tuple[Reject, ...]
    left_out: Mapping[str, int]


def plan(rejects: Collection[Reject], *, again: bool) -> Plan:
    """Decide of every dead letter; with `again` also those that were sent back already."""
    left_out: Counter[str] = Counter()
    chosen: list[Reject] = []
    for reject in rejects:
        why_not = _why_not(reject, again=again)
        if why_not is None:
            chosen.append(reject)
        else:
            left_out[why_not] += 1
    return Plan(tuple(sorted(chosen, key=lambda r: (r.topic, r.partition, r.offset, r.position))), left_out)


def _why_not(reject: Reject, *, again: bool) -> str | None:
    if reject.topic not in ORIGINS:
        return "came from no topic that takes them back"
    if reject.replays >= MAX_REPLAYS:
        return f"came back {MAX_REPLAYS} times"
    return "sent back before" if reject.replayed and not again else None


async def send_back(
    settings: KafkaSettings, rejects: Sequence[Reject], on_sent: Callable[[int], object] = lambda _: None
) -> int:
    """Send these in their order, each slice awaited and then marked, and return how many; `on_sent` hears of each.

    A crash between records and marks sends those records twice, which changes nothing: samples carry their index,
    reports their id. What retention has taken meanwhile is not counted. Raises Busy when Kafka is away.
    """
    sent = 0
    counts = await partition_counts(settings)
    missing = {reject.topic for reject in rejects} - counts.keys()
    if missing:
        raise NotFound(f"there is no topic {', '.join(sorted(missing))}; make it with `leadwire migrate`")
    async with _producer(settings) as producer:
        for start in range(0, len(rejects), SLICE):
            part = rejects[start : start + SLICE]
            letters = {each.reject.position: each async for each in read_letters(settings, [r.position for r in part])}
            there = [letters[reject.position] for reject in part if reject.position in letters]
            await _send(producer, there, counts)
            sent += len(there)
            on_sent(sent)
    return sent


async def _send(producer: AIOKafkaProducer, letters: Sequence[Letter], partitions: Mapping[str, int]) -> None:
    """All of them, then their marks."""
    records = [
        await producer.send(
            letter.reject.topic,
            letter.value,
            key=letter.key,
            partition=home_of(letter.reject, partitions[letter.reject.topic]),
            headers=replay_headers(letter),
        )
        for letter in letters
    ]
    await asyncio.gather(*records)
    marks = [
        await producer.send(
            topics.REJECTS, b"", key=letter.key, partition=letter.reject.position.partition, headers=mark_of(letter)
        )
        for letter in letters
    ]
    await asyncio.gather(*marks)


def home_of(reject: Reject, partitions: int) -> int:
    """The device's own partition; the one it came from when nobody can tell whose it is."""
    if reject.device_id is not None:
        return topics.partition_of(reject.device_id, partitions)
    return reject.partition if 0 <= reject.partition < partitions else 0


@asynccontextmanager
async def _producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=settings.idempotent,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
    )
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise Busy(
            f"Kafka at {settings.bootstrap} failed ({error!r}); run it again, what was sent is marked"
        ) from error
    finally:
        await producer.stop()
