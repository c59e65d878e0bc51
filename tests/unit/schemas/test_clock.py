"""Moments are exact to the microsecond, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import clock


@given(st.integers(clock.EARLIEST_US, clock.END_US - 1))
def test_microseconds_survive_a_datetime(at_us: int) -> None:
    assert clock.to_us(clock.to_datetime(at_us)) == at_us


@given(st.datetimes(timezones=st.timezones(no_cache=True)))
def test_a_datetime_of_any_zone_is_the_same_moment(at: datetime) -> None:
    assert clock.to_us(at) == clock.to_us(at.astimezone(UTC))


def test_the_epoch_is_1970_utc() -> None:
    assert clock.to_datetime(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert clock.to_us(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone; give it one"):
        clock.to_us(datetime(2024, 1, 1))  # noqa: DTZ001  # what is refused


def test_what_is_taken_in_stays_clear_of_both_ends_of_datetime() -> None:
    assert [clock.to_datetime(us).year for us in (clock.EARLIEST_US, clock.END_US)] == [1900, 2200]


@given(index=st.integers(0, 2**40), rate=st.floats(100, 1000))
def test_an_index_is_within_half_a_microsecond_of_its_moment(index: int, rate: float) -> None:
    assert abs(clock.index_to_us(index, rate) - index * 1_000_000 / rate) <= 0.5


def test_now_is_one_clock_in_two_forms() -> None:
    before, between, after = clock.now_us(), clock.now(), clock.now_us()
    assert before <= clock.to_us(between) <= after
    assert between.tzinfo is UTC
