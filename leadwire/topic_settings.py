"""What each topic should be like, and how far one that is there is from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas import topics
from schemas.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the broker has it; `configuration` lacks what the broker does not tell."""

    name: str
    partitions: int
    replication: int
    configuration: Mapping[str, str]


def configuration(name: str, settings: KafkaSettings) -> dict[str, str]:
    """The configuration of that topic, in Kafka's words."""
    hours = settings.topic_hours.get(name, settings.retention_hours)
    wanted = {
        "cleanup.policy": "delete",  # never compacted: every record counts
        "retention.ms": str(hours * 3_600_000),
        "retention.bytes": str(settings.topic_bytes.get(name, settings.retention_bytes)),
        "min.insync.replicas": str(in_sync(settings.replication)),
        "max.message.bytes": str(topics.MAX_RECORD_BYTES),
    }
    if name == topics.SAMPLES:
        wanted["message.timestamp.type"] = "LogAppendTime"  # the broker's clock: a device can't claim another
    return wanted


def in_sync(replication: int) -> int:
    """Copies that must have a record before it is acknowledged: one may be away; of three or more, two have it."""
    return min(2, max(1, replication - 1))


def differences(found: FoundTopic, settings: KafkaSettings) -> list[str]:
    """What of a topic is not as the settings say, each with its remedy; what the broker hides is passed over."""
    told = []
    if found.partitions != settings.partitions:
        told.append(
            f"{found.name} has {found.partitions} partitions, not {settings.partitions}: the count can't change while "
            f"devices live on it; set LEADWIRE_KAFKA_PARTITIONS={found.partitions}"
        )
    if found.replication != settings.replication:
        told.append(
            f"{found.name} has {found.replication} copies, not {settings.replication}: "
            f"move it with kafka-reassign-partitions.sh, or set LEADWIRE_KAFKA_REPLICATION={found.replication}"
        )
    wrong = _wrong(found, settings)
    if wrong:
        was = ", ".join(f"{key}={found.configuration[key]}" for key in wrong)
        config = ",".join(f"{key}={value}" for key, value in wrong.items())
        told.append(
            f"{found.name} has {was}: run kafka-configs.sh --bootstrap-server {settings.bootstrap} --alter "
            f"--entity-type topics --entity-name {found.name} --add-config {config}"
        )
    return told


def _wrong(found: FoundTopic, settings: KafkaSettings) -> dict[str, str]:
    wanted = configuration(found.name, settings).items()
    return {key: value for key, value in wanted if found.configuration.get(key, value) != value}
