"""Device packets become checked blocks, or an error that names the block and the remedy."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.json_blocks import parse_json
from ingest.packets import PROTOBUF_TYPES, admit, parse, parse_protobuf
from schemas.codec import encode_pack
from schemas.errors import Forbidden, Malformed, WrongType
from schemas.samples import LEADS, MISSING, SampleBlock
from tests.unit.ingest.examples import BLOCK, DEVICE, block

NOW_US = BLOCK.started_at_us


def _fields(**changed: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "device_id": str(BLOCK.device_id),
        "recording_id": str(BLOCK.recording_id),
        "first_index": 0,
        "started_at_us": NOW_US,
        "rate_hz": 250,
        "leads": ["II"],
        "uv_per_lsb": 5,
        "samples": [1, None, -3],
    }
    return {name: value for name, value in (fields | changed).items() if value is not ...}


def _parse(**changed: object) -> SampleBlock:
    [parsed] = parse_json(json.dumps(_fields(**changed)))
    return parsed


@st.composite
def blocks(draw: st.DrawFn) -> SampleBlock:
    leads = tuple(draw(st.lists(st.sampled_from(LEADS), min_size=1, max_size=4, unique=True)))
    count = draw(st.integers(1, 20))
    values = st.lists(st.integers(-32768, 32767), min_size=count, max_size=count)
    return SampleBlock(
        device_id=draw(st.uuids()),
        recording_id=draw(st.uuids()),
        first_index=draw(st.integers(0, 2**32)),
        started_at_us=draw(st.integers(0, 2**52)),
        rate_hz=draw(st.floats(100, 1000)),
        leads=leads,
        uv_per_lsb=tuple(draw(st.floats(1e-6, 1e6)) for _ in leads),
        samples=np.array([draw(values) for _ in leads], dtype=np.int16),
    )


def _as_json(one: SampleBlock, *, as_text: bool) -> dict[str, Any]:
    rows = [[None if v == MISSING else v for v in row] for row in one.samples.tolist()]
    return _fields(
        device_id=str(one.device_id),
        recording_id=str(one.recording_id),
        first_index=one.first_index,
        started_at_us=one.started_at_us,
        rate_hz=one.rate_hz,
        leads=list(one.leads),
        uv_per_lsb=list(one.uv_per_lsb),
        samples=base64.b64encode(one.samples.astype("<i2").tobytes()).decode() if as_text else rows,
    )


def _same(one: SampleBlock, other: SampleBlock) -> bool:
    equal = np.array_equal(one.samples, other.samples)
    return equal and replace(one, samples=BLOCK.samples) == replace(other, samples=BLOCK.samples)


@given(st.lists(blocks(), min_size=1, max_size=3), st.booleans())
def test_json_says_the_same_as_protobuf(given_blocks: list[SampleBlock], as_text: bool) -> None:
    body = json.dumps({"blocks": [_as_json(one, as_text=as_text) for one in given_blocks]}).encode()
    from_json = parse("application/json; charset=utf-8", body)
    from_protobuf = parse("application/x-protobuf", encode_pack(given_blocks))
    for sent, one, other in zip(given_blocks, from_json, from_protobuf, strict=True):
        assert _same(sent, one)
        assert _same(sent, other)


def _complaint(kind: str, body: bytes) -> str | None:
    """What is said about a body, or None when it is blocks. Anything but Malformed comes through."""
    try:
        return None if parse(kind, body) else "no block and no complaint"
    except Malformed as error:
        return str(error)


def _has_remedy(complaint: str | None) -> bool:
    return complaint is None or "; " in complaint or "send" in complaint


@given(st.binary(max_size=400))
def test_any_bytes_are_blocks_or_malformed(body: bytes) -> None:
    assert _has_remedy(_complaint("application/json", body))
    assert _has_remedy(_complaint("application/x-protobuf", body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*_fields(), "started_at", "blocks"]), json_values)
def test_any_value_in_any_field_is_a_block_or_malformed(name: str, value: object) -> None:
    assert _has_remedy(_complaint("application/json", json.dumps(_fields(**{name: value})).encode()))


@given(st.data())
def test_a_damaged_pack_is_blocks_or_malformed(data: st.DataObject) -> None:
    body = bytearray(encode_pack([BLOCK]))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert _has_remedy(_complaint("application/x-protobuf", bytes(body)))


def test_the_three_shapes_of_a_json_body_are_one() -> None:
    shapes = (_fields(), [_fields()], {"blocks": [_fields()]})
    assert len({str(parse_json(json.dumps(shape))) for shape in shapes}) == 1


def test_null_is_a_missing_sample() -> None:
    assert _parse().samples.tolist() == [[1, MISSING, -3]]


def test_one_gain_is_for_all_leads() -> None:
    two = {"leads": ["II", "V1"], "samples": [[1], [2]]}
    assert _parse(**two, uv_per_lsb=[2.5]).uv_per_lsb == _parse(**two, uv_per_lsb=2.5).uv_per_lsb == (2.5, 2.5)


def test_started_at_is_a_moment_with_a_zone() -> None:
    parsed = _parse(started_at_us=..., started_at="2023-11-14T23:13:20.000001+01:00")
    assert parsed.started_at_us == NOW_US + 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rate_hz": 0}, "rate_hz is 0; send 100 to 1000"),
        ({"rate_hz": True}, "rate_hz is true; send a number"),
        ({"rate_hz": 10**400}, "send a number a double can hold"),
        ({"leads": ["II", "LEFT"]}, 'lead "LEFT" is not known; use one of I, II'),
        ({"leads": ["II", "II"], "samples": [[1], [2]]}, "different leads"),
        ({"leads": []}, "leads is a list; send"),
        ({"leads": ["II", "V1"], "samples": [[1, 2], [3]]}, "the leads have [1, 2] samples"),
        ({"leads": ["II", "V1"]}, "samples has 1 lists for 2 leads"),
        ({"samples": []}, "holds no sample"),
        ({"samples": [1.5]}, "samples hold 1.5; send whole numbers"),
        ({"samples": [True]}, "samples hold true"),
        ({"samples": [32768]}, "samples hold 32768; int16 goes from"),
        ({"samples": [10**30]}, "int16 goes from"),
        ({"samples": "AAA="}, None),
        ({"samples": "AAAA"}, "samples is 3 bytes"),
        ({"samples": "no base64"}, "no base64"),
        ({"samples": None}, "samples is null"),
        ({"uv_per_lsb": [1, 2]}, "uv_per_lsb has 2 values"),
        ({"uv_per_lsb": 0}, "positive gain"),
        ({"uv_per_lsb": 1e300}, "1e-06 to 1e+06"),
        ({"started_at_us": 2**62}, "of the years 1900 to 2199"),
        ({"first_index": 2**52}, "start before 1900"),
        ({"first_index": -1}, "count samples from 0"),
        ({"first_index": 1.0}, "first_index is 1.0; send a whole number"),
        ({"first_index": 2**63}, "send a whole number"),
        ({"device_id": "me"}, 'device_id is "me"; send a UUID'),
        ({"recording_id": 5}, "recording_id is 5; send a UUID"),
        ({"started_at": "2026-01-01T00:00:00Z"}, "send one of started_at_us"),
        ({"started_at_us": ..., "started_at": "2026-01-01T00:00:00"}, "ISO 8601 with a zone"),
        ({"gain": 5}, 'field "gain" is not known; send only'),
        ({"leads": ...}, "leads not given; send every one of"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(changed: dict[str, object], told: str | None) -> None:
    if told is None:
        assert _parse(**changed).count == 1
        return
    with pytest.raises(Malformed) as caught:
        _parse(**changed)
    assert str(caught.value).startswith("block 1: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "no JSON"),
        (b'{"rate_hz": NaN}', "the JSON holds NaN"),
        (b"[]", "holds no block"),
        (b"7", "the body is 7; send"),
        (b"[7]", "block 1: is 7; send an object"),
    ],
)
def test_a_body_that_holds_no_blocks_is_malformed(body: bytes, told: str) -> None:
    with pytest.raises(Malformed, match=told.replace("[", r"\[")):
        parse_json(body)


def test_the_bad_one_of_many_is_named() -> None:
    with pytest.raises(Malformed, match=r"^block 2: rate_hz"):
        parse_json(json.dumps([_fields(), _fields(rate_hz=0)]))
    with pytest.raises(Malformed, match=r"^block 2: rate_hz"):
        parse_protobuf(encode_pack([BLOCK, replace(BLOCK, rate_hz=0.0)]))


@pytest.mark.parametrize("kind", [None, "", "text/plain", "multipart/form-data"])
def test_another_media_type_is_refused(kind: str | None) -> None:
    with pytest.raises(WrongType, match="send application/json or application/x-protobuf"):
        parse(kind, b"{}")


@pytest.mark.parametrize("kind", sorted(PROTOBUF_TYPES))
def test_every_name_of_protobuf_is_understood(kind: str) -> None:
    assert len(parse(kind, encode_pack([BLOCK, block(250)]))) == 2


def test_an_admitted_block_carries_the_gateways_clock() -> None:
    [admitted] = admit([BLOCK], DEVICE, NOW_US + 5, 60)
    assert admitted == replace(BLOCK, received_at_us=NOW_US + 5)


def test_a_block_of_another_device_is_forbidden() -> None:
    stranger = uuid4()
    with pytest.raises(Forbidden, match=f"block 2 is of device {stranger}"):
        admit([BLOCK, block(device_id=stranger)], DEVICE, NOW_US, 60)


@pytest.mark.parametrize(("off_s", "side"), [(61, "behind"), (-61, "ahead of"), (-31_536_000, "ahead of")])
def test_a_clock_that_is_off_is_refused(off_s: int, side: str) -> None:
    with pytest.raises(Malformed, match=f"s {side} the gateway's clock .*; set the device's clock"):
        admit([BLOCK], DEVICE, NOW_US + off_s * 1_000_000, 60)


@pytest.mark.parametrize("off_s", [-60, 60])
def test_a_clock_within_the_limit_is_not_corrected(off_s: int) -> None:
    assert admit([BLOCK], DEVICE, NOW_US + off_s * 1_000_000, 60)[0].started_at_us == BLOCK.started_at_us


def test_samples_of_a_pack_are_not_copied() -> None:
    [parsed] = parse_protobuf(encode_pack([BLOCK]))
    assert not parsed.samples.flags.writeable
    assert UUID(str(parsed.device_id)) == DEVICE
