"""From atria to ventricles: P waves that no QRS follows, and the spikes of a pacemaker."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.averages import FINE, correlation, cut
from processors.ecg.classification import usual_rr
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEFORE, GRID_HZ, P_ONSET, RING_MASK

LONG_RR: Final = 1.5
"""An interval this much longer than usual is looked into."""
SLOW_RR_MS: Final = 1100.0
"""And so is each one as long as this: with every second P blocked the usual interval is long itself."""
P_MARGIN: Final = 3
P_LIKE: Final = 0.85
P_SIZES: Final = (0.5, 2.0)
P_REACH: Final = 0.15
"""The blocked P stands midway between its neighbours, give or take this share of the P to P interval."""
LOOK_AHEAD_S: Final = 0.75
"""The window it is looked for in has its middle this long before R, and so reaches back to 1.2 s."""
OLDEST: Final = 720
"""Inner samples before the newest that are sure to be in the ring yet, however long the chunk was."""
T_END_S: Final = 0.42
"""Before this time after the last R the T wave stands where a P wave might."""

SPIKE_BEFORE_S: Final = 0.15
SPIKE_AFTER_S: Final = 0.03
SPIKE_UV: Final = 150
SPIKE_NEAR: Final = 4
SPIKE_STANDS_OUT: Final = 3.5
"""Second difference of a spike over the highest elsewhere before the QRS. Median over a record of mitdb: 7 to 14 in the
four with a pacemaker, 1.2 to 2.7 in fourteen without."""
PACED_GAIN: Final = 0.1


@kernel
def note_conduction(device: Record, main: Record, r_u: int, rr_ms: float, work: Record) -> None:
    """After all else about a beat is done: was a P blocked before it, was it paced? Overwrites work.own."""
    note_spike(device, main, r_u)
    long = rr_ms >= SLOW_RR_MS or rr_ms > LONG_RR * usual_rr(device) > 0.0
    if long and finds_blocked_p(device, main, r_u, rr_ms, work):
        device.older_blocked_u = device.blocked_u
        device.blocked_u = r_u


@kernel
def finds_blocked_p(device: Record, main: Record, r_u: int, rr_ms: float, work: Record) -> bool:
    """Whether a wave like the average's P stands midway in the interval that ends at `r_u`."""
    onset = work.marks[P_ONSET]
    offset = work.marks[P_ONSET + 2]
    if isnan(onset) or isnan(offset):
        return False
    middle_u = r_u - int(LOOK_AHEAD_S * device.inner_hz)
    if middle_u - int(BEFORE / GRID_HZ * device.inner_hz) < max(device.segment_u, device.newest_u - OLDEST):
        return False
    first = int(np.rint(onset)) - P_MARGIN
    count = int(np.rint(offset)) + P_MARGIN - first
    if first < 0 or count > BEFORE:
        return False
    cut(main, middle_u, device.segment_u, device.newest_u, device.inner_hz, work.own)
    # work.own now begins LOOK_AHEAD_S earlier than the beat's window: the P of this beat stands so much later in it
    here = first + int(np.rint(LOOK_AHEAD_S * GRID_HZ))
    back = rr_ms / 2000.0 * GRID_HZ
    earliest = BEFORE + int((LOOK_AHEAD_S - rr_ms / 1000.0 + T_END_S) * GRID_HZ)
    return like_p(work.own, main.average, first, count, max(0, earliest, here - int((1.0 + P_REACH) * back)),
                  here - int((1.0 - P_REACH) * back))  # fmt: skip


@kernel
def like_p(signal: NDArray[Any], average: NDArray[Any], first: int, count: int, low: int, high: int) -> bool:
    """Whether signal has between points `low` and `high` a wave of the form and size of average[first:first+count]."""
    size = height_of(average, first, count)
    for at in range(low, min(high, len(signal) - count)):
        if correlation(signal, at, average, first, count, FINE) >= P_LIKE:
            share = height_of(signal, at, count) / max(1.0, size)
            if P_SIZES[0] <= share <= P_SIZES[1]:
                return True
    return False


@kernel
def height_of(values: NDArray[Any], first: int, count: int) -> float:
    low = values[first]
    high = values[first]
    for i in range(first, first + count):
        low = min(low, values[i])
        high = max(high, values[i])
    return float(high - low)


@kernel
def note_spike(device: Record, main: Record, r_u: int) -> None:
    """Let device.paced follow whether a spike of one to three samples stands just before or on the QRS."""
    first = max(device.segment_u + 1, r_u - int(SPIKE_BEFORE_S * device.inner_hz))
    last = min(device.newest_u - 1, r_u + int(SPIKE_AFTER_S * device.inner_hz))
    top = 0
    top_u = first
    for u in range(first, last):
        bend = bend_at(main, u)
        if bend > top:
            top = bend
            top_u = u
    other = 1
    for u in range(first, last):
        if abs(u - top_u) > SPIKE_NEAR:
            other = max(other, bend_at(main, u))
    spike = top >= SPIKE_UV and top >= SPIKE_STANDS_OUT * other
    device.paced += PACED_GAIN * ((1.0 if spike else 0.0) - device.paced)


@kernel
def bend_at(lead: Record, u: int) -> int:
    """Second difference of the conditioned signal in µV, without its sign."""
    ring = lead.ring
    middle = int(ring[u & RING_MASK])
    return abs(int(ring[(u - 1) & RING_MASK]) - 2 * middle + int(ring[(u + 1) & RING_MASK]))
