"""The window of one beat on each measured lead, and the patient's own average beat that steadies it."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEFORE, GRID_HZ, RING, RING_MASK, SPAN

Samples = NDArray[Any]

UNITS_PER_UV: Final = 2
"""Windows and averages are whole numbers of half a µV: sums over them are exact."""
LIMIT: Final = 32767
CLIP: Final = np.int32(2047)
COARSE: Final = np.int32(3)
FINE: Final = np.int32(1)
"""QRS complexes are compared in steps of 4 µV up to 8 mV, P and T in steps of 1 µV up to 2 mV."""
AVERAGED: Final = 8
"""A beat counts 1/8 in the average: boundaries follow the patient within seconds, and noise falls to a quarter."""
QRS_FROM: Final = BEFORE - 16
QRS_POINTS: Final = 38
SHIFTS: Final = 10
SHIFT_COST: Final = 0.002
FITS: Final = 0.97
ALIKE: Final = 0.85
"""A beat whose QRS correlates less with the average is measured by itself; so are its P and T."""
UNLIKE_BEFORE_NEW: Final = 4
P_FROM: Final = 14
P_POINTS: Final = 84
P_ALIKE: Final = 0.0
T_FROM: Final = BEFORE + 26
T_POINTS: Final = 124
T_ALIKE: Final = 0.5
MISSES_BEFORE_NEW: Final = 3
P_END: Final = BEFORE - 14
"""Where the P part of a window ends and its QRS begins, and where that ends and its T part begins."""
QRS_END: Final = BEFORE + 22
EDGE: Final = 20


@kernel
def cut(lead: Record, centre: int, first_u: int, last_u: int, hz: float, out: Samples) -> None:
    """The window of SPAN points at 250 Hz about inner index `centre`; what lies outside [first_u, last_u] is held."""
    start = centre - BEFORE
    if hz == GRID_HZ and start >= first_u and start + SPAN - 1 <= last_u and (start & RING_MASK) + SPAN <= RING:
        ring = lead.ring[start & RING_MASK :]
        for i in range(SPAN):
            out[i] = UNITS_PER_UV * np.int32(ring[i])
        return
    if hz == GRID_HZ:
        for i in range(SPAN):
            u = min(max(start + i, first_u), last_u)
            out[i] = UNITS_PER_UV * np.int32(lead.ring[u & RING_MASK])
        return
    for i in range(SPAN):
        at = centre + (i - BEFORE) * hz / GRID_HZ
        u = int(at + 1024.0) - 1024 if at < 0 else int(at)
        share = at - u
        left = float(lead.ring[min(max(u, first_u), last_u) & RING_MASK])
        right = float(lead.ring[min(max(u + 1, first_u), last_u) & RING_MASK])
        out[i] = np.int32(np.rint(UNITS_PER_UV * (left + share * (right - left))))


@kernel
def correlation(a: Samples, first: int, b: Samples, second: int, count: int, unit: np.int32) -> float:
    """Pearson's r of a[first:first+count] with b[second:second+count]; 0 where either is flat.

    Both are taken in steps of 2**unit from their first value and clipped, so that sums fit 32 bits.
    """
    start_a = np.int32(a[first])
    start_b = np.int32(b[second])
    sum_a = np.int32(0)
    sum_b = np.int32(0)
    sum_aa = np.int32(0)
    sum_bb = np.int32(0)
    sum_ab = np.int32(0)
    for i in range(count):
        x = min(CLIP, max(-CLIP, (a[first + i] - start_a) >> unit))
        y = min(CLIP, max(-CLIP, (b[second + i] - start_b) >> unit))
        sum_a += x
        sum_b += y
        sum_aa += x * x
        sum_bb += y * y
        sum_ab += x * y
    aa = float(sum_aa) * count - float(sum_a) * sum_a
    bb = float(sum_bb) * count - float(sum_b) * sum_b
    if aa <= 0.0 or bb <= 0.0:
        return 0.0
    return float((float(sum_ab) * count - float(sum_a) * sum_b) / sqrt(aa * bb))


@kernel
def likeness_at(window: Samples, average: Samples, shift: int) -> float:
    """Correlation of the QRS with the average's when the beat is taken `shift` points later, less for larger shifts."""
    r = correlation(window, QRS_FROM + shift, average, QRS_FROM, QRS_POINTS, COARSE)
    return r - SHIFT_COST * abs(shift)


@kernel
def align(window: Samples, average: Samples) -> tuple[int, float]:
    """Shift in points at which the beat's QRS is most like the average's, and how like it is there.

    Nearly every beat of a heart fits where it stands or a step uphill from there; the other shifts are tried only when
    it doesn't.
    """
    best = likeness_at(window, average, 0)
    shift = 0
    for s in (-1, 1):
        value = likeness_at(window, average, s)
        if value > best:
            best = value
            shift = s
    uphill = shift != 0
    while uphill and abs(shift) < SHIFTS:
        value = likeness_at(window, average, shift + (1 if shift > 0 else -1))
        uphill = value > best
        if uphill:
            best = value
            shift += 1 if shift > 0 else -1
    if best >= FITS:
        return shift, best
    for s in range(-SHIFTS, SHIFTS + 1):
        value = likeness_at(window, average, s)
        if value > best:
            best = value
            shift = s
    return shift, best


@kernel
def start_average(lead: Record, window: Samples) -> None:
    """Begin anew with this beat."""
    for i in range(SPAN):
        lead.average[i] = min(LIMIT, max(-LIMIT, window[i]))
    lead.average_beats = 1
    lead.p_beats = 1
    lead.t_beats = 1
    lead.p_misses = 0
    lead.t_misses = 0


@kernel
def move(average: Samples, window: Samples, low: int, high: int, level: int, beats: int) -> None:
    """Let points [low, high) of the average follow the window by 1/beats, and put the average in the window."""
    for i in range(low, high):
        wanted = window[i] - level
        value = average[i] + np.int32(np.rint((wanted - average[i]) / beats))
        value = min(LIMIT, max(-LIMIT, value))
        average[i] = value
        window[i] = value


@kernel
def own(average: Samples, window: Samples, low: int, high: int, level: int, anew: bool) -> None:
    """Keep the beat's own points [low, high); make them the average when it is to begin anew."""
    for i in range(low, high):
        window[i] -= level
        if anew:
            average[i] = min(LIMIT, max(-LIMIT, window[i]))


@kernel
def steady(lead: Record, window: Samples) -> float:
    """Replace the window by the average that has taken it in; where P or T is unlike it, the beat's own stays.

    Returns how like the average P is.
    """
    average = lead.average
    level = 0
    for i in range(EDGE, SPAN - EDGE):
        level += window[i] - average[i]
    level = int(np.rint(level / (SPAN - 2 * EDGE)))
    p_like = correlation(window, P_FROM, average, P_FROM, P_POINTS, FINE)
    t_like = correlation(window, T_FROM, average, T_FROM, T_POINTS, FINE)
    lead.average_beats = min(lead.average_beats + 1, AVERAGED)
    move(average, window, P_END, QRS_END, level, lead.average_beats)
    if p_like > P_ALIKE:
        lead.p_beats = min(lead.p_beats + 1, AVERAGED)
        lead.p_misses = 0
        move(average, window, 0, P_END, level, lead.p_beats)
    else:
        lead.p_misses += 1
        own(average, window, 0, P_END, level, lead.p_misses >= MISSES_BEFORE_NEW)
        if lead.p_misses >= MISSES_BEFORE_NEW:
            lead.p_beats = 1
            lead.p_misses = 0
    if t_like > T_ALIKE:
        lead.t_beats = min(lead.t_beats + 1, AVERAGED)
        lead.t_misses = 0
        move(average, window, QRS_END, SPAN, level, lead.t_beats)
    else:
        lead.t_misses += 1
        own(average, window, QRS_END, SPAN, level, lead.t_misses >= MISSES_BEFORE_NEW)
        if lead.t_misses >= MISSES_BEFORE_NEW:
            lead.t_beats = 1
            lead.t_misses = 0
    return p_like


@kernel
def is_full(lead: Record) -> bool:
    """Whether the last beat was like the average in all parts, and the average holds all the beats it can."""
    return bool(min(lead.average_beats, lead.p_beats, lead.t_beats) >= AVERAGED and lead.p_misses + lead.t_misses == 0)
