"""Ventricular beats of other patients put among a patient's own, so that a shape is met in many surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import Labelled
from bench.classes.recordings import Classed, heights

Floats = NDArray[np.float64]

V: Final = 2
BEFORE_S: Final = 0.16
AFTER_S: Final = 0.55
RAIL: Final = 32000


@dataclass(frozen=True, slots=True)
class Donor:
    """A ventricular beat on each lead, a normal QRS of its patient being 1 high, both ends at 0."""

    patient: str
    fold: int
    rate_hz: float
    beat: Floats


def donors(sources: Sequence[Classed]) -> list[Donor]:
    """Every ventricular beat with a normal one after it that comes late enough."""
    return [donor for source in sources if (source.beats.classes == 0).any() for donor in _donors(source)]


def _donors(source: Classed) -> list[Donor]:
    hz, at, classes = source.record.rate_hz, source.beats.at, source.beats.classes
    mv = source.record.mv
    scale = np.maximum(heights(mv, source.beats, hz), 0.05)[:, None]
    found = []
    for i in np.flatnonzero(classes == V):
        if not 2 <= i < len(at) - 2 or classes[i + 1] != 0 or at[i] < hz or at[i + 1] - at[i] < 0.62 * hz:
            continue
        end = at[i] + int(min(AFTER_S * hz, at[i + 1] - at[i] - 0.2 * hz))
        part = mv[:, at[i] - int(BEFORE_S * hz) : end]
        line = np.linspace(0, 1, part.shape[1]) * (part[:, -1:] - part[:, :1]) + part[:, :1]
        found.append(Donor(source.patient, source.fold, hz, (part - line) / scale))
    return found


def with_foreign_beats(source: Classed, given: Sequence[Donor], rng: np.random.Generator) -> Classed:
    """The record with some normal beats replaced by donors' of the same fold, which come as early as they may.

    One donor's beat is put in some times over before another is drawn.
    """
    by_patient: dict[str, list[Donor]] = {}
    for donor in given:
        if donor.fold == source.fold:
            by_patient.setdefault(donor.patient, []).append(donor)
    names = sorted(by_patient)
    samples = source.record.samples.astype(np.float64)
    scale = heights(samples, source.beats, source.record.rate_hz)
    beats = Labelled(source.beats.at.copy(), source.beats.classes.copy())
    normal = source.beats.classes == 0
    i, times, gap = 5, 0, 1
    donor, sign = given[0], 1.0
    while i < len(normal) - 4 and names:
        if times <= 0:
            choice = by_patient[names[rng.integers(len(names))]]
            donor, sign = choice[rng.integers(len(choice))], float(rng.choice((1, 1, 1, -1)))
            times, gap = int(rng.integers(3, 25)), int(rng.integers(1, 25))
        i += 1 + int(rng.integers(0, gap))
        times -= 1
        if i < len(normal) - 4 and normal[i - 1 : i + 2].all():
            _replace(samples, source, beats, i, donor.rate_hz, sign * scale[:, None] * donor.beat, rng)
    whole = np.clip(np.round(samples), -RAIL, RAIL).astype(np.int16)
    return replace(source, record=replace(source.record, samples=whole), beats=beats)


def _replace(
    samples: Floats, source: Classed, beats: Labelled, i: int, rate_hz: float, wave: Floats, rng: np.random.Generator
) -> None:
    """Take beat i out and put the wave in instead, somewhat sooner or hardly later."""
    hz, at = source.record.rate_hz, source.beats.at
    low = max(at[i - 1] + int(0.3 * hz), at[i] - int(0.26 * hz))
    high = min(at[i] + int(0.42 * hz), at[i + 1] - int(0.26 * hz))
    if high - low < 0.2 * hz or low >= at[i] - int(0.05 * hz):
        return
    share = rng.uniform(0.5, 1.0) if rng.random() < 0.85 else rng.uniform(1.0, 1.1)
    place = int(at[i - 1] + max(share * (at[i] - at[i - 1]), 0.34 * hz))
    size = int(wave.shape[1] * hz / rate_hz)
    first = place - int(BEFORE_S * hz)
    if first + size > samples.shape[1]:
        return
    slope = np.linspace(0, 1, high - low)
    samples[:, low:high] = (1 - slope) * samples[:, low : low + 1] + slope * samples[:, high - 1 : high]
    points = np.linspace(0, wave.shape[1] - 1, size)
    put = np.stack([np.interp(points, np.arange(wave.shape[1]), row) for row in wave])
    samples[:, first : first + size] += rng.uniform(0.8, 1.2) * put
    beats.at[i] = place
    beats.classes[i] = V
