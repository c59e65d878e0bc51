"""What a step told, by source and in the order it was stated: what an alarm watch looks at."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.alarm_intervals import Intervals
from processors.alarm_watch import SECOND_US, SETTLE_US, Second, Stated
from schemas import rhythms
from schemas.alarms import KIND_BY_NAME
from schemas.results import Results

_CLOSED: Final = 2


def marked(names: Iterable[str]) -> NDArray[np.bool_]:
    """True at the position of each of these labels; one more place for -1, which names none."""
    chosen = set(names)
    return np.array([label in chosen for label in rhythms.LABELS] + [False])


ALARMS: Final = marked(name for name, kind in KIND_BY_NAME.items() if kind.cause == "rhythm")


class _BySource:
    """Columns of a table as lists, the rows of a source together and in their order."""

    def __init__(self, table: NDArray[Any], sources: int, names: tuple[str, ...]) -> None:
        order = np.argsort(table["source"], kind="stable")
        self._starts = np.searchsorted(table["source"][order], np.arange(sources + 1)).tolist()
        self._columns = [table[name][order].tolist() for name in names]

    def of(self, number: int) -> list[tuple[Any, ...]]:
        """The rows of a source."""
        start, end = self._starts[number], self._starts[number + 1]
        return list(zip(*(column[start:end] for column in self._columns), strict=True)) if end > start else []


class Told:
    """The results of a step, taken apart once for all sources that must be looked at."""

    def __init__(self, results: Results) -> None:
        count, told = len(results.sources), results.episodes
        self._seconds = _BySource(results.metrics, count, ("window_start_us", "heart_rate_bpm", "quality", "rhythm"))
        self._stated = _BySource(
            told[ALARMS[told["rhythm"]]], count, ("rhythm", "state", "started_at_us", "ended_at_us", "confidence")
        )
        self._beats = _BySource(results.beats, count, ("at_us", "rr_ms"))

    def beats(self, number: int) -> list[tuple[int, float]]:
        """A source's beats as Intervals takes them."""
        return [(at_us, 0.0 if isnan(rr_ms) else rr_ms) for at_us, rr_ms in self._beats.of(number)]

    def in_order(self, number: int, intervals: Intervals, low_bpm: int) -> list[tuple[int, int, Second | Stated]]:
        """A source's seconds and episodes by when they were stated.

        Seconds are at their end. An episode row says so far as it knows: an opened one up to the second it was stated
        in. A closed one may have ended before it was stated, but is never older than the row stated before it.
        """
        rows: list[tuple[int, int, Second | Stated]] = [
            (end_us, 0, Second(start_us, rate, quality, _label(label), intervals.slow_bpm(end_us, low_bpm)))
            for start_us, rate, quality, label in self._seconds.of(number)
            for end_us in (start_us + SECOND_US,)
        ]
        newest_us = 0
        for rhythm, state, start, end, sure in self._stated.of(number):
            newest_us = max(newest_us, end)
            stated = Stated(rhythms.LABELS[rhythm], state == _CLOSED, start, end, sure)
            rows.append((newest_us, 1, stated))
        rows.sort(key=lambda row: row[:2])  # stable: what was stated first stays first
        return rows


def first_us(results: Results, number: int) -> int | None:
    """When the first thing told of a source began; None when nothing is told.

    The first beats are decided before the second they are in is given, which has begun by then.
    """
    seconds = results.metrics["window_start_us"][results.metrics["source"] == number]
    stated = results.episodes["started_at_us"][results.episodes["source"] == number]
    if seconds.size:
        return int(seconds[0])
    if stated.size:
        return int(stated[0])
    peaks = results.beats["at_us"][results.beats["source"] == number]
    return int(peaks[0]) - SETTLE_US if peaks.size else None


def _label(number: int) -> str | None:
    return rhythms.LABELS[number] if number >= 0 else None
