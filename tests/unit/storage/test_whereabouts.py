"""Whatever a device's clock did, its rows lie where their recording says."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import index_to_us, to_us
from schemas.samples import Recording
from storage.whereabouts import Extent, IndexWindow, Kept

START_US = 1_767_225_600_000_000
CLOCK_US = st.integers(-(10**13), 10**13)


def kept(strays: list[int], rate_hz: float, longest: int = 100) -> Kept:
    recording = Recording(UUID(int=1), UUID(int=2), None, START_US, rate_hz, ("II",), (5.0,))
    return Kept(recording, Extent(0, 10**9), longest, max(0, -min(strays)), max(0, *strays))


@given(st.lists(st.tuples(st.integers(0, 10**8), CLOCK_US), min_size=1), st.sampled_from([100.0, 257.3, 1000.0]))
def test_each_row_is_in_the_window_of_its_index_and_of_its_moment(rows: list[tuple[int, int]], rate_hz: float) -> None:
    found = kept([stray for _, stray in rows], rate_hz)
    for index, stray in rows:
        at_us = START_US + index_to_us(index, rate_hz) + stray
        during = found.moments_of(found.rows_of(index, index + 1))
        assert to_us(during.start) <= at_us < to_us(during.end)
        window = found.rows_at(at_us, at_us + 1)
        assert window.first_index <= index < window.end_index


def test_rows_that_reach_into_a_range_begin_at_most_the_longest_row_before_it() -> None:
    assert kept([0], 100.0, longest=100).rows_of(1000, 1001) == IndexWindow(901, 1001)


def test_nothing_lies_outside_of_what_was_stored() -> None:
    recording = kept([0], 100.0).recording
    found = Kept(recording, Extent(50, 60), 100, 0, 0)
    assert found.rows_of(0, 2**53) == IndexWindow(50, 60)
