"""Where a beat's R peak is: the main deflection near the detector's mark, in step with the beats before."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.averages import ALIKE, align, cut
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEFORE, GRID_HZ, RING_MASK

Samples = NDArray[Any]

EDGE: Final = 30
SEARCH: Final = 22
"""The R peak is within 88 ms of the envelope's; deflections are from the line through points 120 ms away."""
KEEP_POLARITY: Final = 0.75
STRAY: Final = 3
OFF_BEFORE_NEW: Final = 8
"""So many beats in a row whose own R peak is more than 12 ms off the average's: it began on the wrong wave."""
NEAR_S: Final = 0.012
POLARITY_GAIN: Final = 0.1


@kernel
def r_peak(window: Samples, polarity: float) -> int:
    """Point of the main deflection near the middle; the usual polarity is kept unless the other is clearly higher."""
    low = BEFORE - EDGE
    slope = (window[BEFORE + EDGE] - window[low]) / (2.0 * EDGE)
    top = 0.0
    bottom = 0.0
    top_at = BEFORE
    bottom_at = BEFORE
    for i in range(BEFORE - SEARCH, BEFORE + SEARCH + 1):
        away = window[i] - window[low] - slope * (i - low)
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
def points_to_u(points: float, hz: float) -> int:
    return int(np.rint(points * hz / GRID_HZ))


@kernel
def find_middle(device: Record, main: Record, centre: int, work: Record) -> tuple[int, float]:
    """Inner index about which the beat's windows are cut, and how like the average its QRS is (1 without one)."""
    hz = device.inner_hz
    cut(main, centre, device.segment_u, device.newest_u, hz, work.own)
    middle = centre + points_to_u(r_peak(work.own, device.polarity) - BEFORE, hz)
    alike = 1.0
    if main.average_beats == 0:
        return middle, alike
    cut(main, middle, device.segment_u, device.newest_u, hz, work.own)
    shift, alike = align(work.own, main.average)
    if alike < ALIKE:
        return middle, alike
    device.off_beats = device.off_beats + 1 if abs(shift) > STRAY else 0
    if device.off_beats < OFF_BEFORE_NEW:
        return middle + points_to_u(shift, hz), alike
    device.off_beats = 0
    main.average_beats = 0
    return middle, 1.0


@kernel
def nearest_extremum(device: Record, main: Record, middle: int) -> int:
    """The R peak: the highest (lowest) sample within 12 ms of the windows' middle when that lies on a peak (trough)."""
    hz = device.inner_hz
    reach = max(1, int(NEAR_S * hz + 0.5))
    wide = 2 * reach
    first = max(device.segment_u, middle - wide)
    last = min(device.newest_u, middle + wide)
    here = 2.0 * main.ring[middle & RING_MASK]
    sign = 1.0 if here >= float(main.ring[first & RING_MASK]) + float(main.ring[last & RING_MASK]) else -1.0
    best = middle
    for u in range(max(first, middle - reach), min(last, middle + reach) + 1):
        if sign * main.ring[u & RING_MASK] > sign * main.ring[best & RING_MASK]:
            best = u
    return best


@kernel
def learn_polarity(device: Record, work: Record) -> None:
    """Let the usual polarity follow the beat's deflection from the points 60 ms away."""
    up = 2 * work.own[BEFORE] >= work.own[BEFORE - 15] + work.own[BEFORE + 15]
    device.polarity += POLARITY_GAIN * ((1.0 if up else -1.0) - device.polarity)
