"""Live messages: what a record of Kafka says, as JSON text for those who listen; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import DecodeError

from api.waveform_json import channel
from schemas import codec, topics
from schemas import ecg_pb2 as pb
from schemas.beats import Beat
from schemas.codec_results import beats_from_pb, metrics_from_pb
from schemas.errors import Malformed
from schemas.samples import SampleBlock

TOPICS: Final = (topics.SAMPLES, topics.BEATS, topics.METRICS, topics.RHYTHMS, topics.ALARMS)


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """A record of one of TOPICS."""

    topic: str
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """JSON text about one device."""

    device_id: UUID
    text: str


def messages(record: LiveRecord, wanted: Collection[UUID]) -> Iterator[LiveMessage]:
    """What `record` says about the `wanted` devices; nothing is decoded for others.

    A record that breaks the contract says nothing: the worker puts it into ecg.rejects, and the page goes on.
    """
    try:
        if record.topic in _PACKS:
            yield from _PACKS[record.topic](record.value, {str(device_id) for device_id in wanted})
        elif record.value and _device_of(record) in wanted:
            yield _result(record)
    except (Malformed, DecodeError):
        return


def _device_of(record: LiveRecord) -> UUID | None:
    try:
        return UUID((record.key or b"").decode("ascii"))
    except ValueError:
        return None


def _samples(value: bytes, names: Collection[str]) -> Iterator[LiveMessage]:
    for message in pb.SamplePack.FromString(value).blocks:
        if message.device_id in names:
            block = codec.block_from_pb(message)
            yield LiveMessage(block.device_id, to_text("samples", _block(block)))


def _block(block: SampleBlock) -> dict[str, Any]:
    return {
        "device_id": block.device_id,
        "recording_id": block.recording_id,
        "first_index": block.first_index,
        "at_us": block.started_at_us,
        "rate_hz": block.rate_hz,
        "leads": block.leads,
        "uv_per_lsb": block.uv_per_lsb,
        "samples": [channel(row) for row in block.samples],
    }


def _metrics(value: bytes, names: Collection[str]) -> Iterator[LiveMessage]:
    for message in pb.MetricsPack.FromString(value).metrics:
        if message.device_id in names:
            metrics = metrics_from_pb(message)
            yield LiveMessage(metrics.device_id, to_text("metrics", asdict(metrics)))


def _beats(value: bytes, names: Collection[str]) -> Iterator[LiveMessage]:
    for batch in pb.BeatPack.FromString(value).batches:
        if batch.device_id in names and batch.beats:
            beats = beats_from_pb(batch)
            content = {
                "device_id": beats[0].device_id,
                "recording_id": beats[0].recording_id,
                "engine_version": beats[0].engine_version,
                "beats": [_beat(beat) for beat in beats],
            }
            yield LiveMessage(beats[0].device_id, to_text("beats", content))


_PACKS: Final[dict[str, Callable[[bytes, Collection[str]], Iterator[LiveMessage]]]] = {
    topics.SAMPLES: _samples,
    topics.BEATS: _beats,
    topics.METRICS: _metrics,
}


def _result(record: LiveRecord) -> LiveMessage:
    if record.topic == topics.ALARMS:
        alarm = codec.decode_alarm(record.value)
        return LiveMessage(alarm.device_id, to_text("alarm", asdict(alarm)))
    episode = codec.decode_rhythm(record.value)
    return LiveMessage(episode.device_id, to_text("rhythm", asdict(episode)))


def _beat(beat: Beat) -> dict[str, Any]:
    fields = asdict(beat)
    for said_once in ("device_id", "recording_id", "engine_version"):
        del fields[said_once]
    return fields


def to_text(kind: str, content: dict[str, Any]) -> str:
    """A message of type `kind`; UUIDs become text."""
    return json.dumps({"type": kind, **content}, default=str, separators=(",", ":"))
