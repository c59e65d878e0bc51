"""Supraventricular beats made of normal ones: the pause before a beat is cut, its P wave changed or hidden in the T."""

# Single beats, pairs, runs with a sudden beginning, bigeminy, trigeminy; and what is none of these and looks like it:
# atrial fibrillation (uneven intervals, no P waves, a fibrillating baseline) and a sinus rate that comes and goes.

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import Labelled
from bench.accuracy.records import Record
from bench.classes.recordings import Classed, heights

Floats = NDArray[np.float64]

S: Final = 1
KEPT: Final = 0
CHANGED: Final = 1
GONE: Final = 2
"""What becomes of a P wave."""
FIRST: Final = 2
BEFORE_R_S: Final = 0.26
SHORTEST_S: Final = 0.30
KINDS: Final = ("one", "one", "one", "two", "run", "run", "bigeminy", "trigeminy", "mostly", "fibrillation", "rate")
RAIL: Final = 32000


@dataclass(slots=True)
class Plan:
    """For each beat the interval before it in samples, its class, what becomes of its P wave and by which factor."""

    rr: Floats
    classes: NDArray[np.int64]
    normal: NDArray[np.bool_]
    rng: np.random.Generator
    p: NDArray[np.int64] = field(init=False)
    gain: Floats = field(init=False)
    base: float = 0.0

    def __post_init__(self) -> None:
        self.p = np.zeros(len(self.rr), np.int64)
        self.gain = np.ones(len(self.rr))

    def free(self, first: int, last: int) -> bool:
        """Whether beats [first, last] and their neighbours are normal."""
        return last < len(self.rr) - 2 and bool(self.normal[first - 1 : last + 2].all())

    def early(self, beat: int, share: float, gain: float | None) -> None:
        """Make a beat come at a share of the usual interval, its P wave changed by `gain`."""
        self.rr[beat] = share * self.base
        self.classes[beat] = S
        if gain is not None:
            self.p[beat], self.gain[beat] = CHANGED, gain

    def late(self, beat: int) -> None:
        self.rr[beat] = self.base * self.rng.uniform(0.98, 1.4)


def with_early_beats(source: Classed, rng: np.random.Generator) -> Classed:
    """The record with many of its normal beats made early."""
    hz = source.record.rate_hz
    beats = Labelled(source.beats.at[FIRST:], source.beats.classes[FIRST:])
    plan = _planned(beats, hz, rng)
    samples, at = _rebuilt(source.record.samples.astype(np.float64), beats.at, plan, hz)
    made = Labelled(at, plan.classes[: len(at)])
    _add_fibrillation(samples, made, plan.p[: len(at)] == GONE, hz, rng)
    whole = np.clip(np.round(samples), -RAIL, RAIL).astype(np.int16)
    return replace(source, record=_with(source.record, whole), beats=made, left_out=())


def _with(record: Record, samples: NDArray[np.int16]) -> Record:
    return replace(record, samples=samples)


def _planned(beats: Labelled, hz: float, rng: np.random.Generator) -> Plan:
    rr = np.diff(beats.at, prepend=beats.at[0] - int(0.8 * hz)).astype(np.float64)
    plan = Plan(rr.copy(), beats.classes.copy(), beats.classes == 0, rng)
    i = 4
    while i < len(rr) - 4:
        i += int(rng.integers(2, 18))
        if i >= len(rr) - 4:
            break
        plan.base = float(np.median(rr[max(1, i - 8) : i + 1]))
        i = _happen(plan, str(rng.choice(KINDS)), i, hz)
    plan.rr = np.maximum(plan.rr, SHORTEST_S * hz)
    return plan


def _happen(plan: Plan, kind: str, i: int, hz: float) -> int:
    """Let something begin at beat i; returns the beat after it."""
    if kind in {"one", "two", "run"}:
        return _run(plan, kind, i)
    if kind in {"bigeminy", "trigeminy", "mostly"}:
        return _pattern(plan, kind, i)
    return _fibrillation(plan, i, hz) if kind == "fibrillation" else _rate(plan, i)


def _run(plan: Plan, kind: str, i: int) -> int:
    rng = plan.rng
    count = int(rng.integers(3, 40)) if kind == "run" else ("one", "two").index(kind) + 1
    if not plan.free(i, i + count):
        return i
    share = rng.uniform(0.42, 0.82) if kind == "run" else rng.uniform(0.45, 0.88)
    gain = rng.uniform(-1, 1.3) if rng.random() < 0.8 else None
    jitter = rng.choice((0.01, 0.03, 0.08))
    for beat in range(i, i + count):
        plan.early(beat, share * (1 + jitter * rng.normal()), gain)
    plan.late(i + count)
    return i + count


def _pattern(plan: Plan, kind: str, i: int) -> int:
    """Early beats by ones or in short runs, with one or two normal ones between, over and over."""
    rng = plan.rng
    share, gain = rng.uniform(0.5, 0.85), rng.uniform(-1, 1.2)
    for _ in range(int(rng.integers(3, 20))):
        count = int(rng.integers(1, 6)) if kind == "mostly" else 1
        if not plan.free(i, i + count):
            break
        for beat in range(i, i + count):
            plan.early(beat, share * (1 + 0.03 * rng.normal()), gain)
        plan.late(i + count)
        i += count + {"bigeminy": 1, "trigeminy": 2}.get(kind, int(rng.integers(1, 3)))
    return i


def _fibrillation(plan: Plan, i: int, hz: float) -> int:
    rng = plan.rng
    count = int(rng.integers(30, 100))
    if not plan.free(i, i + count):
        return i
    usual = plan.base * rng.uniform(0.6, 1.1)
    drawn = usual * np.exp(rng.uniform(0.12, 0.28) * rng.normal(size=count))
    plan.rr[i : i + count] = np.clip(drawn, 0.32 * hz, 2.0 * hz)
    plan.p[i : i + count] = GONE
    return i + count


def _rate(plan: Plan, i: int) -> int:
    count = int(plan.rng.integers(20, 80))
    if not plan.free(i, i + count):
        return i
    swing = (plan.rng.uniform(0.6, 1.3) - 1) * np.sin(np.pi * np.linspace(0, 1, count))
    plan.rr[i : i + count] *= 1 + swing
    return i + count


def _rebuilt(samples: Floats, at: NDArray[np.int64], plan: Plan, hz: float) -> tuple[Floats, NDArray[np.int64]]:
    """Put the beats together at the planned intervals; each reaches from before its P wave to the next one's.

    What a shorter interval cuts off a beat's T wave is added to the next beat's beginning.
    """
    old = np.diff(at, prepend=at[0] - int(0.8 * hz))
    before = np.minimum(BEFORE_R_S * hz, 0.45 * old).astype(np.int64)
    parts = [samples[:, : at[0] - before[0]]]
    places, end = [], parts[0].shape[1]
    left = np.zeros((len(samples), 0))
    for i in range(len(at) - 1):
        part = samples[:, at[i] - before[i] : at[i + 1] - before[i + 1]].copy()
        if plan.p[i] != KEPT:
            _change_p(part, max(2, int(before[i] - 0.045 * hz)), plan.gain[i] if plan.p[i] == CHANGED else 0.0)
        wanted = max(int(plan.rr[i + 1] - before[i + 1] + before[i]), int(0.25 * hz))
        part, cut = _fitted(part, wanted, int(before[i] + 0.45 * hz))
        over = min(left.shape[1], part.shape[1])
        part[:, :over] += left[:, :over]
        places.append(end + before[i])
        end += part.shape[1]
        left = cut
        parts.append(part)
    return np.concatenate(parts, axis=1), np.array(places, np.int64)


def _change_p(part: Floats, until: int, gain: float) -> None:
    until = min(until, part.shape[1] - 1)
    line = np.linspace(0, 1, until) * (part[:, until : until + 1] - part[:, :1]) + part[:, :1]
    part[:, :until] = line + gain * (part[:, :until] - line)


def _fitted(part: Floats, wanted: int, after_t: int) -> tuple[Floats, Floats]:
    """A beat of another length: cut, with what was cut off and ends at 0, or stretched after its T wave."""
    size = part.shape[1]
    if wanted < size:
        return part[:, :wanted].copy(), part[:, wanted:] - part[:, -1:]
    begin = min(size - 3, after_t, size // 2 + after_t // 2)
    places = np.linspace(begin, size - 1, wanted - begin)
    tail = np.stack([np.interp(places, np.arange(size), row) for row in part])
    return np.concatenate([part[:, :begin], tail], axis=1), np.zeros((len(part), 0))


def _add_fibrillation(
    samples: Floats, beats: Labelled, where: NDArray[np.bool_], hz: float, rng: np.random.Generator
) -> None:
    count = samples.shape[1]
    there = np.zeros(count)
    for at in beats.at[where]:
        there[max(0, at - int(0.3 * hz)) : at + int(0.8 * hz)] = 1
    knots = np.arange(0, count / hz + 1, 0.7)
    rate = rng.uniform(4.5, 8) + 0.8 * np.interp(np.arange(count) / hz, knots, rng.normal(size=len(knots)))
    phase = 2 * np.pi * np.cumsum(rate) / hz
    for lead, height in enumerate(heights(samples, beats, hz)):
        samples[lead] += there * height * rng.uniform(0, 0.12) * np.sin(phase + lead)
