"""Results and dead letters on their topics, each under its device's key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError

from processors import publish
from processors.publish import DeadLetter, Decided, Publisher, replays_of
from schemas import topics
from schemas.beats import Beat
from schemas.codec import decode_report_event, decode_rhythm
from schemas.codec_results import decode_beat_pack, decode_metrics_pack
from schemas.errors import Busy, Malformed
from schemas.metrics import Metrics
from schemas.reports import ReportEvent
from schemas.rhythms import NORMAL, RhythmEpisode
from schemas.settings import KafkaSettings
from tests.columns import as_results

from .fakes import START_US

KAFKA = KafkaSettings.model_validate({"idempotent": True})
DEVICE, OTHER = UUID(int=1), UUID(int=2)
KEY = str(DEVICE).encode()
LETTER = DeadLetter(b"key", b"\xff", Malformed("rate_hz is 7; send 100 to 1000"), "ecg.samples", 3, 41)


@dataclass
class Sent:
    """One record given to the producer."""

    topic: str
    value: bytes
    key: bytes | None
    partition: int | None
    headers: dict[str, bytes]


@dataclass
class FakeProducer:
    """Takes a record at once and says so a moment later; or fails, when asked or when it has to answer."""

    settings: dict[str, Any] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    refuses: KafkaError | None = None
    loses: KafkaError | None = None
    answered: int = 0
    is_stopped: bool = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.is_stopped = True

    async def send(
        self,
        topic: str,
        value: bytes,
        key: bytes | None = None,
        partition: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> asyncio.Future[None]:
        if self.refuses:
            raise self.refuses
        self.sent.append(Sent(topic, value, key, partition, dict(headers or [])))
        return asyncio.ensure_future(self._delivered())

    async def _delivered(self) -> None:
        await asyncio.sleep(0)
        if self.loses:
            raise self.loses
        self.answered += 1


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    def make(**settings: Any) -> FakeProducer:
        fake.settings = settings
        return fake

    monkeypatch.setattr(publish, "AIOKafkaProducer", make)
    return fake


@pytest.fixture
async def publisher(kafka: FakeProducer) -> Publisher:
    made = Publisher(KAFKA)
    await made.start()
    return made


def beat(device_id: UUID, recording: int, r_index: int) -> Beat:
    return Beat(device_id, UUID(int=recording), r_index, START_US, "N", 50.0, "count-1")


async def test_every_broker_must_have_a_record(publisher: Publisher, kafka: FakeProducer) -> None:
    assert (kafka.settings["acks"], kafka.settings["enable_idempotence"]) == ("all", True)


async def test_results_go_to_their_topics_on_their_devices_partition(publisher: Publisher, kafka: FakeProducer) -> None:
    second = Metrics(DEVICE, UUID(int=9), START_US, "count-1")
    episode = RhythmEpisode(DEVICE, UUID(int=9), 5, NORMAL, "opened", START_US, START_US, 50.0, "count-1")
    await publisher.results([Decided(3, as_results([beat(DEVICE, 9, 5)], [second]))], [episode])
    assert [(s.topic, s.key, s.partition) for s in kafka.sent] == [
        (topics.BEATS, b"3", 3),
        (topics.METRICS, b"3", 3),
        (topics.RHYTHMS, KEY, None),
    ]
    assert decode_beat_pack(kafka.sent[0].value) == [beat(DEVICE, 9, 5)]
    assert decode_metrics_pack(kafka.sent[1].value) == [second]
    assert decode_rhythm(kafka.sent[2].value) == episode


async def test_beats_of_one_recording_are_together_in_order(publisher: Publisher, kafka: FakeProducer) -> None:
    mixed = [beat(DEVICE, 9, 1), beat(OTHER, 8, 1), beat(DEVICE, 9, 2), beat(OTHER, 8, 2)]
    await publisher.results([Decided(0, as_results(mixed))], [])
    [sent] = kafka.sent
    assert decode_beat_pack(sent.value) == [*mixed[0::2], *mixed[1::2]]


async def test_what_a_worker_decides_while_it_catches_up_fits_into_records(
    publisher: Publisher, kafka: FakeProducer
) -> None:
    many = [beat(DEVICE, 9, index) for index in range(5_000)]
    await publisher.results([Decided(3, as_results(many))], [])
    assert [beat for sent in kafka.sent for beat in decode_beat_pack(sent.value)] == many
    assert max(len(sent.value) for sent in kafka.sent) < 1_000_000


async def test_publishing_returns_when_kafka_has_it_all(publisher: Publisher, kafka: FakeProducer) -> None:
    await publisher.results([Decided(i, as_results([beat(DEVICE, i, 1)])) for i in range(5)], [])
    await publisher.rejects([LETTER])
    assert kafka.answered == 6


async def test_a_dead_letter_keeps_its_bytes_and_tells_why_and_whence(
    publisher: Publisher, kafka: FakeProducer
) -> None:
    await publisher.rejects([LETTER])
    [sent] = kafka.sent
    assert (sent.topic, sent.key, sent.value) == (topics.REJECTS, b"key", b"\xff")
    assert sent.headers == {
        "kind": b"Malformed",
        "reason": b"rate_hz is 7; send 100 to 1000",
        "topic": b"ecg.samples",
        "partition": b"3",
        "offset": b"41",
    }


async def test_a_report_event_goes_under_its_devices_key(publisher: Publisher, kafka: FakeProducer) -> None:
    event = ReportEvent(UUID(int=5), DEVICE, "ready", START_US, START_US + 1)
    await publisher.report(event)
    [sent] = kafka.sent
    assert (sent.topic, sent.key, decode_report_event(sent.value)) == (topics.REPORTS, KEY, event)


@pytest.mark.parametrize("when", ["refuses", "loses"])
async def test_kafka_away_is_busy_and_says_what_to_do(publisher: Publisher, kafka: FakeProducer, when: str) -> None:
    setattr(kafka, when, KafkaConnectionError("nobody is there"))
    for call in (publisher.rejects([LETTER]), publisher.results([Decided(3, as_results([beat(DEVICE, 9, 1)]))], [])):
        with pytest.raises(Busy, match=r"nobody is there.*check that the broker"):
            await call


async def test_publishing_before_starting_is_a_defect() -> None:
    with pytest.raises(RuntimeError, match=r"call start\(\) before"):
        await Publisher(KAFKA).rejects([LETTER])


async def test_stopping_stops_the_producer_and_what_never_started_needs_none(
    publisher: Publisher, kafka: FakeProducer
) -> None:
    await publisher.stop()
    await Publisher(KAFKA).stop()
    assert kafka.is_stopped


async def test_a_dead_letter_of_what_was_sent_back_tells_how_often(publisher: Publisher, kafka: FakeProducer) -> None:
    await publisher.rejects([replace(LETTER, replays=3)])
    assert kafka.sent[0].headers["replays"] == b"3"


@pytest.mark.parametrize(
    ("headers", "replays"),
    [
        (None, 0), ((), 0), ([("replays", b"3")], 3), ([("kind", b"x")], 0),
        ([("replays", b"many")], 0), ([("replays", None)], 0), ([("replays", b"9" * 9000)], 0),
    ],
)  # fmt: skip
def test_a_claim_that_is_no_number_counts_as_never_sent_back(headers: Any, replays: int) -> None:
    assert replays_of(headers) == replays
