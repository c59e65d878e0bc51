"""The reference engine's episodes: what the rate says, irregular intervals, pauses, an unreadable signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.episodes import CLOSED, OPENED, PAUSE_S, UPDATE_S, UPDATED
from processors.ecg.intervals import AVERAGED, LAST_BEAT_S, RATE_S
from processors.ecg.primary import RUNS
from processors.ecg.quality import UNREADABLE
from processors.ecg.reference_state import NONE, Held, Measured
from processors.ecg.rhythm import (
    BRADYCARDIA,
    FAST_BPM,
    IRREGULAR,
    NOISE,
    NORMAL,
    PAUSE,
    RATE_HYSTERESIS_BPM,
    SLOW_BPM,
    TACHYCARDIA,
)
from schemas.results import EPISODE_DTYPE

HISTORY_S: Final = 40.0
HISTORY: Final = 24
LEAST: Final = 4
UNEVEN_STEP: Final = 0.1
UNEVEN_SHARE: Final = 0.5
"""More than half of the steps from one interval to the next over a tenth: neither breathing nor a few early beats."""


@dataclass(frozen=True, slots=True)
class Second:
    """A second of the recording whose beats are decided: [first, end) of its samples, quality of its best lead."""

    number: int
    first: int
    end: int
    quality: float


def intervals(beats: list[Measured], end: int, longest: float, most: int) -> list[float]:
    """Intervals in ms that end before `end` and at most `longest` samples earlier, newest first."""
    known = [b.rr_ms for b in reversed(beats) if end - longest <= b.index < end and b.rr_ms is not None]
    return known[:most]


def mean_interval(held: Held, end: int) -> float | None:
    """Of the last 8 in 12 s without the shortest and the longest (from 5 on); None under 2, or 4 s after a beat."""
    before = [b.index for b in held.beats if b.index < end]
    rr = sorted(intervals(held.beats, end, RATE_S * held.rate_hz, AVERAGED))
    if len(rr) < 2 or end - before[-1] > LAST_BEAT_S * held.rate_hz:
        return None
    return float(np.mean(rr if len(rr) < 5 else rr[1:-1]))


def stated(held: Held) -> int:
    """The one label a metrics row shows."""
    if held.rhythm.label != NOISE and held.rhythm.pause_first != NONE:
        return PAUSE
    return held.rhythm.label


class Episodes:
    """Follows one recording's rhythm through a step; `rows` are added to as episodes open, go on and close."""

    def __init__(self, held: Held, source: int, rows: list[NDArray[Any]]) -> None:
        self._held = held
        self._source = source
        self._rows = rows

    def follow(self, second: Second) -> None:
        """Take in a second whose beats are decided."""
        rhythm = self._held.rhythm
        self._follow_pauses(second)
        rhythm.unreadable = rhythm.unreadable + 1 if second.quality < UNREADABLE else 0
        label = NOISE if rhythm.unreadable >= RUNS else self._judged(second)
        self._count(label, second)
        if rhythm.next_runs >= RUNS or (label == NOISE != rhythm.label):
            self._change(second)
        elif rhythm.label != NONE:
            rhythm.sure = self._certainty(second) if label == rhythm.label else rhythm.sure
            if second.number > rhythm.since and (second.number - rhythm.since) % UPDATE_S == 0:
                self._state(rhythm.label, UPDATED, rhythm.first, second.end, rhythm.sure)

    def close(self, end: int) -> None:
        """The recording ends: whatever is open ends there."""
        rhythm = self._held.rhythm
        if rhythm.pause_first != NONE:
            self._state(PAUSE, CLOSED, rhythm.pause_first, end, rhythm.sure)
        if rhythm.label != NONE:
            self._state(rhythm.label, CLOSED, rhythm.first, end, rhythm.sure)

    def _follow_pauses(self, second: Second) -> None:
        held, rhythm, sure = self._held, self._held.rhythm, 100.0 * second.quality
        beats = [b for b in held.beats if b.index < second.end]
        for beat in (b for b in beats if b.index > rhythm.seen):
            if rhythm.pause_first != NONE:
                self._state(PAUSE, CLOSED, rhythm.pause_first, beat.index, sure)
                rhythm.pause_first = NONE
            elif (beat.rr_ms or 0.0) > 1000.0 * PAUSE_S and rhythm.unreadable == 0:
                first = beat.index - round((beat.rr_ms or 0.0) * held.rate_hz / 1000.0)
                self._state(PAUSE, OPENED, first, beat.index, sure)
                self._state(PAUSE, CLOSED, first, beat.index, sure)
            rhythm.seen = beat.index
        last = beats[-1].index if beats else second.end
        waited = second.end - last > PAUSE_S * held.rate_hz and second.quality >= UNREADABLE
        if waited and rhythm.pause_first == NONE and not held.is_broken(last, second.end):
            rhythm.pause_first = last
            self._state(PAUSE, OPENED, last, second.end, sure)

    def _judged(self, second: Second) -> int:
        """The label the last intervals speak for; NONE when they are too few, or the second can't be read."""
        held = self._held
        rr = intervals(held.beats, second.end, HISTORY_S * held.rate_hz, HISTORY)
        mean = mean_interval(held, second.end)
        if held.rhythm.unreadable or len(rr) < LEAST or mean is None:
            return NONE
        steps = np.abs(np.diff(rr)) > UNEVEN_STEP * np.mean(rr)
        if len(rr) >= AVERAGED and steps.mean() > UNEVEN_SHARE:
            return IRREGULAR
        slow = SLOW_BPM + (RATE_HYSTERESIS_BPM if held.rhythm.label == BRADYCARDIA else 0.0)
        fast = FAST_BPM - (RATE_HYSTERESIS_BPM if held.rhythm.label == TACHYCARDIA else 0.0)
        rate = 60000.0 / mean
        if rate < slow:
            return BRADYCARDIA
        return TACHYCARDIA if rate > fast else NORMAL

    def _count(self, label: int, second: Second) -> None:
        """How long has another label than the one stated held."""
        rhythm = self._held.rhythm
        if label in (NONE, rhythm.label):
            rhythm.next_runs = 0
        elif label == rhythm.next_label and rhythm.next_runs > 0:
            rhythm.next_runs += 1
        else:
            before = [b.index for b in self._held.beats if b.index < second.end]
            rhythm.next_label, rhythm.next_runs = label, 1
            rhythm.next_first = second.first if label == NOISE or not before else before[-1]

    def _change(self, second: Second) -> None:
        rhythm = self._held.rhythm
        first = max(rhythm.next_first, rhythm.first + 1)
        if rhythm.label != NONE:
            self._state(rhythm.label, CLOSED, rhythm.first, first, rhythm.sure)
        rhythm.label, rhythm.first, rhythm.since, rhythm.next_runs = rhythm.next_label, first, second.number, 0
        rhythm.sure = self._certainty(second)
        self._state(rhythm.label, OPENED, first, second.end, rhythm.sure)

    def _certainty(self, second: Second) -> float:
        """0 to 100: the signal's quality times the distance from the label's limit."""
        label, mean = self._held.rhythm.label, mean_interval(self._held, second.end)
        if label == NOISE:
            return 100.0 * (1.0 - second.quality)
        if mean is None or label == IRREGULAR:
            return 60.0 * second.quality
        margin = min(abs(60000.0 / mean - SLOW_BPM), abs(60000.0 / mean - FAST_BPM)) / 10.0
        return 100.0 * second.quality * (0.6 + 0.4 * min(1.0, margin))

    def _state(self, label: int, state: int, first: int, end: int, sure: float) -> None:
        row = np.zeros((), EPISODE_DTYPE)
        clock = self._held.clock
        row["source"], row["rhythm"], row["state"], row["first_r_index"] = self._source, label, state, first
        row["started_at_us"] = clock.time_of(first)
        row["ended_at_us"] = max(int(row["started_at_us"]), clock.time_of(end))
        row["confidence"] = sure
        self._rows.append(row)
