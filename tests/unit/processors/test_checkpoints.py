"""A partition's memory as bytes: exact, small, and refused when it is another format's."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import checkpoints
from processors.alarms import Board
from processors.ecg.interface import StateMismatch
from processors.sequence import Sequencer, Track

from .fakes import block, device_on

DEVICES = [device_on(0), device_on(1), device_on(2)]


def filled(seed: int) -> Sequencer:
    """Some devices in the middle of a stream that loses and swaps blocks."""
    chance = random.Random(seed)  # noqa: S311  # a shuffle, not a secret
    sequencer = Sequencer(10.0)
    for device_id in DEVICES[: chance.randint(1, 3)]:
        for i in sorted(range(chance.randint(1, 20)), key=lambda i: i + 2 * chance.random()):
            if i == 0 or chance.random() < 0.8:
                sequencer.take(block(device_id, i * 125, 125))
    return sequencer


def told(track: Track) -> str:
    """All of a track but its samples; `like` says what the recording is, so when it was heard stands elsewhere."""
    return repr(replace(track, recent=np.empty(0, np.int16), like=replace(track.like, received_at_us=0)))


@given(seed=st.integers(0, 10_000), engine=st.binary(max_size=50))
def test_what_is_loaded_is_what_was_dumped(seed: int, engine: bytes) -> None:
    before, after = filled(seed), Sequencer(10.0)
    assert checkpoints.load(checkpoints.dump(before, Board(), engine), after).engine_state == engine
    assert [told(t) for t in after.tracks.values()] == [told(t) for t in before.tracks.values()]
    for device_id, track in before.tracks.items():
        assert np.array_equal(after.tracks[device_id].recent, track.recent)


@given(seed=st.integers(0, 10_000))
def test_equal_memories_are_equal_bytes(seed: int) -> None:
    loaded = Sequencer(10.0)
    dumped = checkpoints.dump(filled(seed), Board(), b"engine")
    checkpoints.load(dumped, loaded)
    assert checkpoints.dump(loaded, Board(), b"engine") == dumped


def test_an_empty_partition_comes_back_empty() -> None:
    empty = Sequencer(10.0)
    assert checkpoints.load(checkpoints.dump(Sequencer(10.0), Board(), b""), empty).engine_state == b""
    assert empty.tracks == {}


def test_another_format_is_refused_with_both_numbers() -> None:
    with pytest.raises(StateMismatch, match="checkpoint format 9, this worker reads 3"):
        checkpoints.load(b"\x09\x00\x00\x00\x00\x00", Sequencer(10.0))


def test_a_loaded_track_can_be_added_to() -> None:
    loaded = Sequencer(10.0)
    before = Sequencer(10.0)
    before.take(block(DEVICES[0]))
    checkpoints.load(checkpoints.dump(before, Board(), b""), loaded)
    assert loaded.take(block(DEVICES[0], 250)).outcome == "taken"
    assert loaded.take(block(DEVICES[0], 0)).outcome == "repeated"
