"""The live feed reads once for all, gives each watcher theirs, and lets no slow one hold up the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from api.live import LiveFeed, Subscription
from api.live_messages import LiveRecord
from schemas import codec, topics
from schemas.errors import Busy
from tests.unit.api.examples import a_block, a_recording, counted


class FakeSource:
    """Records put by the test; notes whether it runs."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[LiveRecord | Exception] = asyncio.Queue()
        self.started = 0
        self.stopped = asyncio.Event()

    async def start(self) -> None:
        self.started += 1

    async def records(self) -> Sequence[LiveRecord]:
        try:
            async with asyncio.timeout(0.01):
                record = await self.waiting.get()
        except TimeoutError:
            return ()
        if isinstance(record, Exception):
            raise record
        return [record]

    async def stop(self) -> None:
        self.stopped.set()


class AwaySource(FakeSource):
    async def start(self) -> None:
        raise Busy("no Kafka; start the broker")


def _samples(*first_indices: int) -> tuple[UUID, list[LiveRecord]]:
    recording = a_recording()
    blocks = [a_block(recording, first, counted(2, first, 3)) for first in first_indices]
    return recording.device_id, [LiveRecord(topics.SAMPLES, b"7", codec.encode_pack([block])) for block in blocks]


async def _next(subscription: Subscription) -> list[dict[str, object]]:
    return [json.loads(text) for text in await subscription.next(2)]


async def _collected(subscription: Subscription, count: int) -> list[dict[str, object]]:
    told: list[dict[str, object]] = []
    async with asyncio.timeout(2):
        while len(told) < count:
            told.extend(await _next(subscription))
    return told


async def test_each_watcher_gets_its_own_devices() -> None:
    source = FakeSource()
    feed = LiveFeed(lambda: source)
    (mine, records), (other, others) = _samples(0), _samples(5)
    first, second = await feed.subscribe(frozenset({mine})), await feed.subscribe(frozenset({mine, other}))
    for record in (*others, *records):
        source.waiting.put_nowait(record)
    assert [message["device_id"] for message in await _collected(first, 1)] == [str(mine)]
    assert [message["device_id"] for message in await _collected(second, 2)] == [str(other), str(mine)]
    await feed.close()


async def test_one_reader_serves_all_and_stops_after_the_last() -> None:
    source = FakeSource()
    feed = LiveFeed(lambda: source, linger_s=0.0)
    subscriptions = [await feed.subscribe(frozenset({uuid4()})) for _ in range(3)]
    assert source.started == 1
    for subscription in subscriptions:
        feed.unsubscribe(subscription)
    async with asyncio.timeout(2):
        await source.stopped.wait()
    await feed.subscribe(frozenset({uuid4()}))
    assert source.started == 2
    await feed.close()


async def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many() -> None:
    subscription = Subscription(frozenset(), size=2)
    for number in range(5):
        subscription.offer(json.dumps({"number": number}))
    assert await _next(subscription) == [{"type": "dropped", "dropped": 3}, {"number": 3}, {"number": 4}]
    subscription.offer('{"number": 5}')
    assert await _next(subscription) == [{"number": 5}]


async def test_waiting_ends_with_the_time_or_the_feed() -> None:
    subscription = Subscription(frozenset())
    assert await subscription.next(0) == []
    subscription.close()
    assert await subscription.next(60) == []
    assert subscription.closed


async def test_without_a_broker_nobody_is_left_subscribed() -> None:
    feed = LiveFeed(AwaySource)
    with pytest.raises(Busy, match="start the broker"):
        await feed.subscribe(frozenset())
    assert not feed._subscriptions


@pytest.mark.parametrize("error", [Busy("gone; wait"), RuntimeError("defect")])
async def test_when_the_reader_ends_watchers_are_let_go_and_the_next_starts_anew(error: Exception) -> None:
    source = FakeSource()
    feed = LiveFeed(lambda: source)
    subscription = await feed.subscribe(frozenset())
    source.waiting.put_nowait(error)
    assert await subscription.next(2) == []
    assert subscription.closed
    await feed.subscribe(frozenset())
    assert source.started == 2
    await feed.close()
