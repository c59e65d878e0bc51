"""A moment is read the same however it is written, and a doubtful one is refused with the remedy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.moments import moment, period
from schemas import clock
from schemas.errors import Malformed

_MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # given one


@given(_MOMENTS, st.integers(-12, 14))
def test_iso_and_microseconds_agree(at: datetime, hours: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
    assert moment(elsewhere.isoformat()) == moment(str(clock.to_us(at))) == clock.to_us(at)


def test_a_plus_that_became_a_space_is_understood() -> None:
    assert moment("2026-01-31T12:00:00 02:00") == moment("2026-01-31T10:00:00Z")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("yesterday", "send 2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00", "end it with Z"),
        ("1769860800000000000", "send UTC microseconds"),
        ("1960-01-01T00:00:00Z", "between 1970 and 2100"),
    ],
)
def test_a_doubtful_moment_is_refused(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        moment(text)


def test_a_period_does_not_run_backwards() -> None:
    with pytest.raises(Malformed, match="send start first"):
        period(2, 1)
