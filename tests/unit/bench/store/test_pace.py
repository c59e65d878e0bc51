"""A lag that grows is told from one that is long now and then."""

from __future__ import annotations

import pytest

from bench.store.pace import Kept, pace


def test_an_even_lag_holds() -> None:
    found = pace([Kept(tick / 10, 0.05) for tick in range(600)])
    assert found.holds
    assert found.p50_ms == found.p99_ms == pytest.approx(50)


def test_a_lag_that_grows_does_not_hold() -> None:
    found = pace([Kept(tick / 10, tick / 100) for tick in range(600)])
    assert not found.holds
    assert found.slope_ms_per_s == pytest.approx(100, rel=0.01)


def test_a_single_long_wait_still_holds_and_is_told() -> None:
    found = pace([Kept(tick / 10, 2.0 if tick == 300 else 0.05) for tick in range(600)])
    assert found.holds
    assert found.max_ms == pytest.approx(2000)


def test_the_first_tenth_is_not_judged() -> None:
    found = pace([Kept(tick / 10, 9.0 if tick < 50 else 0.05) for tick in range(600)])
    assert found.max_ms == pytest.approx(50)


def test_too_few_ticks_tell_no_trend() -> None:
    with pytest.raises(ValueError, match="run for some seconds"):
        pace([Kept(0.1, 0.0)])
