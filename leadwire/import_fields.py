"""Fields of the old system's JSON files, read as liberally as can be: nothing here raises for what a file says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from schemas import clock

_NUMBER: Final = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,15})?")
_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y", "%Y%m%d_%H%M%S", "%Y%m%d%H%M%S",
    "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y", "%d %B %Y", "%b %d, %Y %H:%M:%S", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
"""Tried in this order, so that 03/04/2024 is the third of April."""
_MILLISECONDS_FROM: Final = 1e11
"""A count since 1970 from here on is of milliseconds: as seconds it would be the year 5138."""


@dataclass(slots=True)
class Entry:
    """One object of a file, by normalized key, and what was found wrong with its fields.

    Keys are compared without case and punctuation (heart_rate, heartRate and "Heart Rate" are one), and those of an
    object within it count as its own, with and without the outer key before them.
    """

    values: Mapping[str, object]
    zone: tzinfo = UTC
    notes: list[str] = field(default_factory=list)

    def raw(self, *names: str) -> object:
        """The value of the first of these keys that has one."""
        for name in names:
            value = self.values.get(_normal(name))
            if value not in (None, "", [], {}):
                return value
        return None

    def text(self, limit: int, *names: str) -> str | None:
        """Printable text of at most `limit` characters; longer is cut, which is noted."""
        value = self.raw(*names)
        if value is None:
            return None
        if isinstance(value, dict | list | bool):
            self.notes.append(f"{names[0]} is no text and was left out")
            return None
        told = clean(str(value))
        if len(told) > limit:
            self.notes.append(f"{names[0]} was cut to {limit} characters")
        return told[:limit].strip() or None

    def whole(self, low: int, high: int, *names: str) -> int | None:
        """A whole number in [low, high], also out of "72 bpm"; another is left out, which is noted."""
        value = self.raw(*names)
        if value is None:
            return None
        number = _number(value)
        if number is None or not low <= number <= high:
            self.notes.append(
                f"{names[0]} {clean(repr(value))[:40]} is no number from {low} to {high} and was left out"
            )
            return None
        return round(number)

    def moment(self, *names: str) -> datetime | None:
        """A UTC moment out of the forms people write, without a zone of `zone`. Another is left out, and noted."""
        value = self.raw(*names)
        if value is None:
            return None
        found = moment_of(value, self.zone)
        if found is None:
            self.notes.append(f"{names[0]} {clean(repr(value))[:40]} is no moment from 1900 to 2199 and was left out")
        return found

    def flag(self, *names: str) -> bool | None:
        """Yes or no, in the words people use."""
        value = self.raw(*names)
        told = str(value).strip().lower()
        if told in ("true", "1", "1.0", "yes", "y", "active", "enabled"):
            return True
        return False if told in ("false", "0", "0.0", "no", "n", "inactive", "disabled") else None

    def choice(self, words: Mapping[str, str], *names: str) -> str | None:
        """One of ours for a word of theirs, compared without case and punctuation."""
        value = self.raw(*names)
        if value is None:
            return None
        found = words.get(_normal(str(value)))
        if found is None:
            self.notes.append(f"{names[0]} {clean(repr(value))[:40]} is not known here and was left out")
        return found


def entry_of(value: Mapping[object, object], zone: tzinfo = UTC) -> Entry:
    """The object as an Entry; what stands outside goes before what stands inside."""
    found: dict[str, object] = {}
    inside: list[tuple[str, Mapping[object, object]]] = []
    for key, one in value.items():
        name = _normal(str(key))
        if isinstance(one, Mapping):
            inside.append((name, one))
        else:
            found.setdefault(name, one)
    for outer, mapping in inside:
        for key, one in mapping.items():
            name = _normal(str(key))
            found.setdefault(outer + name, one)
            found.setdefault(name, one)
    return Entry(found, zone)


def clean(text: str) -> str:
    """Without control characters and half surrogate pairs, which PostgreSQL can't keep."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in whole if c.isprintable() or c in "\n\t")


def moment_of(value: object, zone: tzinfo) -> datetime | None:
    """A UTC moment of a number since 1970 (s or ms) or of text; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = _written(value.strip(), zone) if isinstance(value, str) else _counted(float(value))
        if found is None:
            return None
        moment = found.astimezone(UTC)
        return moment if clock.EARLIEST_US <= clock.to_us(moment) < clock.END_US else None
    except (ValueError, OverflowError, OSError):
        return None


def _counted(value: float) -> datetime | None:
    if not math.isfinite(value) or value == 0:
        return None
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    return datetime.fromtimestamp(seconds, UTC)


def _written(text: str, zone: tzinfo) -> datetime | None:
    if re.fullmatch(r"\d{9,13}(\.\d+)?", text):
        return _counted(float(text))
    found = _iso(text)
    for form in _FORMATS:
        if found is not None:
            break
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007  # its zone is given below
        except ValueError:
            continue
    if found is None:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _iso(text: str) -> datetime | None:
    if re.fullmatch(r"\d{14}|\d{8}_\d{6}", text):
        return None  # fromisoformat takes some of these for other forms
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e15 else None
    match = _NUMBER.search(value) if isinstance(value, str) else None
    return float(match[0]) if match else None


def _normal(key: str) -> str:
    return "".join(c for c in key.lower() if c.isalnum())
