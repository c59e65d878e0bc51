"""Bytes and back without a loss, and nothing but Malformed for what breaks the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec
from schemas import ecg_pb2 as pb
from schemas.alarms import AlarmEvent
from schemas.beats import Beat
from schemas.codec_results import decode_beat_pack, decode_metrics_pack
from schemas.errors import Malformed
from schemas.metrics import Metrics
from schemas.reports import ReportEvent
from schemas.rhythms import RhythmEpisode
from schemas.samples import LEADS, MISSING, SampleBlock
from tests.columns import as_results, beat_pack, metrics_pack

from .examples import BLOCK, METRICS_LEADS, alarms, beat_lists, blocks, episodes, metrics, report_events

DECODERS: tuple[Callable[[bytes], object], ...] = (
    codec.decode_pack,
    decode_beat_pack,
    decode_metrics_pack,
    codec.decode_rhythm,
    codec.decode_alarm,
    codec.decode_report_event,
    codec.split_pack,
)


def facts(block: SampleBlock) -> list[Any]:
    """A block's fields, its samples as bytes: numpy arrays have no one truth of equality."""
    values = [getattr(block, field.name) for field in fields(block)]
    return [(v.shape, v.dtype, v.tobytes()) if isinstance(v, np.ndarray) else v for v in values]


def message(**changes: object) -> pb.SampleBlock:
    """BLOCK on the wire, with these fields changed."""
    written = pb.SamplePack.FromString(codec.encode_pack([BLOCK])).blocks[0]
    for name, value in changes.items():
        written.ClearField(name)  # type: ignore[arg-type]  # its stub lists the names as literals
        getattr(written, name).extend(value) if isinstance(value, list) else setattr(written, name, value)
    return written


@given(st.lists(blocks(), min_size=1, max_size=3))
def test_a_pack_comes_back_as_it_went(sent: list[SampleBlock]) -> None:
    assert [facts(b) for b in codec.decode_pack(codec.encode_pack(sent))] == [facts(b) for b in sent]


@given(beat_lists())
def test_beats_come_back_as_they_went(sent: list[Beat]) -> None:
    assert decode_beat_pack(beat_pack(as_results(beats=sent))) == sent


@given(st.lists(metrics(), min_size=1, max_size=4))
def test_metrics_come_back_as_they_went(sent: list[Metrics]) -> None:
    assert decode_metrics_pack(metrics_pack(as_results(metrics=sent, leads=METRICS_LEADS))) == sent


def test_metrics_of_a_worker_that_knew_no_leads_are_read() -> None:
    written = pb.Metrics(device_id=str(BLOCK.device_id), recording_id=str(BLOCK.recording_id), quality=0.5, qtc_ms=400)
    [read] = decode_metrics_pack(pb.MetricsPack(metrics=[written]).SerializeToString())
    assert (read.quality, read.qtc_ms, read.qtc_bazett_ms, read.main_lead, read.leads) == (0.5, 400, None, None, ())


@pytest.mark.parametrize("changes", [{"leads": [1]}, {"leads": [1], "lead_quality": [1.0], "lead_flags": [0, 0]}])
def test_a_lead_without_its_quality_is_malformed(changes: dict[str, Any]) -> None:
    sent = pb.Metrics(device_id=str(BLOCK.device_id), recording_id=str(BLOCK.recording_id), **changes)
    with pytest.raises(Malformed, match=r"have \(1, \d, \d\) values; send one of each"):
        decode_metrics_pack(pb.MetricsPack(metrics=[sent]).SerializeToString())


@given(alarms())
def test_alarm_round_trip(sent: AlarmEvent) -> None:
    assert codec.decode_alarm(codec.encode_alarm(sent)) == sent


@given(episodes())
def test_an_episode_comes_back_as_it_went(sent: RhythmEpisode) -> None:
    assert codec.decode_rhythm(codec.encode_rhythm(sent)) == sent


@given(report_events())
def test_a_report_event_comes_back_as_it_went(sent: ReportEvent) -> None:
    assert codec.decode_report_event(codec.encode_report_event(sent)) == sent


@pytest.mark.parametrize("lead", LEADS)
def test_every_lead_has_its_number(lead: Any) -> None:
    one = replace(BLOCK, leads=(lead,), uv_per_lsb=(5.0,), samples=BLOCK.samples[:1])
    assert codec.decode_pack(codec.encode_pack([one]))[0].leads == (lead,)


def test_a_missing_sample_stays_missing() -> None:
    holes = replace(BLOCK, samples=np.full((2, 3), MISSING, np.int16))
    assert (codec.decode_pack(codec.encode_pack([holes]))[0].samples == MISSING).all()


def test_one_gain_stands_for_all_leads() -> None:
    assert codec.block_from_pb(message(uv_per_lsb=[2.5])).uv_per_lsb == (2.5, 2.5)


def test_decoded_samples_can_not_be_written_to() -> None:
    decoded = codec.block_from_pb(message())
    with pytest.raises(ValueError, match="read-only"):
        decoded.samples[0, 0] = 1


def test_samples_travel_as_little_endian_whatever_their_layout() -> None:
    turned = replace(BLOCK, samples=np.asfortranarray(BLOCK.samples.astype(">i2")))
    assert codec.encode_pack([turned]) == codec.encode_pack([BLOCK])


def test_a_pack_splits_into_a_pack_for_each_block() -> None:
    packs = codec.split_pack(codec.encode_pack([BLOCK, replace(BLOCK, first_index=7)]))
    assert [codec.decode_pack(pack)[0].first_index for pack in packs] == [500, 7]


@pytest.mark.parametrize(
    ("changes", "value", "remedy"),
    [
        ({"device_id": "seven"}, "device_id is 'seven'", "send a UUID"),
        ({"recording_id": ""}, "recording_id is ''", "send a UUID"),
        ({"leads": []}, "names no lead", "name each channel"),
        ({"leads": [0, 1]}, "lead number 0", "use one of I, II"),
        ({"leads": [1, 99]}, "lead number 99", "use one of I, II"),
        ({"leads": [1, 1]}, r"\['I', 'I'\]", "different leads"),
        ({"leads": list(range(1, 14)), "samples": bytes(26), "uv_per_lsb": [1.0]}, "'MLI'", "name 1 to 12"),
        ({"samples": bytes(7)}, "samples is 7 bytes", "a multiple of 4"),
        ({"samples": b""}, "holds no sample", "at least one per lead"),
        ({"samples": bytes(4 * 15_001)}, "lasts 60.0 s", "split it"),
        ({"rate_hz": 99.9}, "rate_hz is 99.9", "send 100 to 1000"),
        ({"rate_hz": 1000.1}, "rate_hz is 1000.1", "send 100 to 1000"),
        ({"rate_hz": float("nan")}, "rate_hz is nan", "send 100 to 1000"),
        ({"rate_hz": float("inf")}, "rate_hz is inf", "send 100 to 1000"),
        ({"uv_per_lsb": [1.0, 2.0, 3.0]}, "has 3 values", "one for each of the 2 leads"),
        ({"uv_per_lsb": []}, "has 0 values", "send one, or one for each"),
        ({"uv_per_lsb": [0.0]}, r"\[0.0, 0.0\]", "positive gain"),
        ({"uv_per_lsb": [-5.0]}, r"\[-5.0", "positive gain"),
        ({"uv_per_lsb": [float("nan")]}, "nan", "positive gain"),
        ({"uv_per_lsb": [float("inf")]}, "inf", "positive gain"),
        ({"started_at_us": 2**62}, f"started_at_us is {2**62}", "of the years 1900 to 2199"),
        ({"started_at_us": -(2**62)}, f"started_at_us is -{2**62}", "of the years 1900 to 2199"),
        ({"first_index": 2**52}, f"first_index {2**52}", "count samples from 0"),
        ({"received_at_us": 2**62}, f"received_at_us is {2**62}", "leave it 0"),
        ({"received_at_us": -1}, "received_at_us is -1", "leave it 0"),
    ],
)
def test_a_broken_block_is_told_its_value_and_the_remedy(changes: dict[str, object], value: str, remedy: str) -> None:
    with pytest.raises(Malformed, match=f"(?s){value}.*{remedy}"):
        codec.block_from_pb(message(**changes))


@pytest.mark.parametrize("decode", DECODERS)
def test_bytes_of_nothing_known_are_malformed(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(Malformed, match=r"4 bytes that are no \w+; encode it as"):
        decode(b"\xff\xff\xff\xff")


def test_a_pack_without_blocks_is_malformed() -> None:
    with pytest.raises(Malformed, match="at least one SampleBlock"):
        codec.decode_pack(b"")


@pytest.mark.parametrize(
    ("decode", "sent"),
    [
        (codec.decode_rhythm, pb.RhythmEpisode(device_id=str(BLOCK.device_id), recording_id=str(BLOCK.recording_id))),
        (codec.decode_report_event, pb.ReportEvent(report_id=str(BLOCK.device_id), device_id=str(BLOCK.device_id))),
    ],
)
def test_a_state_that_was_not_said_is_malformed(decode: Callable[[bytes], object], sent: pb.RhythmEpisode) -> None:
    with pytest.raises(Malformed, match=r"0 is none of [A-Z]+, "):
        decode(sent.SerializeToString())


@pytest.mark.parametrize("field", ["period_start_us", "period_end_us"])
def test_a_report_of_no_real_period_is_malformed(field: str) -> None:
    sent = pb.ReportEvent(report_id=str(BLOCK.device_id), device_id=str(BLOCK.device_id), state=pb.REQUESTED)
    setattr(sent, field, 2**62)
    with pytest.raises(Malformed, match=f"{field} is {2**62}; send microseconds"):
        codec.decode_report_event(sent.SerializeToString())


@given(value=st.binary(max_size=200), decode=st.sampled_from(DECODERS))
def test_garbage_raises_nothing_but_malformed(value: bytes, decode: Callable[[bytes], object]) -> None:
    assert ";" in refusal(decode, value)


@given(sent=blocks(), at=st.integers(0, 500), byte=st.integers(0, 255))
def test_a_damaged_pack_raises_nothing_but_malformed(sent: SampleBlock, at: int, byte: int) -> None:
    damaged = bytearray(codec.encode_pack([sent]))
    damaged[at % len(damaged)] = byte
    assert ";" in refusal(codec.decode_pack, bytes(damaged))


def refusal(decode: Callable[[bytes], object], value: bytes) -> str:
    """Why the bytes are refused, by Malformed and by nothing else; ";" for those that happen to mean something."""
    try:
        decode(value)
    except Malformed as error:
        return str(error)
    return ";"
