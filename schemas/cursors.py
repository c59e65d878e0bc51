"""Cursors: where a page of a list ended, as text that a client hands back without looking into it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from schemas.clock import to_datetime, to_us
from schemas.errors import Malformed

Kind = Literal["timestamptz", "uuid", "text", "bigint"]
"""The types, by their name in SQL, that a list may be sorted by."""

Value = datetime | UUID | str | int

MAX_CHARACTERS: Final = 4096
_INT64: Final = 2**63
_FIRST_US: Final = to_us(datetime.fromisoformat("0001-01-01T00:00:00+00:00"))
_LAST_US: Final = to_us(datetime.fromisoformat("9999-12-31T23:59:59+00:00"))


def encode(values: Sequence[Value]) -> str:
    """The cursor of the row with these sort keys."""
    told = json.dumps([_told(value) for value in values], separators=(",", ":"))
    return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def decode(cursor: str, kinds: Sequence[Kind]) -> list[Value]:
    """The sort keys in a cursor. Raises Malformed for what is none of a list sorted by such `kinds`.

    A cursor is no secret and needs no signature: it says where to go on, never what may be seen.
    """
    try:
        told = json.loads(urlsafe_b64decode(cursor.encode() + b"=="))
        if not isinstance(told, list) or len(told) != len(kinds):
            raise ValueError("not as many keys as the list is sorted by")
        return [_read(value, kind) for value, kind in zip(told, kinds, strict=True)]
    except (ValueError, TypeError, RecursionError):
        raise Malformed(
            "after: this is no cursor of this list; send the `next` of its last answer as it came, or leave it out"
        ) from None


def _told(value: Value) -> str | int:
    if isinstance(value, datetime):
        return to_us(value)
    return str(value) if isinstance(value, UUID) else value


def _read(value: object, kind: Kind) -> Value:
    if kind in ("timestamptz", "bigint"):
        if type(value) is not int or not -_INT64 <= value < _INT64:
            raise ValueError("no number of 64 bits")
        return _moment(value) if kind == "timestamptz" else value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("no text that a database keeps")
    value.encode()  # half a surrogate pair is no character
    return UUID(value) if kind == "uuid" else value


def _moment(at_us: int) -> datetime:
    if not _FIRST_US <= at_us <= _LAST_US:
        raise ValueError("no moment of this calendar")
    return to_datetime(at_us)
