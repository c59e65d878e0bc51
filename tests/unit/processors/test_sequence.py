"""What sequencing promises, whatever the network does."""

from __future__ import annotations

import random
from itertools import pairwise
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import checkpoints
from processors.alarms import Board
from processors.sequence import Sequencer
from schemas.clock import index_to_us
from schemas.errors import Conflict
from schemas.samples import Gap, SampleBlock, WaveformStretch

DEVICE, RECORDING = UUID(int=1), UUID(int=2)
RATE = 250.0
SIGNAL = np.arange(20_000, dtype=np.int16).reshape(1, -1) % 3000


def block(first: int, end: int, *, recording: UUID = RECORDING, drift_us: int = 0) -> SampleBlock:
    return SampleBlock(
        device_id=DEVICE,
        recording_id=recording,
        first_index=first,
        started_at_us=1_000_000_000 + index_to_us(first, RATE) + drift_us,
        rate_hz=RATE,
        leads=("II",),
        uv_per_lsb=(5.0,),
        samples=SIGNAL[:, first:end],
        received_at_us=1_000_000_000 + index_to_us(end, RATE),
    )


def passed_on(sequencer: Sequencer, blocks: list[SampleBlock]) -> list[SampleBlock]:
    return [out for each in blocks for out in sequencer.take(each).blocks]


def joined(stretches: list[WaveformStretch]) -> dict[int, int]:
    return {s.first_index + i: int(v) for s in stretches for i, v in enumerate(s.samples[0])}


@given(cuts=st.lists(st.integers(1, 4999), max_size=30), seed=st.integers(0, 2**32))
def test_repeats_and_small_disorder_change_nothing(cuts: list[int], seed: int) -> None:
    edges = sorted({0, 5000, *cuts})
    blocks = [block(a, b) for a, b in pairwise(edges)]
    shuffler = random.Random(seed)  # noqa: S311  # a shuffle, not a secret
    repeated = [again for each in blocks for again in [each] * shuffler.randint(1, 2)]
    for i in range(len(repeated) - 1):
        near = repeated[i + 1].end_index - repeated[i].first_index < 2 * RATE and repeated[i].first_index > 0
        if near and shuffler.random() < 0.4:
            repeated[i], repeated[i + 1] = repeated[i + 1], repeated[i]
    out = passed_on(Sequencer(stretch_s=10), repeated)
    assert np.array_equal(np.concatenate([b.samples for b in out], axis=1), SIGNAL[:, :5000])
    assert all(a.end_index == b.first_index for a, b in pairwise(out))


def test_what_never_comes_is_a_gap_and_nothing_is_invented() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 250))
    done = sequencer.take(block(1000, 1250))
    assert done.gaps == [Gap(RECORDING, 250, 1000)]
    assert [(b.first_index, b.end_index) for b in done.blocks] == [(1000, 1250)]
    assert joined(done.stretches) == {i: int(SIGNAL[0, i]) for i in range(250)}


def test_a_block_a_little_ahead_waits_for_the_one_before() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 250))
    assert sequencer.take(block(500, 750)).outcome == "held"
    released = sequencer.take(block(250, 500)).blocks
    assert [b.first_index for b in released] == [250, 500]


def test_a_late_block_reaches_the_raw_store_but_not_the_engine() -> None:
    sequencer = Sequencer(stretch_s=10)
    passed_on(sequencer, [block(0, 250), block(1000, 1250)])
    late = sequencer.take(block(250, 500))
    assert late.outcome == "late"
    assert late.blocks == []
    assert joined(late.stretches) == {i: int(SIGNAL[0, i]) for i in range(250, 500)}


def test_other_values_for_known_samples_are_a_conflict() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 500))
    other = block(250, 750)
    with pytest.raises(Conflict, match=r"\[250, 500\)"):
        sequencer.take(
            SampleBlock(**{n: getattr(other, n) for n in SampleBlock.__slots__} | {"samples": other.samples + 1})
        )
    assert sequencer.take(block(500, 750)).outcome == "taken"


def test_other_gain_in_the_same_recording_is_a_conflict() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 250))
    fields = {name: getattr(block(250, 500), name) for name in SampleBlock.__slots__}
    with pytest.raises(Conflict, match="uv_per_lsb"):
        sequencer.take(SampleBlock(**fields | {"uv_per_lsb": (2.5,)}))


def test_a_new_recording_ends_the_old_one() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 250))
    done = sequencer.take(block(250, 500, recording=UUID(int=3)))
    assert joined(done.stretches) == {i: int(SIGNAL[0, i]) for i in range(250)}
    assert done.started is not None


def test_a_clock_that_drifts_re_anchors_and_a_small_jitter_does_not() -> None:
    sequencer = Sequencer(stretch_s=10)
    sequencer.take(block(0, 250))
    jitter = sequencer.take(block(250, 500, drift_us=20_000)).blocks[0]
    drift = sequencer.take(block(500, 750, drift_us=80_000)).blocks[0]
    assert jitter.started_at_us == block(250, 500).started_at_us
    assert drift.started_at_us == block(500, 750).started_at_us + 80_000


@given(cut=st.integers(1, 19), end=st.integers(20, 60))
def test_a_saved_and_loaded_sequencer_goes_on_as_if_never_stopped(cut: int, end: int) -> None:
    order = [i for i in range(end) if i % 17 != 5]
    blocks = [block(i * 250, (i + 1) * 250, drift_us=4000 * i) for i in order]
    whole, first, second = Sequencer(10), Sequencer(10), Sequencer(10)
    expected = [whole.take(b) for b in blocks]
    before = [first.take(b) for b in blocks[:cut]]
    assert checkpoints.load(checkpoints.dump(first, Board(), b"engine"), second).engine_state == b"engine"
    after = [second.take(b) for b in blocks[cut:]]
    assert repr(before + after) == repr(expected)
    assert repr(second.flush()) == repr(whole.flush())


@given(lengths=st.lists(st.integers(1, 700), min_size=1, max_size=25))
def test_the_stored_stretches_are_the_same_however_blocks_are_cut(lengths: list[int]) -> None:
    sequencer, at, stretches = Sequencer(stretch_s=2), 0, []
    for length in lengths:
        stretches += sequencer.take(block(at, at + length)).stretches
        at += length
    stretches += sequencer.close(DEVICE).stretches
    assert [s.first_index for s in stretches] == list(range(0, at, 500))
    assert joined(stretches) == {i: int(SIGNAL[0, i]) for i in range(at)}
