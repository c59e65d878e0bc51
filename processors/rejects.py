"""The dead letters of ecg.rejects, and the marks that say which of them were sent back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from aiokafka import ConsumerRecord

from processors.publish import REPLAYS_HEADER, replays_of
from processors.topic_reader import read_span, read_topic
from schemas import topics
from schemas.clock import to_datetime
from schemas.codec import decode_pack, decode_report_event
from schemas.errors import NotFound, Rejected
from schemas.settings import KafkaSettings

MARK: Final = "replayed"
"""Header of a mark: the offset, in the mark's own partition, of the dead letter that was sent back.

A mark lies behind its dead letter in the same partition, so no retention takes it first, and no second store has to
agree with the topic.
"""

MAX_REPLAYS: Final = 5
"""A record that came back so often is not sent again: something else is wrong than what was mended."""

SLICE: Final = 2000
"""Dead letters whose bytes are in memory at once."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a dead letter lies in ecg.rejects."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Reject:
    """One dead letter without its bytes: its position, when it came, why, and the record it was.

    `device_id` is None where neither bytes nor key tell it. `replays` says how often the record had been sent back
    before it came here; `replayed` whether this dead letter was sent back.
    """

    position: Position
    at: datetime
    kind: str
    reason: str
    topic: str
    partition: int
    offset: int
    device_id: UUID | None
    size: int
    replays: int
    replayed: bool = False

    @property
    def origin(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter and what it was: the original key and bytes, and all headers."""

    reject: Reject
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters; None lets all pass. `newest` counts what the others let pass."""

    kind: str | None = None
    device_id: UUID | None = None
    since: datetime | None = None
    newest: int | None = None

    def of(self, rejects: Collection[Reject]) -> list[Reject]:
        """Those that pass, oldest first."""
        found = sorted(filter(self._passes, rejects), key=lambda reject: (reject.at, reject.position))
        return found if self.newest is None else found[max(0, len(found) - self.newest) :]

    def _passes(self, reject: Reject) -> bool:
        return (
            (self.kind is None or reject.kind.casefold() == self.kind.casefold())
            and (self.device_id is None or reject.device_id == self.device_id)
            and (self.since is None or reject.at >= self.since)
        )


async def read_rejects(settings: KafkaSettings) -> list[Reject]:
    """All that ecg.rejects holds now, partition by partition. Raises Busy when Kafka is away."""
    found: dict[Position, Reject] = {}
    async for record in read_topic(settings, topics.REJECTS):
        marked = marked_by(record)
        if marked is None:
            letter = letter_of(record)
            found[letter.reject.position] = letter.reject
        elif marked in found:  # else retention took the dead letter already
            found[marked] = replace(found[marked], replayed=True)
    return list(found.values())


async def read_letter(settings: KafkaSettings, position: Position) -> Letter:
    """The dead letter at a position; `replayed` is not known. Raises NotFound, and Busy when Kafka is away."""
    async for letter in read_letters(settings, [position]):
        return letter
    raise NotFound(f"ecg.rejects has no dead letter at {position}; `leadwire rejects list` tells what there is")


async def read_letters(settings: KafkaSettings, positions: Collection[Position]) -> AsyncIterator[Letter]:
    """The dead letters at these positions, as far as they are still there. Raises NotFound, Busy."""
    wanted = set(positions)
    for number in sorted({position.partition for position in wanted}):
        offsets = [position.offset for position in wanted if position.partition == number]
        async for record in read_span(settings, topics.REJECTS, number, min(offsets), max(offsets) + 1):
            if Position(record.partition, record.offset) in wanted and marked_by(record) is None:
                yield letter_of(record)


def marked_by(record: ConsumerRecord[bytes, bytes]) -> Position | None:
    """The position that this record marks as sent back; None when it is a dead letter."""
    told = (dict(record.headers).get(MARK) or b"").decode(errors="replace")
    return Position(record.partition, int(told)) if told.isdecimal() else None


def letter_of(record: ConsumerRecord[bytes, bytes]) -> Letter:
    """The dead letter in a record of ecg.rejects; what its headers lack is `?` or -1."""
    told = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    value, topic = record.value or b"", told.get("topic", "?")
    reject = Reject(
        position=Position(record.partition, record.offset),
        at=to_datetime(record.timestamp * 1000),
        kind=told.get("kind", "?"),
        reason=told.get("reason", "?"),
        topic=topic,
        partition=_number(told.get("partition")),
        offset=_number(told.get("offset")),
        device_id=device_of(topic, record.key, value),
        size=len(value),
        replays=replays_of(record.headers),
    )
    return Letter(reject, record.key, value, tuple(record.headers))


def device_of(topic: str, key: bytes | None, value: bytes) -> UUID | None:
    """Whose it is, by its bytes or else by its key."""
    try:
        if topic == topics.REPORTS:
            return decode_report_event(value).device_id
        devices = {block.device_id for block in decode_pack(value)}
        if len(devices) == 1:
            return devices.pop()
    except Rejected:
        pass
    try:
        return UUID((key or b"").decode())
    except ValueError:
        return None


def replay_headers(letter: Letter) -> list[tuple[str, bytes]]:
    """What the record tells, sent back, of where it has been."""
    return [(REPLAYS_HEADER, str(letter.reject.replays + 1).encode())]


def mark_of(letter: Letter) -> list[tuple[str, bytes]]:
    """The headers of the record that marks this dead letter as sent back."""
    return [(MARK, str(letter.reject.position.offset).encode())]


def _number(told: str | None) -> int:
    return int(told) if told is not None and told.isdecimal() and len(told) < 20 else -1
