"""What is sent twice is stored once; what contradicts it is a dead letter, and what came first stays."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.codec import decode_pack, encode_pack
from tests.bad_input.scene import COUNT, Device, values

pytestmark = pytest.mark.embedded
"""The gateway accepts all of this: it keeps no samples, the worker does."""


async def test_a_repeat_is_accepted_stored_once_and_counted(device: Device) -> None:
    before = await device.scene.repeats_counted()
    await device.post_good(0)
    await device.post_good(0)
    await device.post_good(1)
    await device.only_good_is_stored(2)
    assert await device.scene.repeats_counted() - before == 1


async def test_a_repeat_within_one_request_is_counted_too(device: Device) -> None:
    before = await device.scene.repeats_counted()
    await device.post_good(0, 1, 1, 0, 2)
    await device.only_good_is_stored(3)
    assert await device.scene.repeats_counted() - before == 2


async def test_a_repeat_in_other_pieces_is_no_contradiction(device: Device) -> None:
    await device.post_good(0, 1)
    half, later_us = COUNT // 2, device.started_at_us + 500_000
    middle = device.block(0, first_index=half, started_at_us=later_us, samples=values(half, half + COUNT))
    assert (await device.post(encode_pack([middle]))).status_code == 202
    await device.post_good(2)
    await device.only_good_is_stored(3)


async def test_an_overlap_with_other_values_is_a_dead_letter_and_the_first_values_stay(device: Device) -> None:
    await device.post_good(0, 1)
    other = device.block(1, samples=device.block(1).samples + np.int16(1))
    assert (await device.post(encode_pack([other]))).status_code == 202
    await device.post_good(2)
    await device.only_good_is_stored(3)
    letter = await device.scene.letter(await device.sent(1))
    assert letter.kind == "Conflict"
    assert f"samples [250, 500) of recording {device.recording_id} are known with other values" in letter.reason
    assert letter.reason.endswith("send each index once, with a new recording_id after a restart")
    assert letter.key == str(device.device_id).encode()
    [rejected] = decode_pack(letter.value)
    assert np.array_equal(rejected.samples, other.samples)


async def test_another_rate_in_one_recording_is_a_dead_letter(device: Device) -> None:
    await device.post_good(0)
    assert (await device.post(encode_pack([device.block(1, rate_hz=500.0)]))).status_code == 202
    await device.post_good(1)
    await device.only_good_is_stored(2)
    letter = await device.scene.letter(await device.sent(1))
    assert letter.kind == "Conflict"
    assert f"rate_hz is 500.0 but recording {device.recording_id} began with 250.0" in letter.reason
    assert letter.reason.endswith("begin a new recording (another recording_id) when leads, rate or gain change")
