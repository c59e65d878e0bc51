"""The dead letters that ecg.rejects holds now."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from processors.topic_reader import read_topic
from schemas import topics
from schemas.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Reject:
    """One dead letter: its kind and reason, the topic, partition and offset it came from, and its size in bytes."""

    kind: str
    reason: str
    origin: str
    size: int

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "reason": self.reason, "origin": self.origin, "size": self.size}


async def list_rejects(settings: KafkaSettings) -> list[Reject]:
    """All of them, partition by partition. Raises Busy when Kafka is away."""
    return [_reject(record) async for record in read_topic(settings, topics.REJECTS)]


def _reject(record: ConsumerRecord[bytes, bytes]) -> Reject:
    told = {name: value.decode(errors="replace") for name, value in record.headers}
    origin = f"{told.get('topic')}[{told.get('partition')}]@{told.get('offset')}"
    return Reject(told.get("kind", "?"), told.get("reason", "?"), origin, len(record.value or b""))
