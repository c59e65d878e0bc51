"""The codec's bench measures what it says; its training shares every state out."""

import numpy as np
import pytest

from bench.codec import Coder, coders, first_codec, speed
from bench.codec_training import shared
from storage.waveform_codec.tables import ESCAPE, STATES, SYMBOLS
from storage.waveforms import decode, encode_many
from tests.unit.storage.waveform_codec.signals import like_ecg


def test_what_codec_1_wrote_is_read() -> None:
    samples = like_ecg(count=300)
    assert np.array_equal(decode(first_codec(samples), *samples.shape), samples)


@pytest.mark.parametrize("coder", coders(), ids=lambda coder: coder.name)
def test_every_coder_gives_back_what_it_was_given(coder: Coder) -> None:
    samples = like_ecg(count=300)
    back = coder.decode(coder.encode([samples]), *samples.shape)
    told = np.frombuffer(back[0], np.int16) if isinstance(back[0], bytes) else np.asarray(back)
    assert sorted(told.ravel()) == sorted(samples.ravel())


def test_bits_are_told_of_what_was_coded() -> None:
    chosen = [like_ecg(count=300)] * 3
    told = speed(coders()[0], "none", chosen, 1)
    assert told.bits == round(8 * sum(len(row.data) for row in encode_many(chosen)) / 1800, 3)
    assert min(told.encode_m_per_s, told.decode_m_per_s) > 0


def test_all_states_are_shared_out() -> None:
    counts = np.bincount(np.random.default_rng(1).geometric(0.1, 100_000), minlength=SYMBOLS)[:SYMBOLS]
    states = shared(counts)
    assert states.sum() == STATES
    assert states[ESCAPE] > 0
    assert all(states[counts > 100] > 0)
    assert shared(np.zeros(SYMBOLS, np.int64)).sum() == STATES
