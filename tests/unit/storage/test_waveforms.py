"""Waveforms come back bit for bit, or not at all."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from storage.waveforms import CODEC, Encoded, decode, encode

SAMPLES = arrays(np.int16, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=300))


@given(SAMPLES)
def test_any_samples_survive_the_round_trip(samples: NDArray[np.int16]) -> None:
    back = decode(encode(samples), *samples.shape)
    assert back.dtype == np.int16
    assert np.array_equal(back, samples)


@given(SAMPLES)
def test_a_view_is_encoded_like_its_copy(samples: NDArray[np.int16]) -> None:
    assert encode(samples[:, ::-1]) == encode(samples[:, ::-1].copy())


def test_the_extremes_follow_each_other_unharmed() -> None:
    samples = np.array([[-32768, 32767, -32768, 0], [32767, -32768, -1, 1]], np.int16)
    assert np.array_equal(decode(encode(samples), 2, 4), samples)


def test_a_smooth_signal_takes_less_than_half_its_size() -> None:
    samples = (1000 * np.sin(np.arange(5000) / 40)).astype(np.int16).reshape(1, -1)
    assert len(encode(samples).data) < samples.nbytes / 2


def test_an_unknown_codec_says_to_upgrade() -> None:
    with pytest.raises(ValueError, match="codec 99 is unknown here; upgrade"):
        decode(Encoded(99, b""), 1, 1)


@pytest.mark.parametrize("shape", [(1, 7), (2, 8), (8, 8)])
def test_bytes_of_another_shape_are_refused(shape: tuple[int, int]) -> None:
    encoded = encode(np.zeros((1, 8), np.int16))
    with pytest.raises(ValueError, match="restore the row"):
        decode(encoded, *shape)


@given(st.binary(max_size=200))
def test_damaged_bytes_raise_value_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(ValueError, match="restore"):
        decode(Encoded(CODEC, data), 12, 5000)


def test_a_cut_row_is_refused() -> None:
    encoded = encode(np.arange(100, dtype=np.int16).reshape(1, -1))
    with pytest.raises(ValueError, match="damaged") as refused:
        decode(Encoded(CODEC, encoded.data[:-4]), 1, 100)
    assert isinstance(refused.value.__cause__, zlib.error)
