"""Blocks again: out of the store and out of a topic, and onto a topic, whatever became of some of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from aiokafka.errors import KafkaConnectionError

from processors import replay
from processors.replay import Period
from schemas import topics
from schemas.codec import decode_pack, encode_pack
from schemas.errors import Busy, NotFound
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings

from .fakes import START_US, FakeDatabase, block
from .recorded import NO_ARCHIVE, recorded

KAFKA = KafkaSettings.model_validate({"idempotent": True})
DEVICE, OTHER = UUID(int=1), UUID(int=2)
EVERYBODY = Period(None)


async def collected(blocks: AsyncIterator[SampleBlock]) -> list[SampleBlock]:
    return [each async for each in blocks]


async def test_what_is_stored_comes_back_as_blocks_sample_for_sample() -> None:
    found = await collected(replay.stored_blocks(recorded((0, 250), (500, 750)), NO_ARCHIVE, DEVICE, Period(DEVICE)))
    assert [(b.first_index, b.started_at_us) for b in found] == [
        (first, block(DEVICE, first).started_at_us) for first in (0, 500)
    ]
    assert all(np.array_equal(b.samples, block(DEVICE, b.first_index).samples) for b in found)


async def test_only_what_began_in_the_period_is_replayed() -> None:
    period = Period(DEVICE, START_US + 1)
    found = await collected(replay.stored_blocks(recorded((0, 250), (500, 750)), NO_ARCHIVE, DEVICE, period))
    assert [b.first_index for b in found] == [500]


async def test_an_empty_period_says_so() -> None:
    with pytest.raises(NotFound, match=f"nothing is stored of device {DEVICE}.*list recordings"):
        await collected(replay.stored_blocks(FakeDatabase(), NO_ARCHIVE, DEVICE, Period(DEVICE)))


def test_a_period_is_half_open() -> None:
    start = block(DEVICE).started_at_us
    assert Period(DEVICE, start, start + 1).holds(block(DEVICE))
    assert not Period(DEVICE, start - 1, start).holds(block(DEVICE))
    assert not Period(OTHER).holds(block(DEVICE))


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """The values of a topic's records."""
    values: list[bytes | None] = []

    async def read(settings: KafkaSettings, name: str, device_id: UUID | None) -> AsyncIterator[Any]:
        for value in values:
            yield SimpleNamespace(value=value)

    monkeypatch.setattr(replay, "read_topic", read)
    return values


async def test_a_topic_gives_the_blocks_of_all_its_packs(topic: list[bytes | None]) -> None:
    topic += [encode_pack([block(DEVICE), block(OTHER)]), b"\xff\xff", None, encode_pack([block(DEVICE, 250)])]
    found = await collected(replay.topic_blocks(KAFKA, topics.SAMPLES, EVERYBODY))
    assert [(b.device_id, b.first_index) for b in found] == [(DEVICE, 0), (OTHER, 0), (DEVICE, 250)]


async def test_a_topic_gives_one_devices_blocks_when_asked(topic: list[bytes | None]) -> None:
    topic.append(encode_pack([block(DEVICE), block(OTHER)]))
    found = await collected(replay.topic_blocks(KAFKA, topics.SAMPLES, Period(OTHER)))
    assert [b.device_id for b in found] == [OTHER]


@dataclass
class FakeProducer:
    """Takes `room` records, then fails."""

    room: int = 100
    sent: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    is_stopped: bool = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.is_stopped = True

    async def send_and_wait(self, topic: str, value: bytes, key: bytes) -> None:
        if len(self.sent) >= self.room:
            raise KafkaConnectionError("gone")
        self.sent.append((topic, value, key))


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()
    monkeypatch.setattr(replay, "AIOKafkaProducer", lambda **_: fake)
    return fake


async def test_blocks_are_sent_under_their_devices_key(kafka: FakeProducer) -> None:
    assert await replay.send_blocks(KAFKA, "again", [block(DEVICE), block(OTHER)]) == 2
    assert [(t, decode_pack(value)[0].device_id, key) for t, value, key in kafka.sent] == [
        ("again", device, topics.device_key(device)) for device in (DEVICE, OTHER)
    ]
    assert kafka.is_stopped


async def test_a_broker_that_goes_says_how_far_it_came(kafka: FakeProducer) -> None:
    kafka.room = 1
    with pytest.raises(Busy, match=r"took 1 blocks, then failed .*run it again"):
        await replay.send_blocks(KAFKA, "again", [block(DEVICE), block(OTHER)])
    assert kafka.is_stopped
