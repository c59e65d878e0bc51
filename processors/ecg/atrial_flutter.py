"""Flutter told from fibrillation by its ventricular intervals: they are multiples of one atrial period."""

from __future__ import annotations

from math import isnan
from typing import Final

import numpy as np

from processors.ecg.atrial_network import LONGEST_RR_MS
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEAT_MASK, CLASS_V

BEATS_BACK: Final = 24
FEWEST: Final = 16
PERIODS: Final = 24
PER_MS: Final = (1.0 / (170.0 + 4.0 * np.arange(PERIODS))).astype(np.float32)
"""Atrial periods tried: 170 to 262 ms, 229 to 353 waves a minute."""
LEAST_SPREAD: Final = 0.06
"""Even intervals are multiples of anything; they are no evidence."""


@kernel
def speaks(device: Record, at: int) -> bool:
    """Whether the interval before beat number `at` is one of the atria's: no gap, no pause, no ventricular beat."""
    rr = device.beat_rr[at & BEAT_MASK]
    own = device.beat_class[at & BEAT_MASK]
    before = device.beat_class[(at - 1) & BEAT_MASK]
    if own == CLASS_V or before == CLASS_V:  # noqa: PLR1714 - numba has no `in` for mixed widths
        return False
    return not isnan(rr) and rr < LONGEST_RR_MS


@kernel
def comb(device: Record, at: int, work: Record) -> float:
    """How well the last 24 intervals up to beat number `at` fit multiples of one period: 1 always, 0 by chance.

    The mean of a triangular wave of the interval over the period, 1 at whole multiples and -1 between them, for the
    period that fits best. Fibrillation reaches 0.2 (the best of 24 periods), 0.35 in a tenth of its time.
    """
    teeth = work.atrial_sums
    teeth[:PERIODS] = 0.0
    used = 0
    total = 0.0
    squares = 0.0
    one = np.float32(1.0)
    four = np.float32(4.0)
    for j in range(min(at, BEATS_BACK)):
        if not speaks(device, at - j):
            continue
        rr = device.beat_rr[(at - j) & BEAT_MASK]
        used += 1
        total += rr
        squares += rr * rr
        for k in range(PERIODS):
            multiple = rr * PER_MS[k]
            teeth[k] += one - four * abs(multiple - np.rint(multiple))
    if used < FEWEST or squares * used - total * total < (LEAST_SPREAD * total) ** 2:
        return 0.0
    best = teeth[0]
    for k in range(PERIODS):
        best = max(best, teeth[k])
    return float(best) / used
