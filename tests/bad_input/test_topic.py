"""Straight to ecg.samples, past the gateway: what is bad is a dead letter, and the partition goes on."""

from __future__ import annotations

from uuid import uuid4

import pytest

from schemas import ecg_pb2 as pb
from schemas import topics
from schemas.codec import encode_pack
from tests.bad_input.scene import Device, Scene

pytestmark = pytest.mark.embedded


async def test_a_record_that_is_no_protobuf_is_a_dead_letter_with_its_bytes(device: Device) -> None:
    await device.post_good(0)
    sent = await device.scene.publish(b"\xffno protobuf", device.partition, b"whatever")
    await device.post_good(1)
    await device.only_good_is_stored(2)
    letter = await device.scene.letter(sent)
    assert (letter.kind, letter.key, letter.value) == ("Malformed", b"whatever", b"\xffno protobuf")
    assert letter.reason == "12 bytes that are no SamplePack; encode it as schemas/ecg.proto says"


@pytest.mark.parametrize("value", [b"", pb.SamplePack().SerializeToString()])
async def test_a_record_without_blocks_is_a_dead_letter(device: Device, value: bytes) -> None:
    sent = await device.scene.publish(value, device.partition)
    await device.post_good(0)
    await device.only_good_is_stored(1)
    letter = await device.scene.letter(sent)
    assert (letter.kind, letter.value) == ("Malformed", value)
    assert letter.reason.endswith("send at least one SampleBlock in `blocks`")


async def test_a_block_of_a_device_that_is_not_registered_is_a_dead_letter(device: Device) -> None:
    stranger = uuid4()
    value = encode_pack([device.block(0, device_id=stranger)])
    sent = await device.scene.publish(value, device.partition, topics.device_key(stranger))
    await device.post_good(0)
    await device.only_good_is_stored(1)
    letter = await device.scene.letter(sent)
    assert (letter.kind, letter.key) == ("Unknown device", topics.device_key(stranger))
    assert letter.reason.startswith(f"device {stranger} is not registered; ")
    assert letter.reason.endswith("register it with POST /api/v1/devices, or activate it, then replay this record")


async def test_a_device_on_the_wrong_partition_is_a_dead_letter(device: Device) -> None:
    wrong = (device.partition + 1) % device.scene.platform.settings.kafka.partitions
    value = encode_pack([device.block(0, recording_id=uuid4())])
    letter = await device.scene.letter(await device.scene.publish(value, wrong, topics.device_key(device.device_id)))
    assert letter.kind == "Malformed"
    assert letter.reason.startswith(
        f"device {device.device_id} was sent to partition {wrong} and belongs on {device.partition}; "
    )
    assert letter.reason.endswith("use its id as the key and Kafka's default (murmur2) partitioner")
    await device.post_good(0)
    await device.only_good_is_stored(1)


async def test_of_a_pack_only_the_bad_blocks_are_dead_letters(device: Device) -> None:
    pack = encode_pack([device.block(0), device.block(1, rate_hz=0.0, recording_id=uuid4()), device.block(1)])
    sent = await device.scene.publish(pack, device.partition, topics.device_key(device.device_id))
    await device.only_good_is_stored(2)
    letter = await device.scene.letter(sent)
    assert (letter.kind, letter.reason) == ("Malformed", "rate_hz is 0; send 100 to 1000")
    assert [block.rate_hz for block in pb.SamplePack.FromString(letter.value).blocks] == [0.0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"started_at_us": 2**62}, "of the years 1900 to 2199"),
        ({"started_at_us": -(2**62)}, "of the years 1900 to 2199"),
        ({"first_index": 2**52}, "count samples from 0, the recording's first"),
        ({"uv_per_lsb": (1e300,)}, "1e-06 to 1e+06"),
        ({"uv_per_lsb": (float("nan"),)}, "1e-06 to 1e+06"),
        ({"rate_hz": float("nan")}, "send 100 to 1000"),
    ],
)
async def test_what_no_calendar_or_index_can_hold_does_not_stop_the_worker(
    device: Device, changed: dict[str, object], told: str
) -> None:
    sent = await device.scene.publish(encode_pack([device.block(0, **changed)]), device.partition)
    await device.post_good(0)
    await device.only_good_is_stored(1)
    letter = await device.scene.letter(sent)
    assert letter.kind == "Malformed"
    assert letter.reason.endswith(told)


async def test_nothing_of_all_this_has_ended_a_process(scene: Scene) -> None:
    assert scene.platform.children.dead() is None
