"""A played recording ends about now, and its device clock runs at the sample rate."""

from __future__ import annotations

import pytest

from ingest.pacing import Pace, check_speed, started_at_us
from schemas.errors import Malformed

NOW_US = 1_700_000_000_000_000


@pytest.mark.parametrize(("speed", "earlier_s"), [(1, 0), (0.5, 0), (20, 1710), (2, 900), (0, 1800)])
def test_a_faster_play_starts_earlier_by_what_it_saves(speed: float, earlier_s: int) -> None:
    assert started_at_us(NOW_US, 1800, speed) == NOW_US - earlier_s * 1_000_000


@pytest.mark.parametrize("speed", [1, 2, 20, 500])
def test_no_sample_is_ever_ahead_of_the_wall_clock(speed: float) -> None:
    start_us = started_at_us(NOW_US, 1800, speed)
    pace = Pace(0, 250, speed)
    for end_index in (1, 1000, 250 * 1800):
        due_us = NOW_US + pace.wait_s(end_index, 0) * 1e6
        assert start_us + end_index * 4000 <= due_us + 1


def test_what_never_ends_starts_now() -> None:
    assert started_at_us(NOW_US, None, 20) == NOW_US


def test_a_block_is_due_when_its_last_sample_would_be_acquired() -> None:
    assert Pace(10, 250, 2).wait_s(250, 10) == 0.5
    assert Pace(10, 250, 2).wait_s(250, 11) == 0
    assert Pace(10, 250, 0).wait_s(250, 10) == 0


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(Malformed, match="choose 1 for real time"):
        check_speed(speed)
