from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wfdb.processing import compare_annotations

from bench.accuracy.matching import Pairs, pairs
from bench.accuracy.references import Positions

WINDOW = 54


def positions(*values: int) -> Positions:
    return np.array(values, np.int64)


def told(paired: Pairs) -> list[tuple[int, int]]:
    return list(zip(paired.reference.tolist(), paired.found.tolist(), strict=True))


gaps_beyond_two_windows = st.lists(st.integers(2 * WINDOW + 1, 500), min_size=1, max_size=30)
gaps = st.lists(st.integers(1, 300), min_size=1, max_size=12)
found_anywhere = st.lists(st.integers(1, 6000), min_size=1, max_size=40, unique=True).map(sorted)


@given(gaps_beyond_two_windows, found_anywhere)
def test_as_many_beats_are_found_as_wfdb_finds(between: list[int], found: list[int]) -> None:
    """wfdb counts what is nearer than its window, we what is not farther than ours."""
    reference = positions(*accumulate(between))
    theirs = compare_annotations(reference, positions(*found), WINDOW + 1)
    assert len(told(pairs(reference, positions(*found), WINDOW))) == theirs.tp


@given(gaps, gaps)
def test_nobody_is_paired_twice_or_beyond_the_window_or_out_of_order(beats: list[int], marks: list[int]) -> None:
    reference, found = positions(*accumulate(beats)), positions(*accumulate(marks))
    paired = pairs(reference, found, WINDOW)
    assert (np.diff(paired.reference) > 0).all()
    assert (np.diff(paired.found) > 0).all()
    assert (np.abs(reference[paired.reference] - found[paired.found]) <= WINDOW).all()


@pytest.mark.parametrize(
    ("reference", "found", "expected"),
    [
        ((100, 300), (154, 355), [(0, 0)]),  # 54 samples are within, 55 are not
        ((100,), (60, 101), [(0, 1)]),  # what follows is nearer
        ((100, 150), (140,), [(1, 0)]),  # the next beat is nearer
        ((100, 150), (90, 140), [(0, 0), (1, 1)]),
        ((), (5,), []),
        ((5,), (), []),
    ],
)
def test_the_nearer_partner_is_taken(
    reference: tuple[int, ...], found: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    assert told(pairs(positions(*reference), positions(*found), WINDOW)) == expected
