"""A small recurrent network that hears the intervals one by one and says how surely the atria fibrillate."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.atrial_weights import INNER, LAST, OFFSETS, OUTER
from processors.ecg.kernel import Record, inlined_kernel, kernel
from processors.ecg.state import ATRIAL_INPUTS, ATRIAL_RR, ATRIAL_UNITS

LONGEST_RR_MS: Final = 3000.0
"""A longer interval is a pause or a beat not found; it says nothing of the atria."""
AVERAGED: Final = 16
MOST_CHANGE: Final = 1.0
ALIKE: Final = 0.025
NEARLY_ALIKE: Final = 0.08
PATTERN: Final = 0.05
"""Shares of the mean interval within which two intervals are alike."""
NEAREST_OF: Final = 8
FARTHEST: Final = 0.3
STEPS: Final = 32767.0
"""What the network remembers lies between -1 and 1 and is kept in whole numbers."""


@kernel
def p_code(p_like: float) -> int:
    """Likeness of P as atrial_p keeps it, in percent; 0 stands for not compared."""
    return round(100.0 * min(1.0, max(-1.0, p_like)))


@kernel
def forget(device: Record) -> None:
    """As before the first interval."""
    device.atrial_kept = 0
    device.atrial_score = 0.0
    device.atrial_memory[:] = 0


@kernel
def relative(rr: float, other: float) -> float:
    """How much longer than the other, nearly the logarithm of the ratio, between -1 and 1."""
    return min(MOST_CHANGE, max(-MOST_CHANGE, 2.0 * (rr - other) / (rr + other)))


@kernel
def describe(device: Record, rr: float, p_percent: int, has_p: bool, x: NDArray[Any]) -> None:
    """What the network is told of an interval in ms (under LONGEST_RR_MS) and its beat; then the interval is kept.

    The first nine say how it compares with the mean, the one before and the last 16, whatever the rate; the others
    are P evidence, all 0 when the beat's P was not compared with the average's.
    """
    kept = min(int(device.atrial_kept), ATRIAL_RR)
    mean = float(device.atrial_mean) if kept > 0 else rr
    before = float(device.atrial_rr[0]) if kept > 0 else rr
    away = relative(rr, mean)
    step = relative(rr, before)
    alike = 0
    nearly = 0
    pattern = 0
    nearest = FARTHEST
    per_mean = 1.0 / mean
    for j in range(kept):
        difference = abs(rr - device.atrial_rr[j]) * per_mean
        alike += difference < ALIKE
        nearly += difference < NEARLY_ALIKE
        if j < NEAREST_OF:
            nearest = min(nearest, difference)
        if 0 < j < kept - 1 and difference < PATTERN:
            pattern += abs(before - device.atrial_rr[j + 1]) < PATTERN * mean
    x[0] = 2.0 * away
    x[1] = 2.0 * step
    x[2] = 4.0 * min(0.5, abs(step))
    x[3] = 4.0 * min(0.5, abs(away))
    x[4] = 2.0 * alike / max(1, kept) - 0.5
    x[5] = 2.0 * nearly / max(1, kept) - 1.0
    x[6] = 2.0 * pattern / max(1, kept - 2) - 0.5
    x[7] = 10.0 * nearest
    x[8] = 4.0 * min(0.5, abs(rr - device.atrial_rr[1]) / mean) if kept > 1 else 0.0
    known = p_percent != 0
    x[9] = 0.02 * p_percent
    x[10] = (1.0 if has_p else -1.0) if known else 0.0
    x[11] = 1.0 if known else 0.0
    keep(device, rr, mean, kept)


@kernel
def keep(device: Record, rr: float, mean: float, kept: int) -> None:
    for j in range(min(kept, ATRIAL_RR - 1), 0, -1):
        device.atrial_rr[j] = device.atrial_rr[j - 1]
    device.atrial_rr[0] = np.rint(rr)
    device.atrial_kept = min(int(device.atrial_kept) + 1, 255)
    device.atrial_mean = mean + (rr - mean) / min(kept + 1, AVERAGED)


@kernel
def add_product(x: NDArray[Any], matrix: NDArray[Any], rows: int, low: int, high: int, sums: NDArray[Any]) -> None:
    """Add x (rows,) times columns [low, high) of the matrix to the same places of `sums`; four rows at a time."""
    for i in range(0, rows, 4):
        a = x[i]
        b = x[i + 1]
        c = x[i + 2]
        d = x[i + 3]
        for k in range(low, high):
            sums[k] += (a * matrix[i, k] + b * matrix[i + 1, k]) + (c * matrix[i + 2, k] + d * matrix[i + 3, k])


@inlined_kernel
def advance(device: Record, work: Record) -> None:
    """A step of a gated recurrent unit (Cho et al. 2014); atrial_score becomes the log odds of fibrillation.

    Gates and states are squashed by x / (1 + |x|) and not by exponentials: they stay vectors, and the same bits
    everywhere. OUTER is (ATRIAL_INPUTS, 3 units), INNER (units, 3 units): columns are keep gates, reset gates, states.
    """
    sums = work.atrial_sums
    state = work.atrial_state[0]
    kept = work.atrial_state[1]
    sums[:] = OFFSETS
    add_product(work.atrial_inputs, OUTER, ATRIAL_INPUTS, 0, 3 * ATRIAL_UNITS, sums)
    for i in range(ATRIAL_UNITS):
        state[i] = device.atrial_memory[i] * np.float32(1.0 / STEPS)
    add_product(state, INNER, ATRIAL_UNITS, 0, 2 * ATRIAL_UNITS, sums)
    half = np.float32(0.5)
    one = np.float32(1.0)
    for k in range(2 * ATRIAL_UNITS):
        sums[k] = half + half * sums[k] / (one + abs(sums[k]))
    for i in range(ATRIAL_UNITS):
        kept[i] = state[i] * sums[ATRIAL_UNITS + i]
    add_product(kept, INNER, ATRIAL_UNITS, 2 * ATRIAL_UNITS, 3 * ATRIAL_UNITS, sums)
    score = LAST[ATRIAL_UNITS]
    for k in range(ATRIAL_UNITS):
        wanted = sums[2 * ATRIAL_UNITS + k]
        wanted /= one + abs(wanted)
        value = wanted + sums[k] * (state[k] - wanted)
        device.atrial_memory[k] = np.rint(value * np.float32(STEPS))
        score += value * LAST[k]
    device.atrial_score = score
