"""Conditioning of one lead: decimation, baseline removal, and the envelope that QRS complexes stand out of."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BOX_MASK, RING_MASK, SQUARE_MASK

BASELINE_HZ: Final = 0.05
"""The diagnostic lower limit (AHA 2007): what it leaves of the ST level is true; wander goes in the envelope."""
BOX_S: Final = 0.028
"""Width of the averages the envelope compares; chosen on the mitdb training records (0.018 to 0.030 tried)."""
SMOOTH_S: Final = 0.005
LONG_MISSING_S: Final = 0.1
"""A hole longer than this may hide a step, so the baseline is set anew after it."""
RAIL: Final = 32767
MISSING: Final = -32768
LIMIT_UV: Final = 32767.0


@kernel
def half_box(inner_hz: float) -> int:
    """Half the width of a box, in inner samples."""
    return max(1, round(BOX_S * inner_hz / 2.0))


@kernel
def smoothing(inner_hz: float) -> int:
    """Samples averaged on each side of the squared envelope."""
    return round(SMOOTH_S * inner_hz)


@kernel
def envelope_delay(inner_hz: float) -> int:
    """Inner samples from a point of the signal to its place in the envelope."""
    return 3 * half_box(inner_hz) + smoothing(inner_hz)


@kernel
def restart(lead: Record) -> None:
    """Forget the past of the signal, keep what was learned of its level."""
    lead.ring[:] = 0
    lead.boxes[:] = 0
    lead.squares[:] = 0.0
    lead.box = 0
    lead.tail = 0
    lead.sum = 0.0
    lead.summed = 0
    lead.missing_run = 0
    lead.rebase = 1
    lead.best = 0.0


@kernel
def push(lead: Record, u: int, x: int, half: int, smooth: int) -> float:
    """Envelope after the conditioned sample `x` (µV) at inner index `u`; see envelope_delay.

    With A the average over a box of width 2·half, the odd difference A(t+half) - A(t-half) and the even one
    2·A(t) - A(t-2·half) - A(t+2·half) are near enough in quadrature that the root of their summed squares follows
    a QRS complex without ripple. All sums are of integers, so nothing drifts.
    """
    width = 2 * half
    lead.tail = x
    lead.box += x - lead.ring[(u - width) & RING_MASK]
    lead.ring[u & RING_MASK] = x
    lead.boxes[u & BOX_MASK] = lead.box
    boxes = lead.boxes
    odd = float(boxes[(u - half) & BOX_MASK] - boxes[(u - 3 * half) & BOX_MASK])
    even = float(2 * boxes[(u - width) & BOX_MASK] - boxes[u & BOX_MASK] - boxes[(u - 2 * width) & BOX_MASK])
    lead.squares[u & SQUARE_MASK] = odd * odd + even * even
    total = 0.0
    for k in range(2 * smooth + 1):
        total += lead.squares[(u - k) & SQUARE_MASK]
    return sqrt(total / (2 * smooth + 1)) / width


@kernel
def condition(lead: Record, raw: NDArray[np.int16], first: int, device: Record, out: NDArray[Any],
              holes: NDArray[Any]) -> int:  # fmt: skip
    """Take in raw samples from recording index `first`; write their envelope to `out`, return how many values.

    One value comes out per whole group of `divisor` samples (groups are aligned to index 0, so blocks of any
    length give the same); a group cut by the start of a segment is dropped. `holes` counts, for each value, the
    leads that have been missing for long there.
    """
    divisor = device.divisor
    inner_hz = device.inner_hz
    half = half_box(inner_hz)
    smooth = smoothing(inner_hz)
    alpha = min(1.0, 2.0 * pi * BASELINE_HZ / inner_hz)
    long_missing = int(LONG_MISSING_S * device.rate_hz)
    made = 0
    phase = first % divisor
    u = first // divisor
    for i in range(raw.size):
        value = int(raw[i])
        if value == MISSING:
            lead.missing_run += 1
            value = lead.held
        else:
            if lead.missing_run > long_missing:
                lead.rebase = 1
            if lead.rebase:
                lead.sum = float(value * lead.summed)
            lead.missing_run = 0
            lead.held = value
            note(lead, value)
        lead.sum += value
        lead.summed += 1
        phase += 1
        if phase == divisor:
            if lead.summed == divisor:
                x = lead.sum * lead.gain_uv / divisor
                out[made] = push(lead, u, remove_baseline(lead, x, alpha), half, smooth)
                lead.energy += out[made]
                lead.peak = max(lead.peak, out[made])
                if lead.missing_run > long_missing:
                    holes[made] += 1
                made += 1
                lead.inner += 1
            phase = 0
            u += 1
            lead.sum = 0.0
            lead.summed = 0
    return made


@kernel
def note(lead: Record, value: int) -> None:
    """Count a valid sample in the second in progress."""
    if lead.valid == 0:
        lead.low = value
        lead.high = value
    lead.valid += 1
    lead.low = min(lead.low, value)
    lead.high = max(lead.high, value)
    if value >= RAIL or value <= -RAIL:
        lead.railed += 1


@kernel
def remove_baseline(lead: Record, x: float, alpha: float) -> int:
    """One-pole high-pass in µV, whole numbers; the baseline starts where the signal goes on without a step."""
    if lead.rebase:
        if lead.missing_run == 0:
            lead.base = x - lead.tail
            lead.rebase = 0
        else:
            return int(lead.tail)
    lead.base += alpha * (x - lead.base)
    return int(min(LIMIT_UV, max(-LIMIT_UV, np.rint(x - lead.base))))
