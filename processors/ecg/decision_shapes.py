"""What candidates look like: a short stretch of the signal, scaled to its own size, against shapes seen before."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import RING_MASK, SHAPE, SHAPES

STEP_S: Final = 0.012
HALF: Final = SHAPE // 2
"""A shape reaches 14 steps, 168 ms, to each side."""
SHAPE_STEPS: Final = np.float32(1024.0)
"""Shapes, of norm 1, are kept in such steps: checkpoints compress better, likenesses don't change."""
BEAT_SHAPES: Final = 3
T_SHAPE: Final = 3
OTHER_SHAPE: Final = 4
ALIKE: Final = 0.8
FADE: Final = 0.97


@kernel
def sample_shape(lead: Record, at: int, device: Record, out: NDArray[Any]) -> float:
    """The signal around inner index `at` in steps of 12 ms, freed of its slope and mean, with norm 1.

    Before the segment it is held at its first value. Returns the norm it had, in µV.
    """
    ring = lead.ring
    step = int(STEP_S * device.inner_hz * 65536.0)
    for k in range(SHAPE):
        u = max(at + (((k - HALF) * step + 32768) >> 16), device.segment_u + 1)
        out[k] = 2 * np.int32(ring[u & RING_MASK]) + ring[(u - 1) & RING_MASK] + ring[(u + 1) & RING_MASK]
    first = (out[0] + out[1] + out[2]) / np.float32(3.0)
    last = (out[SHAPE - 3] + out[SHAPE - 2] + out[SHAPE - 1]) / np.float32(3.0)
    slope = (last - first) / np.float32(SHAPE - 3)
    mean = np.float32(0.0)
    for k in range(SHAPE):
        out[k] -= first + slope * np.float32(k - 1)
        mean += out[k]
    mean /= np.float32(SHAPE)
    total = np.float32(0.0)
    for k in range(SHAPE):
        out[k] -= mean
        total += out[k] * out[k]
    norm = np.sqrt(total)
    scale = np.float32(1.0) / norm if norm > 0.0 else np.float32(0.0)
    for k in range(SHAPE):
        out[k] *= scale
    return float(0.25 * norm)


@kernel
def alike(shape: NDArray[Any], seen: NDArray[Any], out: NDArray[Any]) -> None:
    """Correlation of a shape with each column of `seen`, the best of three shifts by one step; `out` holds 3·SHAPES."""
    here = out[:SHAPES]
    left = out[SHAPES : 2 * SHAPES]
    right = out[2 * SHAPES : 3 * SHAPES]
    out[: 3 * SHAPES] = 0.0
    for k in range(1, SHAPE - 1, 3):
        a = shape[k - 1]
        b = shape[k]
        c = shape[k + 1]
        d = shape[k + 2]
        e = shape[k + 3]
        for i in range(SHAPES):
            x = seen[k, i]
            y = seen[k + 1, i]
            z = seen[k + 2, i]
            left[i] += (a * x + b * y) + c * z
            here[i] += (b * x + c * y) + d * z
            right[i] += (c * x + d * y) + e * z
    for i in range(SHAPES):
        here[i] = max(here[i], left[i], right[i])


@kernel
def learn_beat_shape(lead: Record, shape: NDArray[Any], height: float, like: NDArray[Any]) -> None:
    """Blend a beat's shape into the one it is like, or put it in place of the one seen least."""
    alike(shape, lead.shapes, like)
    at = -1
    least = 0
    for i in range(BEAT_SHAPES):
        lead.shape_counts[i] *= FADE
        if lead.shape_counts[i] > 0.0 and (at < 0 or like[i] > like[at]):
            at = i
        if lead.shape_counts[i] < lead.shape_counts[least]:
            least = i
    if at >= 0 and like[at] > ALIKE:
        blend(lead, at, shape, height, 0.15)
        lead.shape_counts[at] += 1.0
    else:
        blend(lead, least, shape, height, 1.0)
        lead.shape_counts[least] = 1.0


@kernel
def blend(lead: Record, i: int, shape: NDArray[Any], height: float, gain: float) -> None:
    share = np.float32(gain if lead.shape_counts[i] > 0.0 else 1.0)
    for k in range(SHAPE):
        value = lead.shapes[k, i] + share * (shape[k] - lead.shapes[k, i])
        lead.shapes[k, i] = np.rint(value * SHAPE_STEPS) / SHAPE_STEPS
    lead.shape_heights[i] += share * (np.float32(height) - lead.shape_heights[i])


@kernel
def learn_other_shape(lead: Record, shape: NDArray[Any], height: float, early: bool) -> None:
    """Remember what rejected candidates look like, T waves apart."""
    i = T_SHAPE if early else OTHER_SHAPE
    blend(lead, i, shape, height, 0.1)
    lead.shape_counts[i] = 1.0
