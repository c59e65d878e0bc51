"""Where a wave begins, peaks and ends: every place is scored by a small trained network, the likeliest are taken."""

# One hidden layer of softsign units; the scores of a wave's boundaries are log-odds over its places and "no such wave".

from __future__ import annotations

from math import exp
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel

Samples = NDArray[Any]

ONE: Final = np.float32(1.0)
TAPS_AT_ONCE: Final = 4


@kernel
def score(work: Record, places: int, enter: Samples, start: Samples, leave: Samples, end: Samples) -> None:
    """Scores of `places` for each boundary: work.scores[b, j] = end[b] + sum over h of leave[h, b] · softsign(...)."""
    for h in range(start.size):
        hidden = work.hidden[h]
        for j in range(places):
            hidden[j] = start[h]
    for t in range(0, enter.shape[0], TAPS_AT_ONCE):
        gather(work, t, enter, places)
    for b in range(end.size):
        row = work.scores[b]
        for j in range(places):
            row[j] = end[b]
    for h in range(start.size):
        hidden = work.hidden[h]
        for j in range(places):
            hidden[j] = hidden[j] / (ONE + abs(hidden[j]))
        for b in range(end.size):
            weight = leave[h, b]
            row = work.scores[b]
            for j in range(places):
                row[j] += weight * hidden[j]


@kernel
def gather(work: Record, t: int, enter: Samples, places: int) -> None:
    """Add four weighted rows of inputs to every hidden unit; four at a time spares three of four passes over a unit."""
    first = work.inputs[t]
    second = work.inputs[t + 1]
    third = work.inputs[t + 2]
    fourth = work.inputs[t + 3]
    for h in range(enter.shape[1]):
        hidden = work.hidden[h]
        a = enter[t, h]
        b = enter[t + 1, h]
        c = enter[t + 2, h]
        d = enter[t + 3, h]
        for j in range(places):
            hidden[j] += a * first[j] + b * second[j] + c * third[j] + d * fourth[j]


@kernel
def settle(scores: Samples, low: int, high: int, at: int, reach: int) -> float:
    """Mean place about place `at` within [low, high), weighed by likelihood; in places, from 0."""
    total = 0.0
    moment = 0.0
    for j in range(max(low, at - reach), min(high, at + reach + 1)):
        weight = exp(float(scores[j] - scores[at]))
        total += weight
        moment += weight * j
    return moment / total


@kernel
def likeliest(scores: Samples, low: int, high: int) -> int:
    best = low
    for j in range(low, high):
        if scores[j] > scores[best]:
            best = j
    return best


@kernel
def missing(scores: Samples, possible: int) -> float:
    """Probability that the boundary is at no place (log-odds 0)."""
    top = np.float32(0.0)
    for j in range(possible):
        top = max(top, scores[j])
    total = exp(-float(top))
    none = total
    for j in range(possible):
        total += exp(float(scores[j] - top))
    return none / total


@kernel
def place_three(work: Record, possible: int, first: int, last: int, gap: int) -> bool:
    """The likeliest peak with a boundary on both sides, at least `gap` places away; into work.chosen.

    `first` and `last` are the rows of scores of the boundary that lies at lower places and the one at higher ones.
    """
    if possible < 2 * gap + 1:
        return False
    ahead = possible - 1
    for j in range(possible - 1, gap - 1, -1):
        if work.scores[last, j] >= work.scores[last, ahead]:
            ahead = j
        work.ahead[j] = ahead
    nearer = 0
    best = -1.0e30
    for j in range(gap, possible - gap):
        if work.scores[first, j - gap] > work.scores[first, nearer]:
            nearer = j - gap
        farther = work.ahead[j + gap]
        value = float(work.scores[1, j] + work.scores[first, nearer] + work.scores[last, farther])
        if value > best:
            best = value
            work.chosen[first] = nearer
            work.chosen[1] = j
            work.chosen[last] = farther
    return True
