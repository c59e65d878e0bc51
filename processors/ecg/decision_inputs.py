"""What a candidate is judged by: its height and time among its neighbours, and its shape among those seen before."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.candidates import TRACE_HZ, TRACE_MASK
from processors.ecg.decision_shapes import BEAT_SHAPES, OTHER_SHAPE, T_SHAPE, alike, sample_shape
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import NEVER, RING_MASK, SHAPE, SHAPE_AT

FLOOR_UV: Final = 10.0
MOST: Final = 2.5
AHEAD_S: Final = 0.64
SHAPES_AT: Final = 30
TRACE_AT: Final = SHAPE_AT + SHAPE
NEAR_BINS: Final = 15
FAR_PAIRS: Final = 8
NEAR_AT: Final = TRACE_AT + FAR_PAIRS
LATER_AT: Final = NEAR_AT + 2 * NEAR_BINS + 1
PAST_BINS: Final = 90
CURVE_S: Final = 0.008
LEAST_WEIGHT: Final = 0.02


@kernel
def root(part: float, whole: float) -> float:
    """Square root of a ratio of heights, bounded."""
    if part <= 0.0:
        return 0.0
    if part >= MOST * MOST * whole:
        return MOST
    return sqrt(part / whole)


@kernel
def describe(device: Record, leads: NDArray[Any], work: Record) -> None:
    """Fill work.candidate for the oldest candidate of the queue."""
    u = device.queue_u[0]
    e = device.queue_e[0]
    level = max(device.level, FLOOR_UV)
    describe_height(device, u, e, level, work)
    describe_time(device, u, e, work)
    describe_trace(device, u, e, level, work)
    describe_shape(device, leads, u, work)


@kernel
def describe_height(device: Record, u: int, e: float, level: float, work: Record) -> None:
    x = work.candidate
    x[0] = root(e, level)
    x[1] = root(e, max(device.last_e, FLOOR_UV))
    x[12] = root(device.early_noise, level)
    x[13] = root(device.late_noise, level)
    x[14] = root(e, max(device.early_noise, 1.0))
    x[15] = root(e, max(device.late_noise, 1.0))
    hz = device.inner_hz
    for i in range(2):
        if i + 1 < device.queued:
            x[16 + 2 * i] = min((device.queue_u[i + 1] - u) / hz, AHEAD_S)
            x[17 + 2 * i] = root(device.queue_e[i + 1], max(e, FLOOR_UV))
        else:
            x[16 + 2 * i] = AHEAD_S
            x[17 + 2 * i] = 0.0
    x[20] = root(device.early_max, max(e, FLOOR_UV))
    x[21] = root(device.late_max, max(e, FLOOR_UV))
    x[22] = min((u - device.late_u) / hz, 1.0) if device.late_max > 0.0 else 1.0
    x[23] = min((u - device.early_u) / hz, 1.0) if device.early_max > 0.0 else 1.0


@kernel
def describe_time(device: Record, u: int, e: float, work: Record) -> None:
    x = work.candidate
    hz = device.inner_hz
    x[25] = 0.0
    since = 3.0
    if device.last_u == NEVER:
        x[25] = 1.0
    else:
        since = min(3.0, (u - device.last_u) / hz)
    x[6] = min(3.0, since * hz / device.rr)
    x[7] = since
    x[8] = device.rr / hz
    x[9] = max(0.0, 0.4 - since) * 2.5
    n = device.rr_count
    x[10] = device.rrs[(n - 1) & 7] / device.rr if n > 0 else 1.0
    x[11] = device.rrs[(n - 2) & 7] / device.rr if n > 1 else 1.0
    x[24] = 1.0 if device.level_count < 4 else 0.0


@kernel
def describe_trace(device: Record, u: int, e: float, level: float, work: Record) -> None:
    """The envelope from 0.62 s before to 0.64 s after: every 20 ms near by, the highest of 40 ms further off."""
    x = work.candidate
    trace = device.trace
    centre = int(u * TRACE_HZ / device.inner_hz)
    for k in range(FAR_PAIRS):
        low = centre - NEAR_BINS - 2 * (FAR_PAIRS - k)
        high = centre + NEAR_BINS + 1 + 2 * k
        x[TRACE_AT + k] = max(trace[low & TRACE_MASK], trace[(low + 1) & TRACE_MASK])
        x[LATER_AT + k] = max(trace[high & TRACE_MASK], trace[(high + 1) & TRACE_MASK])
    for k in range(2 * NEAR_BINS + 1):
        x[NEAR_AT + k] = trace[(centre - NEAR_BINS + k) & TRACE_MASK]
    scale = np.float32(1.0 / level)
    most = np.float32(MOST * MOST)
    for i in range(TRACE_AT, LATER_AT + FAR_PAIRS):
        x[i] = np.sqrt(min(x[i] * scale, most))
    highest = np.float32(FLOOR_UV)
    total = np.float32(0.0)
    for k in range(centre - PAST_BINS, centre - 8):
        value = trace[k & TRACE_MASK]
        highest = max(highest, value)
        total += value
    before = np.float32(0.0)
    after = np.float32(0.0)
    for k in range(8, 32):
        before += trace[(centre - k) & TRACE_MASK]
        after += trace[(centre + k) & TRACE_MASK]
    x[2] = root(e, float(highest))
    x[3] = root(float(total) / (PAST_BINS - 8), level)
    x[4] = root(float(after) / 24.0, level)
    x[5] = root(float(before) / 24.0, level)


@kernel
def describe_shape(device: Record, leads: NDArray[Any], u: int, work: Record) -> None:
    """Likeness to the shapes seen before, over all leads by their weight; the shape itself of the weightiest."""
    x = work.candidate
    x[26] = 0.0
    for i in range(SHAPES_AT, SHAPE_AT):
        x[i] = 0.0
    shape = x[SHAPE_AT : SHAPE_AT + SHAPE]
    main = weightiest(device, leads)
    rest = compare_others(device, leads, u, main, shape, work)
    lead = leads[device.lead[main]]
    norm = sample_shape(lead, u, device, shape)
    work.candidate_norm = norm
    compare(lead, shape, norm, 1.0 - rest, work)
    x[27] = roughness(lead, u, device)
    top = np.float32(0.0)
    bottom = np.float32(0.0)
    for k in range(SHAPE):
        top = max(top, shape[k])
        bottom = min(bottom, shape[k])
    work.candidate_turned = 1 if -bottom > top else 0
    if work.candidate_turned:
        turn(shape)


@kernel
def weightiest(device: Record, leads: NDArray[Any]) -> int:
    """The lead that adds most to the fused envelope at a beat."""
    main = 0
    best = 0.0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if lead.weight * lead.level > best:
            best = lead.weight * lead.level
            main = k
    return main


@kernel
def compare_others(device: Record, leads: NDArray[Any], u: int, main: int, shape: NDArray[Any], work: Record) -> float:
    """Compare all leads but the main one; returns their share of the weight, those that hardly count left out."""
    total = 0.0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        total += lead.weight * lead.level
    rest = 0.0
    if total > 0.0 and device.leads > 1:
        for k in range(device.leads):
            lead = leads[device.lead[k]]
            share = lead.weight * lead.level / total
            if k != main and share > LEAST_WEIGHT:
                compare(lead, shape, sample_shape(lead, u, device, shape), share, work)
                rest += share
    return rest


@kernel
def turn(shape: NDArray[Any]) -> None:
    """Upside down."""
    for k in range(SHAPE):
        shape[k] = -shape[k]


@kernel
def compare(lead: Record, shape: NDArray[Any], norm: float, weight: float, work: Record) -> None:
    """Add what the shapes of one lead say, times its weight."""
    x = work.candidate
    like = work.candidate_hidden
    alike(shape, lead.shapes, like)
    count = lead.shape_counts
    height = lead.shape_heights
    usual = 0
    best = -1
    total = 0.0
    for i in range(BEAT_SHAPES):
        total += count[i]
        if count[i] > count[usual]:
            usual = i
        if count[i] > 0.0 and like[i] > 0.0 and (best < 0 or like[i] > like[best]):
            best = i
    if count[usual] > 0.0:
        x[26] = root(norm, max(float(height[usual]), 1.0))
        x[30] += weight * like[usual]
        x[38] += weight * min(total / 10.0, 1.0)
    if best >= 0:
        x[31] += weight * like[best]
        x[32] += weight * count[best] / total
        x[33] += weight * root(norm, max(float(height[best]), 1.0))
    if count[T_SHAPE] > 0.0:
        x[34] += weight * like[T_SHAPE]
        x[36] += weight * root(norm, max(float(height[T_SHAPE]), 1.0))
    if count[OTHER_SHAPE] > 0.0:
        x[35] += weight * like[OTHER_SHAPE]
        x[37] += weight * root(norm, max(float(height[OTHER_SHAPE]), 1.0))


@kernel
def roughness(lead: Record, u: int, device: Record) -> float:
    """How much the signal curves away from the candidate against at it."""
    step = max(1, round(CURVE_S * device.inner_hz))
    ring = lead.ring
    inside = 0
    outside = 0
    for k in range(-18, 19):
        at = u + 2 * k * step
        if at - step >= device.segment_u:
            curve = abs(
                2 * np.int32(ring[at & RING_MASK]) - ring[(at - step) & RING_MASK] - ring[(at + step) & RING_MASK]
            )
            if abs(k) <= 5:
                inside += curve
            else:
                outside += curve
    return root(outside / 26.0, max(inside / 11.0, 1.0))
