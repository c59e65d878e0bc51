"""Moments in a query: ISO 8601 with a time zone, or microseconds since 1970."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from schemas import clock
from schemas.errors import Malformed

LAST_US: Final = 4_102_444_800_000_000
"""2100-01-01: later moments are mistakes (nanoseconds, most often)."""
_SPACE_ZONE: Final = re.compile(r" (\d\d:?\d\d)$")
"""A `+` that was not percent-encoded arrives as a space."""


def moment(text: object) -> int:
    """Microseconds since 1970 UTC. Raises ValueError that says what to send."""
    at_us = int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else _from_iso(str(text))
    if not 0 <= at_us < LAST_US:
        raise ValueError("this moment is not between 1970 and 2100; send UTC microseconds or ISO 8601")
    return at_us


def _from_iso(text: str) -> int:
    try:
        at = datetime.fromisoformat(_SPACE_ZONE.sub(r"+\1", text))
    except ValueError:
        raise ValueError("this is no moment; send 2026-01-31T12:00:00Z or microseconds since 1970") from None
    if at.tzinfo is None:
        raise ValueError("this moment has no time zone; end it with Z for UTC, or with +01:00")
    return clock.to_us(at)


Moment = Annotated[
    int,
    BeforeValidator(moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": LAST_US - 1},
            ],
            "description": "ISO 8601 with a time zone, or microseconds since 1970-01-01 UTC",
            "examples": ["2026-01-31T12:00:00Z", 1_769_860_800_000_000],
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Period:
    """The moments [start_us, end_us)."""

    start_us: int
    end_us: int


ALL_TIME: Final = Period(0, LAST_US - 1)


def period(start_us: int, end_us: int) -> Period:
    """Raises Malformed for a period that ends before it starts."""
    if end_us < start_us:
        raise Malformed("the period ends before it starts; send start first, end after it")
    return Period(start_us, end_us)
