"""What the networks see of the places where a wave may begin, peak or end."""

# The velocity about a place at geometrically growing distances, compressed by its fourth root, the height about it, how
# far it lies from the QRS complex and from the beats before and after. See docs/delineator.md.

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEFORE, GRID_HZ, SPAN
from processors.ecg.velocity import P_UNTIL, T_AFTER, find_heights, highest

Samples = NDArray[Any]

QRS_TAPS: Final = np.array([-16, -12, -9, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 22])
QRS_FIRST: Final = 2
QRS_STEP: Final = 2
QRS_PLACES: Final = 32
QRS_INPUTS: Final = 22
QRS_REACH: Final = 32
P_TAP: Final = 2
P_TAPS: Final = 27
P_STEP: Final = 3
P_PLACES: Final = 32
P_HEIGHT_TAP: Final = 6
P_INPUTS: Final = 43
P_LOOK: Final = 75
T_TAP: Final = 4
T_TAPS: Final = 25
T_STEP: Final = 4
T_PLACES: Final = 48
T_HEIGHT_TAP: Final = 10
T_INPUTS: Final = 41
HEIGHT_TAPS: Final = 9
CLIPPED: Final = np.float32(3.0)
OVER_THE_QRS: Final = np.float32(1.3)
NEXT_QRS: Final = 0.45
"""A velocity this high against the QRS's is the next beat."""
NEXT_AFTER: Final = 45
BEFORE_NEXT: Final = 12
FAR: Final = SPAN + 40
REACH: Final = 100
"""The points between the first tap and the last, at most, and some."""


@kernel
def compress(values: Samples, low: int, high: int, top: float, out: Samples) -> None:
    """Fourth root of the ratio of a squared quantity's root to its highest, at most the fourth root of 3."""
    share = np.float32(1.0 / max(top, 1.0e-6))
    limit = CLIPPED * CLIPPED
    for i in range(low, high):
        out[i] = np.sqrt(np.sqrt(np.sqrt(min(values[i] * share, limit))))


@kernel
def quiet(curve: Samples, first: int, step: int, count: int) -> float:
    """Lowest mean of 8 points among `count` stretches."""
    best = 1.0e9
    for j in range(count):
        total = np.float32(0.0)
        for i in range(first + step * j, first + step * j + 8):
            total += curve[i]
        best = min(best, float(total) / 8.0)
    return best


@kernel
def spread(work: Record, values: Samples, low: int, high: int, origin: int, direction: int, step: int, unit: int,
           places: int) -> None:  # fmt: skip
    """Deal out points from `origin` on to `step` hands, as to cards: work.hands[p, k] is point p + step·k.

    What a tap sees from one place to the next lies side by side then. Beyond [low, high] the end's value holds; only
    hands that are a multiple of `unit` are filled.
    """
    longest = work.hands.shape[1]
    for p in range(0, step, unit):
        hand = work.hands[p]
        for k in range(min(longest, places + REACH // step)):
            hand[k] = values[min(max(origin + direction * (p + step * k), low), high)]


@kernel
def lay(work: Record, row: int, distance: int, step: int, places: int) -> None:
    """Inputs of one tap, `distance` points from the origin of the hands at the first place."""
    hand = work.hands[distance % step, distance // step :]
    inputs = work.inputs[row]
    for j in range(places):
        inputs[j] = hand[j]


@kernel
def see_qrs(work: Record, side: int) -> None:
    """Inputs of the places of the QRS's onset (side -1) or offset (side 1), from the middle outwards."""
    inputs = work.inputs
    calm = quiet(work.curve, BEFORE - 80, 15, 4) if side < 0 else quiet(work.curve, BEFORE + 28, 18, 5)
    origin = BEFORE + side * (QRS_FIRST + QRS_TAPS[0])
    spread(work, work.curve, 2, SPAN - 3, origin, side, QRS_STEP, 1, QRS_PLACES)
    for t in range(QRS_TAPS.size):
        lay(work, t, QRS_TAPS[t] - QRS_TAPS[0], QRS_STEP, QRS_PLACES)
    for j in range(QRS_PLACES):
        inputs[QRS_INPUTS - 2, j] = np.float32(0.1 * j)
        inputs[QRS_INPUTS - 1, j] = np.float32(calm)


@kernel
def next_qrs(work: Record, top: float, offset: int) -> int:
    """Where the velocity is as high as in a QRS complex again; FAR when it is not in the window."""
    wanted = NEXT_QRS * NEXT_QRS * top
    for i in range(offset + NEXT_AFTER, SPAN - 2):
        if work.fast[i] > wanted:
            return i
    return FAR


@kernel
def see_p(work: Record, count: int, onset: int, offset: int, rr: float, like: float) -> int:
    """Inputs of the places of the P wave, from the QRS backwards; returns how many of them are possible."""
    inputs = work.inputs
    top = highest(work.medium, BEFORE - 25, BEFORE + 26)
    low = max(6, min(int(BEFORE - rr + 25), onset - 20))
    find_heights(work, count, onset, 0, BEFORE)
    first = max(low, onset - P_LOOK)
    fastest = highest(work.medium, first, onset - 3)
    highest_up = highest(work.height, first, onset - 3)
    compress(work.medium, 0, onset, fastest, work.curve)
    work.curve[onset:P_UNTIL] = OVER_THE_QRS
    scale_height(work, 0, onset, highest_up)
    spread(work, work.curve, 0, P_UNTIL - 1, onset - 2 + P_TAP * (P_TAPS // 2), -1, P_STEP, 1, P_PLACES)
    for t in range(P_TAPS):
        lay(work, t, P_TAP * (P_TAPS - 1 - t), P_STEP, P_PLACES)
    spread(work, work.height, 0, onset - 1, onset - 2 + P_HEIGHT_TAP * (HEIGHT_TAPS // 2), -1, P_STEP, 3, P_PLACES)
    for t in range(HEIGHT_TAPS):
        lay(work, P_TAPS + t, P_HEIGHT_TAP * (HEIGHT_TAPS - 1 - t), P_STEP, P_PLACES)
    see_size(work, P_TAPS + HEIGHT_TAPS, P_PLACES, fastest, top, highest_up)
    at = P_TAPS + HEIGHT_TAPS + 2
    for j in range(P_PLACES):
        place = onset - 2 - P_STEP * j
        work.places[j] = place
        inputs[at, j] = np.float32((place - onset) * 0.025)
        inputs[at + 1, j] = np.float32(min(2.0, (place - (BEFORE - rr)) / 60.0))
        inputs[at + 2, j] = np.float32(rr / GRID_HZ)
        inputs[at + 3, j] = np.float32((offset - onset) * 0.04)
        inputs[at + 4, j] = np.float32(like)
    return max(0, min(P_PLACES, (onset - 2 - low) // P_STEP + 1))


@kernel
def see_t(work: Record, count: int, onset: int, offset: int, following: int, rr: float) -> int:
    """Inputs of the places of the T wave, from the QRS on; returns how many of them are possible."""
    inputs = work.inputs
    top = highest(work.slow, BEFORE - 25, BEFORE + 26)
    last = min(SPAN - 3, following - BEFORE_NEXT)
    until = max(offset + 30, min(last - 20, int(onset + 62 + 0.27 * rr)))
    find_heights(work, count, onset, BEFORE, SPAN)
    fastest = highest(work.slow, offset + 12, min(until, SPAN))
    highest_up = highest(work.height, offset + 12, min(until, SPAN))
    compress(work.slow, T_AFTER, SPAN, fastest, work.curve)
    scale_height(work, BEFORE, SPAN, highest_up)
    spread(work, work.curve, T_AFTER, SPAN - 1, offset + 8 - T_TAP * (T_TAPS // 2), 1, T_STEP, 4, T_PLACES)
    for t in range(T_TAPS):
        lay(work, t, T_TAP * t, T_STEP, T_PLACES)
    spread(work, work.height, BEFORE, SPAN - 1, offset + 8 - T_HEIGHT_TAP * (HEIGHT_TAPS // 2), 1, T_STEP, 2, T_PLACES)
    for t in range(HEIGHT_TAPS):
        lay(work, T_TAPS + t, T_HEIGHT_TAP * t, T_STEP, T_PLACES)
    see_size(work, T_TAPS + HEIGHT_TAPS, T_PLACES, fastest, top, highest_up)
    at = T_TAPS + HEIGHT_TAPS + 2
    for j in range(T_PLACES):
        place = offset + 8 + T_STEP * j
        work.places[j] = place
        inputs[at, j] = np.float32((place - onset) * 0.01)
        inputs[at + 1, j] = np.float32(min(2.0, (following - place) / 60.0))
        inputs[at + 2, j] = np.float32(rr / GRID_HZ)
        inputs[at + 3, j] = np.float32((offset - onset) * 0.04)
        inputs[at + 4, j] = np.float32((place - onset) / sqrt(rr) * 0.125)
    return max(0, min(T_PLACES, (last - 1 - offset - 8) // T_STEP + 1))


@kernel
def scale_height(work: Record, low: int, high: int, top: float) -> None:
    """Square root of the height against its highest."""
    share = np.float32(1.0 / max(top, 1.0e-6))
    limit = CLIPPED * CLIPPED
    for i in range(low, high):
        work.height[i] = np.sqrt(np.sqrt(min(work.height[i] * share, limit)))


@kernel
def see_size(work: Record, row: int, places: int, fastest: float, top: float, highest_up: float) -> None:
    """How large the wave is against the QRS, and how high against how fast."""
    size = (fastest / max(top, 1.0e-6)) ** 0.125
    up = sqrt(highest_up)
    rise = sqrt(up / max(up + sqrt(fastest) * 0.1, 1.0e-6))
    for j in range(places):
        work.inputs[row, j] = np.float32(size)
        work.inputs[row + 1, j] = np.float32(rise)
