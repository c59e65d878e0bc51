"""How fast the heart's vector moves: differences at three scales, squared and summed over the measured leads."""

# The spatial velocity needs no choice of lead or polarity: a wave begins where it leaves its quiet level and ends where
# it comes back to it. That is the classical basis of multi-lead delineation; the scales are those of wavelet
# delineators (Martinez et al. 2004), here plain averages of 4, 24 and 40 ms.

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEFORE, SPAN

Samples = NDArray[Any]

P_SCALE: Final = 6
T_SCALE: Final = 10
P_UNTIL: Final = BEFORE + 40
T_AFTER: Final = BEFORE - 40
HALF_MEAN: Final = 3
LEVEL_POINTS: Final = 5


@kernel
def add_up(window: Samples, sums: Samples) -> None:
    """Prefix sums, exact: sums[i] is the sum of the window's first i points."""
    total = np.int32(0)
    sums[0] = 0
    for i in range(SPAN):
        total += window[i]
        sums[i + 1] = total


@kernel
def add_fast(window: Samples, fast: Samples) -> None:
    for i in range(2, SPAN - 2):
        step = np.float32(window[i + 2] + 2 * window[i + 1] - 2 * window[i - 1] - window[i - 2])
        fast[i] += step * step


@kernel
def add_slow(sums: Samples, scale: int, low: int, high: int, out: Samples) -> None:
    """Squared difference of the means over `scale` points after and before."""
    for i in range(low, high):
        step = np.float32(sums[i + scale] - 2 * sums[i] + sums[i - scale])
        out[i] += step * step


@kernel
def find_velocities(work: Record, count: int) -> None:
    """Fill `fast`, `medium` and `slow` (squares) from the first `count` windows; ends are held."""
    work.fast[:] = 0.0
    work.medium[:] = 0.0
    work.slow[:] = 0.0
    for k in range(count):
        add_up(work.windows[k], work.sums_of[k])
        add_fast(work.windows[k], work.fast)
        add_slow(work.sums_of[k], P_SCALE, P_SCALE, P_UNTIL, work.medium)
        add_slow(work.sums_of[k], T_SCALE, T_AFTER, SPAN - T_SCALE + 1, work.slow)
    for i in range(2):
        work.fast[i] = work.fast[2]
        work.fast[SPAN - 1 - i] = work.fast[SPAN - 3]
    work.medium[:P_SCALE] = work.medium[P_SCALE]
    work.slow[SPAN - T_SCALE + 1 :] = work.slow[SPAN - T_SCALE]


@kernel
def find_heights(work: Record, count: int, onset: int, low: int, high: int) -> None:
    """Fill `height` in [low, high): squared distance of the leads' 28 ms means from their level before the QRS."""
    work.height[low:high] = 0.0
    first = max(low, HALF_MEAN)
    last = min(high, SPAN - HALF_MEAN)
    for k in range(count):
        sums = work.sums_of[k]
        end = max(onset - 1, LEVEL_POINTS + 1)
        level = np.float32((sums[end] - sums[end - LEVEL_POINTS]) / LEVEL_POINTS)
        share = np.float32(1.0 / (2 * HALF_MEAN + 1))
        for i in range(first, last):
            away = np.float32(sums[i + HALF_MEAN + 1] - sums[i - HALF_MEAN]) * share - level
            work.height[i] += away * away
    work.height[low:first] = work.height[first]
    work.height[last:high] = work.height[last - 1]


@kernel
def highest(values: Samples, low: int, high: int) -> float:
    best = np.float32(0.0)
    for i in range(low, high):
        best = max(best, values[i])
    return float(best)
