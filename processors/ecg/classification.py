"""What kind of beat: its shape against the device's usual one, how early it came, how wide it is."""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.rhythm import FIBRILLATION
from processors.ecg.state import BEAT_MASK, CLASS_N, CLASS_Q, CLASS_S, CLASS_V, GRID_HZ, TEMPLATE

TEMPLATE_BEFORE_S: Final = 0.09
TEMPLATE_S: Final = 0.20
TEMPLATE_GAIN: Final = 0.1
SHIFTS: Final = 3
MISSES_BEFORE_NEW: Final = 8
"""So many unlike beats in a row are the new usual shape."""
PREMATURE: Final = 0.87
PREMATURE_STEP: Final = 0.82
"""Breathing shortens an interval by up to 15 % from one beat to the next."""
VERY_UNLIKE: Final = 0.55
UNLIKE: Final = 0.80
WIDE_MS: Final = 120.0
WIDER: Final = 1.25
MUCH_WIDER_MS: Final = 105.0
MUCH_WIDER: Final = 1.4
LIKE: Final = 0.93


@kernel
def sample_shape(fine: NDArray[Any], count: int, r: int, hz: float, shape: NDArray[Any]) -> float:
    """TEMPLATE points of the signal about R, mean taken off; returns their norm."""
    mean = 0.0
    for k in range(TEMPLATE):
        i = r + int((k * TEMPLATE_S / TEMPLATE - TEMPLATE_BEFORE_S) * hz + 1000.5) - 1000
        shape[k] = fine[min(count - 1, max(0, i))]
        mean += shape[k]
    mean /= TEMPLATE
    norm = 0.0
    for k in range(TEMPLATE):
        shape[k] -= mean
        norm += shape[k] * shape[k]
    return sqrt(norm)


@kernel
def likeness(device: Record, fine: NDArray[Any], count: int, r: int, shape: NDArray[Any]) -> float:
    """Correlation with the usual shape, shifted a little while it is low; 1 while there is no usual shape."""
    usual = 0.0
    for k in range(TEMPLATE):
        usual += device.template[k] * device.template[k]
    if usual <= 0.0 or device.template_lead != device.main:
        return 1.0
    best = compare(device, fine, count, r, usual, shape)
    for shift in range(1, SHIFTS + 1):
        if best >= LIKE:
            break
        best = max(best, compare(device, fine, count, r - shift, usual, shape))
        best = max(best, compare(device, fine, count, r + shift, usual, shape))
    return best


@kernel
def compare(device: Record, fine: NDArray[Any], count: int, r: int, usual: float, shape: NDArray[Any]) -> float:
    """Correlation with the usual shape, whose squares add up to `usual`, when R is at `r`."""
    norm = sample_shape(fine, count, r, GRID_HZ, shape)
    if norm <= 0.0:
        return -1.0
    product = 0.0
    for k in range(TEMPLATE):
        product += device.template[k] * shape[k]
    return float(product / (norm * sqrt(usual)))


@kernel
def learn_shape(device: Record, fine: NDArray[Any], count: int, r: int, like: float, shape: NDArray[Any]) -> None:
    """Let the usual shape follow beats like it; replace it after many unlike ones."""
    norm = sample_shape(fine, count, r, GRID_HZ, shape)
    if norm <= 0.0:
        return
    empty = device.template_lead != device.main
    device.template_misses = 0 if like >= UNLIKE else device.template_misses + 1
    if empty or device.template_misses >= MISSES_BEFORE_NEW:
        for k in range(TEMPLATE):
            device.template[k] = shape[k]
        device.template_lead = device.main
        device.template_misses = 0
    elif like >= UNLIKE:
        for k in range(TEMPLATE):
            device.template[k] += TEMPLATE_GAIN * (shape[k] - device.template[k])


@kernel
def usual_rr(device: Record) -> float:
    """Median RR in ms of the last 8 beats that have one, 0 when fewer than 3 have."""
    return usual(device, device.beat_rr, 8)


@kernel
def usual(device: Record, values: NDArray[Any], most: int) -> float:
    """Median of the last `most` beats' values, those not NaN; 0 when fewer than 3 are there."""
    count = int(min(device.beats, most))
    found = 0
    for i in range(count):
        found += 0 if isnan(values[(device.beats - 1 - i) & BEAT_MASK]) else 1
    if found < 3:
        return 0.0
    for i in range(count):
        mine = values[(device.beats - 1 - i) & BEAT_MASK]
        below = 0
        for j in range(count):
            other = values[(device.beats - 1 - j) & BEAT_MASK]
            if other < mine or (other == mine and j < i):
                below += 1
        if below == (found - 1) // 2 and not isnan(mine):
            return float(mine)
    return 0.0


@kernel
def is_early(device: Record, rr_ms: float, before: float) -> bool:
    """Sooner than usual, and sooner than the beat before it unless that one was ectopic itself (breathing is not)."""
    if isnan(rr_ms) or before <= 0.0 or rr_ms >= PREMATURE * before:
        return False
    last = (device.beats - 1) & BEAT_MASK
    if device.beat_class[last] == CLASS_S or device.beat_class[last] == CLASS_V:
        return True
    return not rr_ms >= PREMATURE_STEP * device.beat_rr[last]


@kernel
def classify(device: Record, rr_ms: float, qrs_ms: float, like: float, quality: float) -> int:
    """AAMI class by a simple rule: N, S (early, usual shape), V (early or wide, other shape), Q (unreadable)."""
    if quality <= 0.0:
        return CLASS_Q
    before = usual_rr(device)
    width = usual(device, device.beat_qrs, 16)
    early = is_early(device, rr_ms, before)
    wide = not isnan(qrs_ms) and qrs_ms >= WIDE_MS and (width == 0.0 or qrs_ms > WIDER * width)
    if like < VERY_UNLIKE or (like < UNLIKE and (early or wide)):
        return CLASS_V
    if width > 0.0 and qrs_ms >= MUCH_WIDER_MS and qrs_ms > MUCH_WIDER * width and (early or like < LIKE):
        return CLASS_V
    if early and device.rhythm != FIBRILLATION:
        return CLASS_S
    return CLASS_N
