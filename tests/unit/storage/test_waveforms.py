"""Waveforms come back bit for bit, or not at all."""

import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from storage.waveforms import CODEC, DELTA_ZLIB, Encoded, decode, decode_many, encode, encode_many

Writer = Callable[[NDArray[np.int16]], Encoded]
SAMPLES = arrays(np.int16, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=300))


def first_codec(samples: NDArray[np.int16]) -> Encoded:
    """What codec 1 wrote."""
    steps = np.diff(samples, axis=1, prepend=np.zeros((len(samples), 1), np.int16))
    planes = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T
    return Encoded(DELTA_ZLIB, zlib.compress(planes.tobytes()))


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


@given(st.lists(st.tuples(SAMPLES, st.booleans()), min_size=1, max_size=5), st.integers(1, 3))
def test_many_rows_come_back_in_order_whatever_codec_wrote_them(
    drawn: list[tuple[NDArray[np.int16], bool]], leads: int
) -> None:
    blocks = [np.resize(samples, (leads, samples.size)) for samples, _ in drawn]
    rows = [first_codec(b) if old else encode(b) for b, (_, old) in zip(blocks, drawn, strict=True)]
    back = decode_many(rows, leads, [block.shape[1] for block in blocks])
    assert np.array_equal(back, np.concatenate(blocks, axis=1))


@given(st.lists(SAMPLES, max_size=4))
def test_many_blocks_are_encoded_like_each_alone(blocks: list[NDArray[np.int16]]) -> None:
    assert encode_many(blocks) == [encode(block) for block in blocks]


def test_no_rows_are_no_samples() -> None:
    assert decode_many([], 2, []).shape == (2, 0)


def test_a_block_without_samples_is_a_block() -> None:
    assert decode(encode(np.empty((1, 0), np.int16)), 1, 0).shape == (1, 0)


def test_a_smooth_signal_takes_less_than_half_its_size() -> None:
    samples = (1000 * np.sin(np.arange(5000) / 40)).astype(np.int16).reshape(1, -1)
    assert len(encode(samples).data) < samples.nbytes / 2


def test_samples_that_are_no_int16_are_refused() -> None:
    with pytest.raises(TypeError, match="int32"):
        encode(np.zeros((1, 5), np.int32))


def test_an_unknown_codec_says_to_upgrade() -> None:
    with pytest.raises(ValueError, match="codec 99 is unknown here; upgrade"):
        decode(Encoded(99, b""), 1, 1)


@pytest.mark.parametrize("shape", [(1, 7), (2, 8), (8, 8)])
@pytest.mark.parametrize("written", [encode, first_codec])
def test_bytes_of_another_shape_are_refused(shape: tuple[int, int], written: Writer) -> None:
    with pytest.raises(ValueError, match="restore the row"):
        decode(written(np.zeros((1, 8), np.int16)), *shape)


@pytest.mark.parametrize("shape", [(2, 4), (8, 1)])
def test_as_many_samples_in_another_shape_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="restore the row"):
        decode(encode(np.zeros((1, 8), np.int16)), *shape)


@given(st.binary(max_size=200), st.sampled_from([DELTA_ZLIB, CODEC]))
def test_damaged_bytes_raise_value_error_and_nothing_else(data: bytes, codec: int) -> None:
    with pytest.raises(ValueError, match="restore"):
        decode(Encoded(codec, data), 12, 5000)


@pytest.mark.parametrize("written", [encode, first_codec])
def test_a_cut_row_is_refused(written: Writer) -> None:
    encoded = written(np.arange(100, dtype=np.int16).reshape(1, -1))
    with pytest.raises(ValueError, match="damaged"):
        decode(Encoded(encoded.codec, encoded.data[:-4]), 1, 100)


def test_importing_the_store_does_not_wait_for_a_compiler() -> None:
    command = "import sys, storage.waveforms, storage.stretches; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
