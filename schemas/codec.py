"""Between the dataclasses and their protobuf bytes; strict on the way in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, cast
from uuid import UUID

import numpy as np
from google.protobuf.message import DecodeError, Message

from schemas import ecg_pb2 as pb
from schemas.alarms import AlarmEvent, AlarmState, Category, Priority
from schemas.clock import EARLIEST_US, END_US
from schemas.errors import Malformed
from schemas.reports import ReportEvent, ReportState
from schemas.rhythms import EpisodeState, RhythmEpisode
from schemas.samples import LEADS, Lead, SampleBlock, check_block

NUMBER_BY_LEAD: Final = {lead: pb.Lead.Value(lead) for lead in LEADS}
_LEAD_BY_NUMBER: Final[dict[int, Lead]] = {number: lead for lead, number in NUMBER_BY_LEAD.items()}
_ALARM_OPTIONALS: Final = ("ended_at_us", "acknowledged_at_us", "value", "limit", "confidence")


def encode_pack(blocks: Iterable[SampleBlock]) -> bytes:
    """SamplePack bytes of blocks whose devices share a partition."""
    pack = pb.SamplePack()
    for block in blocks:
        pack.blocks.append(_block_to_pb(block))
    return pack.SerializeToString()


def decode_pack(value: bytes) -> list[SampleBlock]:
    """Every block of a SamplePack. Raises Malformed if the bytes or any block break the contract."""
    pack = pb.SamplePack()
    parse(pack, value, "SamplePack")
    if not pack.blocks:
        raise Malformed("the SamplePack holds no block; send at least one SampleBlock in `blocks`")
    return [block_from_pb(message) for message in pack.blocks]


def split_pack(value: bytes) -> list[bytes]:
    """A SamplePack for each block of a SamplePack, the blocks unchecked. Raises Malformed if the bytes are none."""
    pack = pb.SamplePack()
    parse(pack, value, "SamplePack")
    return [pb.SamplePack(blocks=[message]).SerializeToString() for message in pack.blocks]


def block_from_pb(message: pb.SampleBlock) -> SampleBlock:
    """One checked block; `samples` is a read-only view of the message's bytes. Raises Malformed."""
    leads = _leads_of(tuple(message.leads))
    samples = _samples(message.samples, len(leads))
    block = SampleBlock(
        uuid_of(message.device_id, "device_id"),
        uuid_of(message.recording_id, "recording_id"),
        message.first_index,
        message.started_at_us,
        message.rate_hz,
        leads,
        _gains(tuple(message.uv_per_lsb), len(leads)),
        samples,
        message.received_at_us,
    )
    check_block(block)
    return block


def _block_to_pb(block: SampleBlock) -> pb.SampleBlock:
    return pb.SampleBlock(
        device_id=str(block.device_id),
        recording_id=str(block.recording_id),
        first_index=block.first_index,
        started_at_us=block.started_at_us,
        rate_hz=block.rate_hz,
        leads=[NUMBER_BY_LEAD[lead] for lead in block.leads],
        uv_per_lsb=block.uv_per_lsb,
        samples=np.ascontiguousarray(block.samples, "<i2").tobytes(),
        received_at_us=block.received_at_us,
    )


def encode_rhythm(episode: RhythmEpisode) -> bytes:
    return pb.RhythmEpisode(
        device_id=str(episode.device_id),
        recording_id=str(episode.recording_id),
        first_r_index=episode.first_r_index,
        label=episode.label,
        state=pb.EpisodeState.Value(episode.state.upper()),
        started_at_us=episode.started_at_us,
        ended_at_us=episode.ended_at_us,
        confidence=episode.confidence,
        engine_version=episode.engine_version,
    ).SerializeToString()


def decode_rhythm(value: bytes) -> RhythmEpisode:
    """One RhythmEpisode. Raises Malformed."""
    message = pb.RhythmEpisode()
    parse(message, value, "RhythmEpisode")
    return RhythmEpisode(
        device_id=uuid_of(message.device_id, "device_id"),
        recording_id=uuid_of(message.recording_id, "recording_id"),
        first_r_index=message.first_r_index,
        label=message.label,
        state=cast("EpisodeState", enum_name(pb.EpisodeState, message.state).lower()),
        started_at_us=message.started_at_us,
        ended_at_us=message.ended_at_us,
        confidence=message.confidence,
        engine_version=message.engine_version,
    )


def encode_alarm(event: AlarmEvent) -> bytes:
    return pb.AlarmEvent(
        alarm_id=str(event.alarm_id),
        device_id=str(event.device_id),
        recording_id=str(event.recording_id),
        user_id=str(event.user_id or ""),
        kind=event.kind,
        priority=pb.AlarmPriority.Value(event.priority.upper()),
        category=pb.AlarmCategory.Value(event.category.upper()),
        latching=event.latching,
        state=pb.AlarmState.Value(event.state.upper()),
        began_at_us=event.began_at_us,
        raised_at_us=event.raised_at_us,
        acknowledged_by=str(event.acknowledged_by or ""),
        **{name: getattr(event, name) for name in _ALARM_OPTIONALS},
    ).SerializeToString()


def decode_alarm(value: bytes) -> AlarmEvent:
    """One AlarmEvent. Raises Malformed."""
    message = pb.AlarmEvent()
    parse(message, value, "AlarmEvent")
    return AlarmEvent(
        alarm_id=uuid_of(message.alarm_id, "alarm_id"),
        device_id=uuid_of(message.device_id, "device_id"),
        recording_id=uuid_of(message.recording_id, "recording_id"),
        user_id=uuid_of(message.user_id, "user_id") if message.user_id else None,
        kind=message.kind,
        priority=cast("Priority", enum_name(pb.AlarmPriority, message.priority).lower()),
        category=cast("Category", enum_name(pb.AlarmCategory, message.category).lower()),
        latching=message.latching,
        state=cast("AlarmState", enum_name(pb.AlarmState, message.state).lower()),
        began_at_us=message.began_at_us,
        raised_at_us=message.raised_at_us,
        acknowledged_by=uuid_of(message.acknowledged_by, "acknowledged_by") if message.acknowledged_by else None,
        **{n: getattr(message, n) if message.HasField(n) else None for n in _ALARM_OPTIONALS},
    )


def encode_report_event(event: ReportEvent) -> bytes:
    return pb.ReportEvent(
        report_id=str(event.report_id),
        device_id=str(event.device_id),
        state=pb.ReportState.Value(event.state.upper()),
        period_start_us=event.period_start_us,
        period_end_us=event.period_end_us,
        detail=event.detail,
    ).SerializeToString()


def decode_report_event(value: bytes) -> ReportEvent:
    """One ReportEvent. Raises Malformed."""
    message = pb.ReportEvent()
    parse(message, value, "ReportEvent")
    return ReportEvent(
        report_id=uuid_of(message.report_id, "report_id"),
        device_id=uuid_of(message.device_id, "device_id"),
        state=cast("ReportState", enum_name(pb.ReportState, message.state).lower()),
        period_start_us=_moment(message.period_start_us, "period_start_us"),
        period_end_us=_moment(message.period_end_us, "period_end_us"),
        detail=message.detail,
    )


def parse(message: Message, value: bytes, kind: str) -> None:
    """Fill `message` of this kind from its bytes. Raises Malformed."""
    try:
        message.ParseFromString(value)
    except DecodeError:
        raise Malformed(f"{len(value)} bytes that are no {kind}; encode it as schemas/ecg.proto says") from None


@lru_cache(maxsize=65_536)
def uuid_of(text: str, field: str) -> UUID:
    """The UUID that `field` holds as text; a stream names the same few again and again. Raises Malformed."""
    try:
        return UUID(text)
    except ValueError:
        raise Malformed(f"{field} is {text[:60]!r}; send a UUID in text form") from None


def _moment(at_us: int, field: str) -> int:
    if not EARLIEST_US <= at_us < END_US:
        raise Malformed(f"{field} is {at_us}; send microseconds since 1970 UTC, of the years 1900 to 2199")
    return at_us


@lru_cache(maxsize=1024)
def _leads_of(numbers: tuple[int, ...]) -> tuple[Lead, ...]:
    return tuple(map(lead_of, numbers))


def lead_of(number: int) -> Lead:
    """The lead of that number in ecg.proto. Raises Malformed."""
    try:
        return _LEAD_BY_NUMBER[number]
    except KeyError:
        raise Malformed(f"lead number {number} is not known; use one of {', '.join(LEADS)}") from None


def _samples(data: bytes, leads: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    if leads == 0:
        raise Malformed("the block names no lead; name each channel in `leads`")
    if len(data) % (2 * leads):
        raise Malformed(f"samples is {len(data)} bytes; send int16 for {leads} leads, a multiple of {2 * leads}")
    return np.frombuffer(data, "<i2").reshape(leads, -1)


def _gains(gains: tuple[float, ...], leads: int) -> tuple[float, ...]:
    if len(gains) == 1:
        return gains * leads
    if len(gains) != leads:
        raise Malformed(f"uv_per_lsb has {len(gains)} values; send one, or one for each of the {leads} leads")
    return gains


def enum_name(enum: object, number: int) -> str:
    """The name of a number of one of ecg.proto's enums. Raises Malformed for 0 and what is none."""
    names = enum.keys()[1:]  # type: ignore[attr-defined]  # the generated wrapper's type is private
    for name in names:
        if enum.Value(name) == number:  # type: ignore[attr-defined]  # as above
            return cast("str", name)
    raise Malformed(f"{number} is none of {', '.join(names)}; see schemas/ecg.proto")
