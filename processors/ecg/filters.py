"""Conditioning of one lead: raw samples to whole µV at the inner rate, without mains hum and baseline, in the ring."""

from __future__ import annotations

from math import pi
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.mains import remove_mains
from processors.ecg.state import RING, RING_MASK

BASELINE_HZ: Final = 0.05
"""The diagnostic lower limit (AHA 2007): what it leaves of the ST level is true; wander goes in the envelope."""
LONG_MISSING_S: Final = 0.1
"""A hole longer than this may hide a step, so the baseline is set anew after it."""
RAIL: Final = 32767
MISSING: Final = -32768
LIMIT_UV: Final = 32767.0


@kernel
def restart(lead: Record) -> None:
    """Forget the past of the signal, keep what was learned of its level."""
    lead.ring[:] = 0
    lead.sum = 0
    lead.summed = 0
    lead.base = 0.0
    lead.held = 0
    lead.missing_run = 0
    lead.rebase = 1
    lead.best = 0.0


@kernel
def condition(lead: Record, raw: NDArray[np.int16], first: int, device: Record, work: Record) -> int:
    """Take in raw samples from recording index `first`; return how many conditioned ones they gave.

    One comes out per whole group of `divisor` samples (groups are aligned to index 0, so blocks of any length give
    the same); a group cut by the start of a segment is dropped. They stand in `work.clean` and in the lead's ring.
    """
    low, high = extent(raw)
    if low == MISSING:
        made = gather_with_holes(lead, raw, first, device, work)
    else:
        note(lead, raw, low, high)
        made = gather(lead, raw, first, device.divisor, work.gathered)
    remove_mains(lead, work.gathered, made)
    remove_baseline(lead, work.gathered, made, min(1.0, 2.0 * pi * BASELINE_HZ / device.inner_hz))
    round_off(work.gathered, made, work.clean)
    u = (first + raw.size) // device.divisor - made
    store(lead, work.clean, made, u)
    return made


@kernel
def extent(raw: NDArray[np.int16]) -> tuple[int, int]:
    """Lowest and highest value."""
    low = raw[0]
    high = raw[0]
    for value in raw:
        low = min(low, value)
        high = max(high, value)
    return int(low), int(high)


@kernel
def note(lead: Record, raw: NDArray[np.int16], low: int, high: int) -> None:
    """Count valid samples in the second in progress."""
    if lead.valid == 0:
        lead.low = low
        lead.high = high
    lead.valid += raw.size
    lead.low = min(lead.low, low)
    lead.high = max(lead.high, high)
    if high >= RAIL or low <= -RAIL:
        for value in raw:
            lead.railed += 1 if value >= RAIL or value <= -RAIL else 0


@kernel
def go_on(lead: Record, value: int) -> None:
    """A valid sample after missing ones: after a long hole, or at the start, the signal goes on without a step."""
    if lead.rebase:
        lead.offset = value - lead.held
        lead.rebase = 0
    lead.missing_run = 0


@kernel
def gather(lead: Record, raw: NDArray[np.int16], first: int, divisor: int, out: NDArray[Any]) -> int:
    """Means of groups in µV, of samples none of which is missing."""
    go_on(lead, raw[0])
    gain = lead.gain_uv
    offset = lead.offset
    lead.held = raw[raw.size - 1] - offset
    if divisor == 1:
        for i in range(raw.size):
            out[i] = (raw[i] - offset) * gain
        return int(raw.size)
    made = 0
    phase = first % divisor
    for value in raw:
        lead.sum += value - offset
        lead.summed += 1
        phase += 1
        if phase == divisor:
            made += close_group(lead, divisor, out, made)
            phase = 0
    return made


@kernel
def gather_with_holes(lead: Record, raw: NDArray[np.int16], first: int, device: Record, work: Record) -> int:
    """The same where samples are missing: the last value is held. `work.holes` counts leads that are missing long."""
    long_missing = int(LONG_MISSING_S * device.rate_hz)
    made = 0
    phase = first % device.divisor
    for i in range(raw.size):
        value = int(raw[i])
        if value == MISSING:
            lead.missing_run += 1
            if lead.missing_run > long_missing:
                lead.rebase = 1
        else:
            go_on(lead, value)
            lead.held = value - lead.offset
            note(lead, raw[i : i + 1], value, value)
        lead.sum += lead.held
        lead.summed += 1
        phase += 1
        if phase == device.divisor:
            one = close_group(lead, device.divisor, work.gathered, made)
            if one == 1 and lead.missing_run > long_missing:
                work.holes[made] += 1
            made += one
            phase = 0
    return made


@kernel
def close_group(lead: Record, divisor: int, out: NDArray[Any], made: int) -> int:
    """Write the mean of a whole group to `out`; returns 1, or 0 when the group began before the segment."""
    whole = 1 if lead.summed == divisor else 0
    if whole == 1:
        out[made] = lead.sum * lead.gain_uv / divisor
    lead.sum = 0
    lead.summed = 0
    return whole


@kernel
def remove_baseline(lead: Record, values: NDArray[Any], count: int, alpha: float) -> None:
    """One-pole high-pass, in place."""
    base = lead.base
    keep = 1.0 - alpha
    for i in range(count):
        base = keep * base + alpha * values[i]
        values[i] -= base
    lead.base = base


@kernel
def round_off(values: NDArray[Any], count: int, out: NDArray[np.int32]) -> None:
    """Whole µV within the ring's range."""
    for i in range(count):
        value = np.rint(values[i])
        value = LIMIT_UV if value > LIMIT_UV else value
        value = -LIMIT_UV if value < -LIMIT_UV else value
        out[i] = np.int32(value)


@kernel
def store(lead: Record, clean: NDArray[np.int32], count: int, u: int) -> None:
    """Put conditioned samples in the ring from inner index `u` on."""
    start = u & RING_MASK
    straight = min(count, RING - start)
    ahead = lead.ring[start : start + straight]
    for i in range(straight):
        ahead[i] = clean[i]
    around = clean[straight:count]
    for i in range(count - straight):
        lead.ring[i] = around[i]
