"""The first traits of a beat: when it came beside the beats before it, and of which kinds those were."""

from __future__ import annotations

from math import inf, isnan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEAT_MASK, KINDS, SPAN

COMMON: Final = 50
"""Traits that are the same for every lead."""
HISTORY: Final = 24
FEW: Final = 10
FIRST_RR_MS: Final = 800.0
EARLIER: Final = 0.97
RUN: Final = 0.88
"""A run of early beats goes on while they come this much before the usual time."""
NEAR: Final = 0.06
"""Intervals that differ less are the same, breathing aside."""
AFTER_T: Final = 188
"""The point of the window, 0.3 s after the middle, from which a next QRS is looked for."""
QRS_FROM: Final = 80
QRS_TO: Final = 140


@kernel
def clip(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))


@kernel
def ratio(a: float, b: float) -> float:
    """A / b, from 0 to 3; 1 where b is not positive."""
    return clip(a / b, 0.0, 3.0) if b > 0.0 else 1.0


@kernel
def gather_intervals(device: Record, work: Record) -> int:
    """The last intervals, the latest first, in work.intervals; returns how many there are."""
    count = 0
    for back in range(1, min(device.beats, HISTORY) + 1):
        value = device.beat_rr[(device.beats - back) & BEAT_MASK]
        if not isnan(value):
            work.intervals[count] = value
            count += 1
    for i in range(HISTORY):
        work.sorted[i] = work.intervals[i] if i < count else inf
    return count


@kernel
def find_quartiles(count: int, work: Record) -> None:
    """Put the lower quartile, the median and the upper quartile of the intervals in work.quartiles."""
    values = work.sorted
    work.quartiles[:] = FIRST_RR_MS
    low = count // 4
    middle = count // 2
    high = (3 * count) // 4
    for i in range(count):
        value = values[i]
        below = np.int32(0)
        until = np.int32(0)
        for j in range(HISTORY):
            below += np.int32(values[j] < value)
            until += np.int32(values[j] <= value)
        if below <= low < until:
            work.quartiles[0] = value
        if below <= middle < until:
            work.quartiles[1] = value
        if below <= high < until:
            work.quartiles[2] = value


@kernel
def describe_timing(device: Record, rr_ms: float, sure: float, quality: float, work: Record) -> float:
    """Fill the traits of intervals; returns how early the beat is: its interval over the one before."""
    x = work.traits[0]
    count = gather_intervals(device, work)
    find_quartiles(count, work)
    median = work.quartiles[1]
    known = not isnan(rr_ms)
    rr = rr_ms if known else median
    last = work.intervals[0] if count > 0 else median
    usual = device.rr_usual if device.rr_usual > 0.0 else median
    describe_ratios(device, rr, last, usual, median, count, work)
    describe_spread(rr if known else 0.0, count, usual, median, work)
    describe_evenness(rr, median, count, work)
    run = device.early_run + 1.0 if known and rr < RUN * usual else 0.0
    if run == 1.0:
        device.early_onset = ratio(rr, last)
    device.early_run = run
    x[17] = 1.0 if known else 0.0
    x[18] = sure
    x[19] = quality
    x[20] = clip(rr - last, -500.0, 500.0) / 500.0
    x[36] = min(1.0, run / 20.0)
    x[37] = device.early_onset if run > 0.0 else 1.0
    return float(x[0])


@kernel
def describe_ratios(device: Record, rr: float, last: float, usual: float, median: float, count: int,
                    work: Record) -> None:  # fmt: skip
    """The interval and those before it against the usual one and running means."""
    x = work.traits[0]
    second = work.intervals[1] if count > 1 else median
    third = work.intervals[2] if count > 2 else median
    short = device.rr_short if device.rr_short > 0.0 else median
    long = device.rr_long if device.rr_long > 0.0 else median
    x[0] = ratio(rr, last)
    x[1] = ratio(rr, median)
    x[4] = ratio(rr, usual)
    x[5] = ratio(rr, short)
    x[6] = ratio(rr, long)
    x[7] = ratio(last, usual)
    x[8] = ratio(second, usual)
    x[9] = ratio(last, second)
    x[10] = ratio(third, usual)
    x[12] = clip(rr / 1000.0, 0.2, 2.0)
    x[13] = clip(usual / 1000.0, 0.2, 2.0)
    x[40] = ratio(rr, second)
    x[42] = ratio(short, usual)


@kernel
def describe_spread(rr: float, count: int, usual: float, median: float, work: Record) -> None:
    """Where the interval stands among the last ones (0: it has none), and how closely those lie together."""
    x = work.traits[0]
    values = work.intervals
    low = work.quartiles[0]
    high = work.quartiles[2]
    below = 0.0
    near_usual = 0.0
    near_median = 0.0
    for i in range(count):
        below += 1.0 if values[i] < EARLIER * rr else 0.0
        near_usual += 1.0 if abs(values[i] - usual) < NEAR * usual else 0.0
        near_median += 1.0 if abs(values[i] - median) < NEAR * median else 0.0
    mine = rr if rr > 0.0 else median
    x[2] = ratio(mine, high)
    x[3] = ratio(mine, low)
    x[11] = below / count if count > 0 and rr > 0.0 else 0.5
    x[16] = (high - low) / max(1.0, median)
    x[27] = near_usual / count if count > 0 else 1.0
    x[30] = near_median / count if count > 0 else 1.0


@kernel
def describe_evenness(rr: float, median: float, count: int, work: Record) -> None:
    """How much intervals changed from beat to beat, over a few beats and over many; the shortest of the last 8."""
    x = work.traits[0]
    values = work.intervals
    changes = 0.0
    same = 0.0
    least = rr
    share = 1.0 / max(1.0, median)
    x[14] = 0.1
    x[15] = 0.5
    for i in range(count - 1):
        change = abs(values[i] - values[i + 1]) * share
        changes += min(1.0, change)
        same += 1.0 if change < NEAR else 0.0
        if i < 8:
            least = min(least, values[i])
        if i < FEW:
            x[14] = changes / (i + 1)
            x[15] = same / (i + 1)
    x[38] = changes / (count - 1) if count > 1 else 0.1
    x[39] = same / (count - 1) if count > 1 else 0.5
    x[43] = ratio(rr, least)


@kernel
def describe_next(work: Record) -> None:
    """Whether a QRS follows within the window, and when: the steepest place after the T wave, on the main lead."""
    x = work.traits[0]
    window = work.own
    own = 1
    for i in range(QRS_FROM, QRS_TO):
        own = max(own, abs(window[i + 4] - window[i]))
    steep = 0
    for i in range(AFTER_T, SPAN - 4):
        steep = max(steep, abs(window[i + 4] - window[i]))
    x[21] = clip(steep / own, 0.0, 2.0)
    x[22] = 1.2
    if steep > 0.5 * own:
        at = AFTER_T
        while abs(window[at + 4] - window[at]) < steep:
            at += 1
        x[22] = (at - AFTER_T) / 100.0


@kernel
def mean_of_last(device: Record, values: NDArray[Any]) -> float:
    """Mean of the last 8 beats' values, those not NaN; 0 when there is none."""
    total = 0.0
    count = 0.0
    for back in range(1, min(device.beats, 8) + 1):
        value = values[(device.beats - back) & BEAT_MASK]
        if not isnan(value):
            total += value
            count += 1.0
    return total / count if count > 0.0 else 0.0


@kernel
def describe_marks(device: Record, qrs_ms: float, pr_ms: float, alike: float, work: Record) -> None:
    """What delineation says: width, whether and where P was found, likeness to the running average."""
    x = work.traits[0]
    width = mean_of_last(device, device.beat_qrs)
    x[44] = 1.0 if isnan(qrs_ms) else qrs_ms / 100.0
    x[45] = 1.0 if isnan(qrs_ms) else ratio(qrs_ms, width)
    x[46] = 0.0 if isnan(pr_ms) else 1.0
    x[47] = 0.8 if isnan(pr_ms) else pr_ms / 200.0
    x[48] = work.p_like
    x[49] = alike


@kernel
def describe_kind(device: Record, found: int, work: Record) -> None:
    """How common the beat's kind is, how early such beats came, and of which kinds the last ones were."""
    x = work.traits[0]
    usual = device.kind_usual
    total = 0.0
    for c in range(KINDS):
        total += device.kind_counts[c]
    total = max(1.0, total)
    x[23] = 1.0 if found >= 0 and found == usual else 0.0
    x[24] = device.kind_counts[found] / total if found >= 0 else 0.0
    x[25] = device.kind_counts[usual] / total
    x[26] = device.kind_early[found] if found >= 0 else 1.0
    x[28] = min(1.0, device.kind_counts[found] / 10.0) if found >= 0 else 0.0
    x[29] = work.best_alike[usual]
    same = 0.0
    unusual = 0.0
    for back in range(1, min(device.beats, 8) + 1):
        kind = device.beat_kind[(device.beats - back) & BEAT_MASK]
        same += 1.0 if kind == found else 0.0
        unusual += 1.0 if kind != usual else 0.0
    last = device.beat_kind[(device.beats - 1) & BEAT_MASK] if device.beats > 0 else usual
    x[31] = same / 8.0
    x[32] = unusual / 8.0
    x[33] = 1.0 if last == usual else 0.0
    x[34] = 1.0 if last == found else 0.0
    x[35] = device.p_steady
    x[41] = device.last_like
