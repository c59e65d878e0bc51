"""The traits of a beat on one lead: its QRS complex, P wave and T wave beside the patient's usual beat."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.class_shapes import SCALE, R
from processors.ecg.class_timing import COMMON, clip, ratio
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import COARSE_POINTS, USUAL

QRS_LOW: Final = R - 9
QRS_HIGH: Final = R + 13
"""The coarse points of a QRS complex, however wide: 72 ms before its middle to 104 ms after it."""
USUAL_LOW: Final = 13
USUAL_HIGH: Final = 25
BANDS: Final = (1, 6, 11, 14, 18, 22, 27, 33, 40, 49)
"""Where stretches of the usual beat end, 16 ms a point: before P, P, PQ, QRS twice, ST, T three times."""
STRETCHES: Final = 9
P_LOW: Final = 4
P_HIGH: Final = 14
P_REACH: Final = 3
"""The P wave's place in the usual beat is 0.22 to 0.06 s before the middle; it is looked for 48 ms to and fro."""
P_THERE: Final = 0.8
UNIT: Final = 1.0 / SCALE
SIZES: Final = COMMON
LEVELS: Final = SIZES + 13
P_TRAITS: Final = LEVELS + 3 * STRETCHES
P_LIKE: Final = P_TRAITS + 1
CURVE: Final = P_TRAITS + 4
CURVE_POINTS: Final = 16


@kernel
def halve(y: NDArray[Any], shift: int, out: NDArray[Any]) -> None:
    """The beat at the points of the usual one."""
    for i in range(USUAL):
        j = min(COARSE_POINTS - 2, max(0, 2 * i + shift))
        out[i] = np.float32(0.5) * (y[j] + y[j + 1])


@kernel
def span_of(y: NDArray[Any], low: int, high: int) -> tuple[int, int]:
    """Where the highest and the lowest of the points [low, high) are."""
    top_at = low
    bottom_at = low
    for j in range(low, high):
        if y[j] > y[top_at]:
            top_at = j
        if y[j] < y[bottom_at]:
            bottom_at = j
    return top_at, bottom_at


@kernel
def describe_waves(device: Record, lead: Record, k: int, shift: int, found: int, work: Record) -> float:
    """Fill the traits of a lead; returns the width of the QRS in coarse points."""
    x = work.traits[k]
    y = work.coarse[k]
    u = lead.usual
    z = work.halved
    halve(y, shift, z)
    top_at, bottom_at = span_of(y, QRS_LOW, QRS_HIGH)
    height = max(1.0, y[top_at] - y[bottom_at])
    level = (y[R - 12] + y[R - 11] + y[R - 10] + y[R - 9]) / 4.0
    usual_top, usual_bottom = span_of(u, USUAL_LOW, USUAL_HIGH)
    usual_height = (u[usual_top] - u[usual_bottom]) / SCALE
    known = lead.usual_beats > 0 and usual_height > 0.0
    scale = usual_height if known else height
    usual = device.kind_usual
    x[SIZES] = clip(height / scale, 0.0, 3.0)
    x[SIZES + 7] = (y[top_at] - level) / height
    x[SIZES + 8] = (top_at - bottom_at) / 10.0
    x[SIZES + 9] = steepness(z, u, height, scale) if known else 1.0
    x[SIZES + 10] = work.alikes[usual, k] if device.kind_counts[usual] > 0 else 1.0
    x[SIZES + 11] = work.alikes[found, k] if found >= 0 else 0.5
    x[SIZES + 12] = 1.0 if known else 0.0
    up = y[top_at] - level > level - y[bottom_at]
    describe_stretches(x, z, u, known, scale, level, 1.0 if up else -1.0)
    describe_p(x, z, u, known, scale)
    size = 1.0 / scale if float(u[usual_top]) + float(u[usual_bottom]) >= 0.0 else -1.0 / scale
    for i in range(CURVE_POINTS):
        j = R - 11 + 2 * i + shift
        x[CURVE + i] = clip(size * (0.5 * (y[j] + y[j + 1]) - level), -2.0, 2.0)
    return describe_width(x, y, height, level, max(y[top_at] - level, level - y[bottom_at]))


@kernel
def describe_width(x: NDArray[Any], y: NDArray[Any], height: float, level: float, most: float) -> float:
    """How steep, wide, large, winding and rough the QRS is for its height; returns its width in points."""
    steep = 0.0
    area = 0.0
    travel = 0.0
    rough = 0.0
    before = 0.0
    wide = 0.0
    wider = 0.0
    for j in range(QRS_LOW, QRS_HIGH):
        rise = y[j + 1] - y[j]
        steep = max(steep, abs(rise))
        travel += abs(rise)
        rough += abs(rise - before)
        before = rise
        away = abs(y[j] - level)
        area += away
        wide += 1.0 if away > 0.5 * most else 0.0
        wider += 1.0 if away > 0.2 * most else 0.0
    x[SIZES + 1] = clip(steep / height, 0.0, 1.0) * 2.0
    x[SIZES + 2] = clip(area / height, 0.0, 22.0) / 10.0
    x[SIZES + 3] = wide / 10.0
    x[SIZES + 4] = wider / 10.0
    x[SIZES + 5] = clip(travel / height, 0.0, 6.0) / 2.0
    x[SIZES + 6] = clip(rough / height, 0.0, 6.0) / 2.0
    return wider


@kernel
def steepness(z: NDArray[Any], u: NDArray[Any], height: float, scale: float) -> float:
    """How steep the QRS is for its height, against the usual one."""
    own = 0.0
    usual = 0.0
    for i in range(USUAL_LOW, USUAL_HIGH):
        own = max(own, abs(z[i + 1] - z[i]))
        usual = max(usual, abs(float(u[i + 1]) - u[i]))
    return ratio(own / height, usual / SCALE / scale)


@kernel
def describe_stretches(x: NDArray[Any], z: NDArray[Any], u: NDArray[Any], known: bool, scale: float,
                       level: float, sign: float) -> None:  # fmt: skip
    """Of nine stretches from P to T: how far the beat is from the usual one, how uneven it is, and its level."""
    offset = 0.0
    unit = 1.0 / scale
    if known:
        for i in range(2, USUAL - 2):
            offset += z[i] - UNIT * u[i]
        offset /= USUAL - 4
    for b in range(STRETCHES):
        away = 0.0
        squares = 0.0
        mean = 0.0
        share = 1.0 / (BANDS[b + 1] - BANDS[b])
        for i in range(BANDS[b], BANDS[b + 1]):
            value = z[i]
            gap = value - UNIT * u[i] - offset if known else 0.0
            away += gap * gap
            squares += value * value
            mean += value
        mean *= share
        x[LEVELS + b] = clip(sqrt(away * share) * unit, 0.0, 1.5)
        x[LEVELS + STRETCHES + b] = clip(sqrt(max(0.0, squares * share - mean * mean)) * unit, 0.0, 1.0)
        x[LEVELS + 2 * STRETCHES + b] = clip(sign * (mean - level) * unit, -1.0, 1.0)


@kernel
def describe_p(x: NDArray[Any], z: NDArray[Any], u: NDArray[Any], known: bool, scale: float) -> None:
    """The usual P wave's size, and how much of it the beat has in its place or nearby."""
    x[P_TRAITS] = 0.0
    x[P_LIKE] = 1.0
    x[P_TRAITS + 2] = 1.0
    x[P_TRAITS + 3] = 1.0
    if not known:
        return
    points = P_HIGH - P_LOW
    slope = (float(u[P_HIGH]) - u[P_LOW]) / points
    size = 0.0
    for i in range(P_LOW, P_HIGH):
        a = float(u[i]) - u[P_LOW] - slope * (i - P_LOW)
        size += a * a
    x[P_TRAITS] = clip(sqrt(size / points) / (scale * SCALE), 0.0, 0.3) * 5.0
    x[P_LIKE], x[P_TRAITS + 2] = p_likeness(z, u, 0, slope)
    x[P_TRAITS + 3] = x[P_LIKE]
    if x[P_LIKE] >= P_THERE:
        return
    for step in range(1, P_REACH + 1):
        sooner, _ = p_likeness(z, u, -step, slope)
        later, _ = p_likeness(z, u, step, slope)
        x[P_TRAITS + 3] = max(x[P_TRAITS + 3], sooner, later)


@kernel
def p_likeness(z: NDArray[Any], u: NDArray[Any], move: int, slope: float) -> tuple[float, float]:
    """Correlation of what stands in the P wave's place with the usual P wave less its slope, and its share of it."""
    points = P_HIGH - P_LOW
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    for i in range(P_LOW, P_HIGH):
        a = u[i] - slope * (i - P_LOW)
        b = z[i + move] * SCALE
        sum_a += a
        sum_b += b
        sum_aa += a * a
        sum_bb += b * b
        sum_ab += a * b
    product = sum_ab - sum_a * sum_b / points
    of_a = sum_aa - sum_a * sum_a / points
    of_b = sum_bb - sum_b * sum_b / points
    like = product / sqrt(of_a * of_b) if of_a > 0.0 and of_b > 0.0 else 0.0
    return like, clip(product / of_a, -2.0, 3.0) if of_a > 0.0 else 1.0
