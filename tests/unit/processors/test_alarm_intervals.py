"""Two of the last three intervals tell of a slow heart, and no beat of a later second does."""

from __future__ import annotations

import pytest

from processors.alarm_intervals import Intervals

LOW = 40
LONG, SHORT = 2000.0, 800.0


def of(*rr_ms: float) -> Intervals:
    """A beat at each second."""
    return Intervals([(i * 1_000_000, rr) for i, rr in enumerate(rr_ms)])


@pytest.mark.parametrize(
    ("rr_ms", "bpm"),
    [
        ([], None), ([LONG], None), ([LONG, SHORT, SHORT], None), ([LONG, LONG], 30.0), ([SHORT, LONG, 3000.0], 30.0),
        ([LONG, LONG, SHORT], 30.0), ([1500.0, 1500.0, 1500.0], 40.0), ([1499.0] * 3, None), ([LONG, 0.0, LONG], 30.0),
    ],
)  # fmt: skip
def test_the_middle_one_of_three_tells(rr_ms: list[float], bpm: float | None) -> None:
    assert of(*rr_ms).slow_bpm(10_000_000, LOW) == bpm


def test_what_comes_later_says_nothing_yet() -> None:
    told = of(SHORT, SHORT, LONG, LONG)
    assert [told.slow_bpm(end * 1_000_000, LOW) for end in (3, 4)] == [None, 30.0]


def test_only_the_last_three_and_what_lies_ahead_are_kept_while_one_is_extreme() -> None:
    told = of(LONG, SHORT, SHORT, SHORT, LONG, SHORT)
    assert told.forget(5_000_000, LOW)
    assert len(told.beats) == 4
    assert not of(LONG, SHORT, SHORT, SHORT).forget(5_000_000, LOW)


def test_an_older_recording_begins_anew() -> None:
    told = of(SHORT, LONG, LONG)
    told.add([(1_000_000, SHORT)])
    assert told.beats == [(1_000_000, SHORT)]
