"""How each rhythm code of the annotators counts, second by second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.spans import Span
from processors.ecg.ventricular_odds import CHAOTIC, OTHER, WIDE_AND_FAST

MALIGNANT: Final = {"VT": WIDE_AND_FAST, "VFL": CHAOTIC, "VF": CHAOTIC, "VFIB": CHAOTIC}
"""What is to be found."""
UNTOLD: Final = frozenset({"HGEA", "VER", "IVR"})
"""High-grade ectopic activity holds runs that nobody marked; ventricular escape rhythm looks alike and is slow."""
NOISE_WEIGHT: Final = 0.3
"""The annotators' NOISE may hide anything, but is better not called fibrillation."""
BESIDE: Final = 2
"""Seconds from one that holds a change of rhythm on that teach nothing: the running means hold both."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of each second what it is (OTHER, WIDE_AND_FAST, CHAOTIC) and how much it counts; float32 weights."""

    kinds: NDArray[np.int64]
    weights: NDArray[np.float32]


def seconds_of(spans: Sequence[Span], count: int, rate_hz: float) -> Seconds:
    """The label most of each second bears; `count` seconds."""
    kinds = np.full(count, OTHER)
    weights = np.zeros(count, np.float32)
    for span in spans:
        begin, end = span.begin / rate_hz, span.end / rate_hz
        inside = slice(round(begin), round(end))
        kinds[inside] = MALIGNANT.get(span.label, OTHER)
        weights[inside] = 0.0 if span.label in UNTOLD else NOISE_WEIGHT if span.label == "NOISE" else 1.0
    for span in spans:
        at = int(span.begin / rate_hz)
        weights[at : at + BESIDE] = 0.0
    return Seconds(kinds, weights)


def all_other(count: int) -> Seconds:
    """A record without any ventricular arrhythmia."""
    weights = np.ones(count, np.float32)
    weights[:1] = 0.0
    return Seconds(np.full(count, OTHER), weights)
