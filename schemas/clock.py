"""UTC moments as microseconds since 1970, and as aware datetimes; the only place that reads the clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

EARLIEST_US: Final = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
END_US: Final = (datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Moments are taken in from [EARLIEST_US, END_US) only, so that to_datetime, time zones and sums never overflow."""


def now_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def now() -> datetime:
    return datetime.now(UTC)


def to_datetime(at_us: int) -> datetime:
    """Exact to the microsecond (no float in between)."""
    return _EPOCH + timedelta(microseconds=at_us)


def to_us(at: datetime) -> int:
    """Exact to the microsecond. Raises ValueError for a datetime without a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone; give it one, UTC for instance")
    return (at - _EPOCH) // _MICROSECOND


def index_to_us(index: int, rate_hz: float) -> int:
    """Microseconds from the start of a recording to the sample at `index`."""
    return round(index * 1_000_000 / rate_hz)
