"""More shapes than 35 patients have: other leads, other sizes and durations, P, QRS and T of different patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.state import BEFORE, MEASURED, SPAN

Floats = NDArray[np.float64]
Random = np.random.Generator
POINTS: Final = np.arange(SPAN)


@dataclass(slots=True)
class Beats:
    """Windows (n, 3, SPAN), RR in points, likeness of P, true marks (n, 8) in points, weights."""

    windows: Floats
    rr: Floats
    p_like: Floats
    marks: Floats
    weights: Floats


def join(parts: list[Beats]) -> Beats:
    names = ("windows", "rr", "p_like", "marks", "weights")
    return Beats(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def mix(leads: Floats, count: int, rate_hz: float, rng: Random) -> Floats:
    """`count` new leads: a lead or a mixture of both, of either sign, any size, some with noise, wander or hum."""
    size = np.percentile(abs(leads - np.median(leads, axis=1, keepdims=True)), 98, axis=1)
    t = np.arange(leads.shape[1]) / rate_hz
    made = []
    for number in range(count):
        if rng.random() < 0.4:
            lead = leads[rng.integers(2)] / size.max()
        else:
            angle = rng.uniform(0, 2 * np.pi)
            lead = np.cos(angle) * leads[0] / size[0] + np.sin(angle) * leads[1] / size[1]
        lead = lead * rng.choice([-1, 1]) * 10 ** rng.uniform(2.3, 3.0)
        lead = lead * (1.0 if number == 0 else 10 ** rng.uniform(-0.7, 0.5))
        top = np.percentile(abs(lead), 98)
        if rng.random() < 0.5:
            lead = lead + rng.normal(0, 1, t.size) * top * 10 ** rng.uniform(-2.3, -1.2)
        if rng.random() < 0.4:
            wander = np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * t + rng.uniform(0, 6))
            lead = lead + top * rng.uniform(0, 0.3) * wander
        if rng.random() < 0.12:
            hum = np.sin(2 * np.pi * rng.choice([50, 60]) * t + rng.uniform(0, 6))
            lead = lead + top * 0.02 * rng.random() * hum
        made.append(lead)
    return np.array(made)


def vary(beats: Beats, rng: Random) -> Beats:
    """Each beat once more: some stretched in time, some with P smaller, larger or erased, some smoothed."""
    new = Beats(*(np.array(getattr(beats, n), float) for n in ("windows", "rr", "p_like", "marks", "weights")))
    for b in range(len(new.rr)):
        used = [k for k in range(MEASURED) if new.windows[b, k].any()]
        if rng.random() < 0.5:
            _stretch(new, b, used, rng.uniform(0.85, 1.2))
        if rng.random() < 0.3 and np.isfinite(new.marks[b, [0, 2, 3]]).all():
            _scale_p(new, b, used, rng)
        if rng.random() < 0.25:
            width = int(rng.choice([3, 5]))
            for k in used:
                padded = np.pad(new.windows[b, k], width // 2, "edge")
                new.windows[b, k] = np.convolve(padded, np.ones(width) / width, "valid")
    return new


def _stretch(beats: Beats, b: int, used: list[int], factor: float) -> None:
    for k in used:
        beats.windows[b, k] = np.interp(BEFORE + (POINTS - BEFORE) / factor, POINTS, beats.windows[b, k])
    beats.marks[b] = _inside(BEFORE + (beats.marks[b] - BEFORE) * factor)
    beats.rr[b] *= factor


def _inside(marks: Floats) -> Floats:
    return np.where((marks < 6) | (marks > SPAN - 4), np.nan, marks)


def _scale_p(beats: Beats, b: int, used: list[int], rng: Random) -> None:
    """P larger or smaller against the line through its ends; or gone, with or without fibrillation in its place."""
    low = int(max(1, beats.marks[b, 0] - 3))
    high = int(min(beats.marks[b, 2] + 3, beats.marks[b, 3] - 2))
    if high - low <= 8:
        return
    erased = rng.random() < 0.4
    factor = 0.0 if erased else rng.uniform(0.3, 1.3)
    first = beats.windows[b, used[0]]
    top = np.percentile(abs(first - np.median(first)), 97)
    for k in used:
        part = beats.windows[b, k, low : high + 1]
        line = np.linspace(part[0], part[-1], part.size)
        beats.windows[b, k, low : high + 1] = line + factor * (part - line)
    if erased:
        beats.marks[b, 0:3] = np.nan
        beats.p_like[b] = rng.uniform(-0.3, 0.5)
        wave = _fibrillation(rng) * top * rng.choice([0, 0.02, 0.05, 0.1])
        for k in used:
            beats.windows[b, k] += wave * rng.random() * rng.choice([-1, 1])


def _fibrillation(rng: Random) -> Floats:
    """Waves of 4 to 9 Hz whose rate drifts, with an overtone."""
    t = POINTS / 250.0
    start = rng.uniform(0, 6.28)
    phase = 2 * np.pi * rng.uniform(4, 9) * t + start
    return np.asarray(np.sin(phase + 0.6 * np.sin(2 * np.pi * 1.1 * t + 3 * start)) + 0.4 * np.sin(2 * phase))


def recombine(beats: Beats, count: int, rng: Random) -> Beats:
    """New beats: P of one, QRS of another, T of a third, P's and T's of about the same rate, joined level to level."""
    known = np.where(np.isfinite(beats.marks[:, 3:5]).all(1))[0]
    by_rate = known[np.argsort(beats.rr[known] * np.exp(rng.normal(0, 0.08, len(known))))]
    leads = beats.windows.any(2).sum(1)
    made = []
    for _ in range(count):
        place = rng.integers(len(by_rate))
        near = len(by_rate) // 12
        other = np.clip(place + rng.integers(-near, near + 1), 0, len(by_rate) - 1)
        made.append(_recombined(beats, leads, by_rate[other], rng.choice(known), by_rate[place], rng))
    return join(made)


def _recombined(beats: Beats, leads: NDArray[np.int64], p: int, qrs: int, t: int, rng: Random) -> Beats:
    t_factor, p_factor = np.exp(rng.uniform(-0.25, 0.25)), np.exp(rng.uniform(-0.2, 0.2))
    on, off = (round(mark) for mark in beats.marks[qrs, 3:5])
    p_on, t_off = round(beats.marks[p, 3]), round(beats.marks[t, 4])
    window = np.zeros((MEASURED, SPAN))
    for k in range(min(leads[p], leads[qrs], leads[t])):
        middle = beats.windows[qrs, rng.integers(leads[qrs])] * 10 ** rng.uniform(-0.25, 0.25)
        after = beats.windows[t, rng.integers(leads[t])] * rng.choice([-1, 1])
        before = beats.windows[p, rng.integers(leads[p])] * rng.choice([-1, 1])
        after = after * _size(middle) / _size(after) * 10 ** rng.uniform(-0.3, 0.2)
        before = before * _size(middle) / _size(before) * 10 ** rng.uniform(-0.3, 0.2)
        tail = np.interp(t_off + (POINTS[off:] - off) / t_factor, POINTS, after)
        head = np.interp(p_on + (POINTS[: on + 1] - on) / p_factor, POINTS, before)
        window[k] = middle
        window[k, off:] = tail - tail[0] + middle[off]
        window[k, : on + 1] = head - head[-1] + middle[on]
    marks = beats.marks[qrs].copy()
    marks[0:3] = on + (beats.marks[p, 0:3] - p_on) * p_factor
    marks[5:8] = off + (beats.marks[t, 5:8] - t_off) * t_factor
    rr = beats.rr[t] * np.exp(rng.normal(0, 0.1)) * np.sqrt(t_factor)
    one = np.ones(1)
    return Beats(window[None], one * rr, one * beats.p_like[p], _inside(marks)[None], one)


def _size(lead: Floats) -> float:
    return float(np.percentile(abs(lead - np.median(lead)), 97)) + 20.0
