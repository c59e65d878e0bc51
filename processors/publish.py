"""Results and rejects onto their topics; every send is awaited before the caller goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas import topics
from schemas.alarms import AlarmEvent
from schemas.codec import encode_alarm, encode_report_event, encode_rhythm
from schemas.codec_results import encode_beat_packs, encode_metrics_packs
from schemas.errors import Busy, LeadwireError
from schemas.kafka import client_options
from schemas.reports import ReportEvent
from schemas.results import Results
from schemas.rhythms import RhythmEpisode
from schemas.settings import KafkaSettings

REPLAYS_HEADER: Final = "replays"
"""How often a record came back from ecg.rejects; a dead letter passes it on."""

_REPLAYS_DIGITS: Final = 6
_REQUEST_TIMEOUT_MS: Final = 10_000
_PACK_ROWS: Final = 2_000
"""A second of 12 leads takes some 330 bytes, a beat 130; Kafka's own limit for a record is 1 MB."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record (or one block of it, packed alone) that could not be used, why, and how often it was sent back."""

    key: bytes | None
    value: bytes
    reason: LeadwireError
    topic: str
    partition: int
    offset: int
    replays: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """What the engine decided of the devices of one partition."""

    partition: int
    results: Results


class Publisher:
    """A producer of its own (Faust's costs some 90 µs a record). Raises Busy when Kafka is away."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=self._settings.idempotent,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            linger_ms=5,
            max_request_size=topics.MAX_RECORD_BYTES,  # a dead letter may be as large as what a device may send
        )
        await self._producer.start()

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def results(
        self, decided: Sequence[Decided], episodes: Sequence[RhythmEpisode], alarms: Sequence[AlarmEvent] = ()
    ) -> None:
        """Tell the live views. A repeat is harmless: everything carries its identity."""
        packs = [*_packs(topics.BEATS, decided), *_packs(topics.METRICS, decided)]
        rhythms = [(topics.RHYTHMS, encode_rhythm(row), topics.device_key(row.device_id), None) for row in episodes]
        raised = [(topics.ALARMS, encode_alarm(row), topics.device_key(row.device_id), None) for row in alarms]
        await self._send([*packs, *rhythms, *raised])

    async def report(self, event: ReportEvent) -> None:
        await self._send([(topics.REPORTS, encode_report_event(event), topics.device_key(event.device_id), None)])

    async def rejects(self, letters: Sequence[DeadLetter]) -> None:
        """Dead letters: the original key and bytes, the reason and the origin in headers."""
        producer = self._started()
        try:
            sent = [
                await producer.send(topics.REJECTS, letter.value, key=letter.key, headers=_headers(letter))
                for letter in letters
            ]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise _busy(error) from error

    async def _send(self, records: Iterable[tuple[str, bytes, bytes, int | None]]) -> None:
        producer = self._started()
        try:
            sent = [await producer.send(topic, value, key, partition) for topic, value, key, partition in records]
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise _busy(error) from error

    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("call start() before publishing")
        return self._producer


def _packs(topic: str, decided: Sequence[Decided]) -> list[tuple[str, bytes, bytes, int | None]]:
    """At most a record for each partition, on the one that its devices have everywhere.

    One for each device would cost more than the engine: a record takes some 20 us of the producer, a broker's work, and
    as much of every reader.
    """
    if not decided:
        return []
    encode = encode_beat_packs if topic == topics.BEATS else encode_metrics_packs
    parts = [(each.partition, part) for each in decided for part in _parts(each.results)]
    packs = zip(parts, encode([part for _, part in parts]), strict=True)
    return [(topic, pack, str(number).encode(), number) for (number, _), pack in packs if pack]


def _parts(results: Results) -> list[Results]:
    """The results, or when a worker catches up, parts of them that each fit into a record."""
    count = max(results.beats.size, results.metrics.size) // _PACK_ROWS + 1
    if count == 1:
        return [results]
    tables = zip(np.array_split(results.beats, count), np.array_split(results.metrics, count), strict=True)
    return [replace(results, beats=beats, metrics=metrics) for beats, metrics in tables]


def _headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    return [
        ("kind", letter.reason.title.encode()),
        ("reason", str(letter.reason).encode()),
        ("topic", letter.topic.encode()),
        ("partition", str(letter.partition).encode()),
        ("offset", str(letter.offset).encode()),
        *([(REPLAYS_HEADER, str(letter.replays).encode())] if letter.replays else []),
    ]


def replays_of(headers: Iterable[tuple[str, bytes]] | None) -> int:
    """How often a record was sent back, by its headers; 0 for one that never was, or claims what is no number."""
    told = (dict(headers).get(REPLAYS_HEADER) or b"") if headers else b""  # a null value is allowed in Kafka
    return int(told) if told.isdigit() and len(told) < _REPLAYS_DIGITS else 0


def _busy(error: KafkaError) -> Busy:
    return Busy(f"Kafka did not take the results ({error!r}); check that the broker at the configured address runs")
