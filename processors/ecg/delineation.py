"""The waves of one beat on one lead: R peak, QRS boundaries, T and P; what is not there is left out."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import RING_MASK

Samples = NDArray[Any]

BEFORE_S: Final = 0.40
AFTER_S: Final = 0.66
READY_S: Final = 0.70
"""A beat is measured when this much signal has followed it."""
R_SEARCH_S: Final = 0.09
EDGE_S: Final = 0.12
KEEP_POLARITY: Final = 0.75
QRS_SLOPE: Final = 0.07
QRS_CORE: Final = 0.30
QUIET_S: Final = 0.012
T_FROM_S: Final = 0.08
T_LONGEST_S: Final = 0.56
T_SHORT_S: Final = 0.25
T_PER_RR: Final = 0.27
"""T is sought until 0.25 s plus 27 % of RR after QRS onset: some 90 ms past the usual QT at any rate."""
T_BEFORE_NEXT_S: Final = 0.18
"""Nearer to the next beat lies its P wave."""
T_LEAST_UV: Final = 40.0
T_LEAST_OF_R: Final = 0.04
P_FROM_S: Final = 0.26
P_UNTIL_S: Final = 0.016
P_LEAST_UV: Final = 25.0
P_LEAST_OF_R: Final = 0.025
P_OVER_NOISE: Final = 3.0


@kernel
def unroll(lead: Record, first_u: int, count: int, fine: Samples, soft: Samples, half: int) -> None:
    """Copy `count` samples from inner index `first_u` into `fine` (1-2-1 average) and `soft` (box of 2·half+1)."""
    for i in range(count):
        u = first_u + i
        left = lead.ring[(u - 1) & RING_MASK] if i > 0 else lead.ring[u & RING_MASK]
        right = lead.ring[(u + 1) & RING_MASK] if i < count - 1 else lead.ring[u & RING_MASK]
        fine[i] = (left + 2.0 * lead.ring[u & RING_MASK] + right) / 4.0
    for i in range(count):
        low = max(0, i - half)
        high = min(count - 1, i + half)
        total = 0.0
        for j in range(low, high + 1):
            total += fine[j]
        soft[i] = total / (high - low + 1)


@kernel
def r_peak(fine: Samples, count: int, centre: int, hz: float, polarity: float) -> int:
    """Position of the main deflection near `centre`; the usual polarity is kept unless the other is clearly higher.

    Deflections are from the straight line through the signal's edges 120 ms away, so a slope doesn't move it.
    """
    low = max(0, centre - int(EDGE_S * hz))
    high = min(count - 1, centre + int(EDGE_S * hz))
    slope = (fine[high] - fine[low]) / max(1, high - low)
    top = 0.0
    bottom = 0.0
    top_at = centre
    bottom_at = centre
    reach = int(R_SEARCH_S * hz)
    for i in range(max(low, centre - reach), min(high, centre + reach) + 1):
        away = fine[i] - fine[low] - slope * (i - low)
        if away > top:
            top = away
            top_at = i
        if away < bottom:
            bottom = away
            bottom_at = i
    if polarity >= 0.0:
        return top_at if top >= KEEP_POLARITY * -bottom else bottom_at
    return bottom_at if -bottom >= KEEP_POLARITY * top else top_at


@kernel
def steepness(fine: Samples, i: int, count: int) -> float:
    if i < 1 or i >= count - 1:
        return 0.0
    return float(abs(fine[i + 1] - fine[i - 1]))


@kernel
def steepest(fine: Samples, count: int, low: int, high: int) -> float:
    best = 0.0
    for i in range(max(1, low), min(count - 1, high)):
        best = max(best, steepness(fine, i, count))
    return best


@kernel
def qrs_edge(fine: Samples, count: int, r: int, hz: float, step: int) -> int:
    """QRS onset (step -1) or offset (step 1): past the last steep flank, the slope stays small for 12 ms.

    Returns ABSENT (-1) when the signal has no such place within 200 ms of R.
    """
    reach = int(0.13 * hz)
    top = steepest(fine, count, r - reach, r + reach)
    if top <= 0.0:
        return -1
    start = r
    for k in range(reach):
        i = r + step * k
        if i < 1 or i >= count - 1:
            break
        if steepness(fine, i, count) > QRS_CORE * top:
            start = i
    quiet = 0
    needed = max(2, int(QUIET_S * hz + 0.5))
    limit = int(0.20 * hz)
    for k in range(limit):
        i = start + step * k
        if i < 1 or i >= count - 1:
            return -1
        quiet = quiet + 1 if steepness(fine, i, count) < QRS_SLOPE * top else 0
        if quiet >= needed:
            return i - step * (needed - 1)
    return -1


@kernel
def extremum(soft: Samples, low: int, high: int) -> int:
    """Position of the largest deflection in [low, high) from the line through its ends; -1 if it is at an end."""
    if high - low < 4:
        return -1
    slope = (soft[high - 1] - soft[low]) / (high - 1 - low)
    best = 0.0
    at = -1
    for i in range(low + 1, high - 1):
        away = abs(soft[i] - soft[low] - slope * (i - low))
        if away > best:
            best = away
            at = i
    return at


@kernel
def trapezium_end(soft: Samples, peak: int, limit: int) -> int:
    """End of a wave after `peak` (before it when `limit` < `peak`): the corner of the largest trapezium.

    Vazquez-Seisdedos et al. 2011 for the T wave's end, used here for both ends of P and T: the area under the
    rectangle between the steepest point after the peak, the limit and the candidate end has its maximum at the
    corner where the wave meets the line.
    """
    step = 1 if limit > peak else -1
    steep = peak
    best = -1.0
    i = peak + step
    while i != limit and i + step != limit:
        slope = abs(soft[i + step] - soft[i - step])
        if slope > best:
            best = slope
            steep = i
        if best > 0.0 and slope < 0.2 * best and abs(soft[i] - soft[peak]) > 0.6 * abs(soft[limit] - soft[peak]):
            break
        i += step
    at = -1
    area = -1.0
    i = steep
    while i != limit:
        value = abs((soft[steep] - soft[i]) * (2 * abs(limit - i) + abs(i - steep)))
        if value > area:
            area = value
            at = i
        i += step
    return at


@kernel
def noise_of(fine: Samples, soft: Samples, low: int, high: int) -> float:
    """Mean distance of the signal from its smooth self in [low, high), µV."""
    if high <= low:
        return 0.0
    total = 0.0
    for i in range(low, high):
        total += abs(fine[i] - soft[i])
    return total / (high - low)
