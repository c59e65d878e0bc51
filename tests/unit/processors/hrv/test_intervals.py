"""NN intervals are those between normal beats that follow each other, and no others."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from processors.hrv.intervals import nn_series
from tests.unit.processors.hrv.series import START_US, beats, modulated


def test_every_interval_of_normal_beats_counts() -> None:
    nn = nn_series([beats([800, 810, 790])])
    assert nn.interval_ms.tolist() == [800, 810, 790]
    assert (nn.end_s - START_US / 1e6).tolist() == pytest.approx([0.8, 1.61, 2.4], abs=1e-5)
    assert nn.pairs.all()


@pytest.mark.parametrize("letter", "SVFQ")
def test_a_beat_that_is_not_normal_takes_both_its_intervals_away(letter: str) -> None:
    nn = nn_series([beats([800, 801, 500, 1100, 802, 803], f"NNN{letter}NNN")])
    assert nn.interval_ms.tolist() == [800, 801, 802, 803]
    assert nn.pairs.tolist() == [True, False, True]


def test_no_interval_reaches_across_a_gap() -> None:
    whole = beats([800, 801, 5000, 802])
    nn = nn_series([replace(whole, rr_ms=[None, 800, 801, None, 802])])
    assert nn.interval_ms.tolist() == [800, 801, 802]
    assert nn.pairs.tolist() == [True, False]


def test_an_interval_whose_first_beat_was_not_stored_is_none() -> None:
    whole = beats([800, 801, 802, 803])
    missing = replace(whole, at_us=[*whole.at_us[:2], *whole.at_us[3:]], classes="NNNN", rr_ms=[None, 800, 802, 803])
    assert nn_series([missing]).interval_ms.tolist() == [800, 803]


def test_an_early_beat_that_was_taken_for_a_normal_one_goes_with_its_pause() -> None:
    nn = nn_series([beats([*[800] * 9, 500, 1100, *[801] * 9])])
    assert nn.interval_ms.tolist() == [800] * 9 + [801] * 9
    assert nn.pairs.tolist() == [True] * 8 + [False] + [True] * 8


def test_a_beat_that_was_missed_leaves_no_long_interval() -> None:
    assert max(nn_series([beats([*[800] * 9, 1600, *[800] * 9])]).interval_ms) == 800


def test_breathing_that_moves_the_heart_by_an_eighth_is_left_alone() -> None:
    swinging = modulated(0.1, 100)
    assert nn_series([beats(swinging)]).interval_ms.tolist() == swinging


def test_moments_add_up_exactly_whatever_the_positions_were_rounded_to() -> None:
    exact = beats([803.3, 797.7, 801.1])
    coarse = replace(exact, at_us=[round(at / 10_000) * 10_000 for at in exact.at_us])  # a device of 100 Hz
    nn = nn_series([coarse])
    assert nn.interval_ms.tolist() == [803.3, 797.7, 801.1]
    assert np.diff(nn.end_s) * 1000 == pytest.approx([797.7, 801.1], abs=1e-3)


def test_recordings_one_after_the_other_are_one_series() -> None:
    nn = nn_series([beats([810, 820], from_s=10), beats([800, 801])])
    assert nn.interval_ms.tolist() == [800, 801, 810, 820]
    assert nn.pairs.tolist() == [True, False, True]


def test_of_two_recordings_at_once_the_fuller_one_counts() -> None:
    assert nn_series([beats([700] * 3, from_s=1), beats([800] * 9)]).interval_ms.tolist() == [800] * 9


def test_the_heart_of_another_is_not_mixed_in() -> None:
    other = beats([700] * 3, user=UUID(int=9), from_s=60)
    assert nn_series([other, beats([800] * 9)]).interval_ms.tolist() == [800] * 9


def test_one_beat_has_no_interval() -> None:
    nn = nn_series([beats([])])
    assert (nn.interval_ms.size, nn.total_ms) == (0, 0)
