"""However the samples were cut, each is read once, and none is made up."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import index_to_us
from schemas.samples import Recording, WaveformStretch
from storage.stretches import MAX_STRETCH_S, PIECE, StretchRow, cut, inside_from, longest, pack
from tests.columns import row_of

START_US = 1_767_225_600_000_000
RATE_HZ = 250.0
EPOCH_2000_US = START_US - 946_684_800_000_000
RECORDING = Recording(UUID(int=1), UUID(int=2), None, START_US, RATE_HZ, ("II",), (5.0,))
PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=8)


def stretch(first_index: int, count: int) -> WaveformStretch:
    samples = np.arange(first_index, first_index + count, dtype=np.int16).reshape(1, -1)
    started_at_us = START_US + index_to_us(first_index, RATE_HZ)
    return WaveformStretch(UUID(int=1), UUID(int=2), first_index, started_at_us, RATE_HZ, ("II",), (5.0,), samples)


def row(first_index: int, count: int) -> StretchRow:
    return row_of(stretch(first_index, count))


@given(PIECES, st.integers(0, 60), st.integers(0, 60))
def test_each_stored_sample_is_read_once_and_in_order(
    pieces: list[tuple[int, int]], first_index: int, length: int
) -> None:
    found = cut(RECORDING, [row(*piece) for piece in sorted(pieces)], first_index, first_index + length)
    stored = {index for first, count in pieces for index in range(first, first + count)}
    expected = sorted(stored & set(range(first_index, first_index + length)))
    assert [int(value) for part in found for value in part.samples[0]] == expected


@given(PIECES)
def test_each_part_tells_its_own_place_and_time(pieces: list[tuple[int, int]]) -> None:
    for part in cut(RECORDING, [row(*piece) for piece in sorted(pieces)], 5, 50):
        assert part.first_index == part.samples[0, 0]
        assert part.started_at_us == START_US + index_to_us(part.first_index, RATE_HZ)


def test_of_repeats_the_longest_is_written_in_the_order_of_keys() -> None:
    chosen = longest([stretch(50, 5), stretch(0, 5), stretch(0, 9), stretch(0, 7)])
    assert [(s.first_index, s.samples.shape[1]) for s in chosen] == [(0, 9), (50, 5)]


def test_a_stretch_that_no_search_would_find_is_refused() -> None:
    slow = replace(stretch(0, 3601), rate_hz=1.0)
    with pytest.raises(ValueError, match=f"cut it into parts of {MAX_STRETCH_S} s"):
        longest([slow])


@given(st.integers(0, 60_000))
def test_what_lies_outside_a_row_fills_its_pieces(size: int) -> None:
    outside = inside_from(size)
    assert 0 <= outside <= size
    assert outside % PIECE == 0 or outside % PIECE > 1800
    assert size - outside <= 1800


def test_stretches_tell_where_their_recordings_samples_are() -> None:
    late = replace(stretch(50, 5), started_at_us=START_US + 9_000_000)
    packed = pack([late, stretch(10, 20), replace(stretch(0, 7), recording_id=UUID(int=0))])
    told = packed.recordings
    assert [list(told[name].values) for name in ("first_index", "end_index", "longest")] == [[0, 10], [7, 55], [7, 20]]
    strays = [np.asarray(told[name].values)[1] - EPOCH_2000_US for name in ("earliest_origin", "latest_origin")]
    assert strays == [0, 9_000_000 - index_to_us(50, RATE_HZ)]
