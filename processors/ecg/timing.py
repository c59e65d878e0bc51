"""Between inner indices, the recording's sample indices and UTC."""

from __future__ import annotations

from typing import Final

from processors.ecg.kernel import Record, kernel

DRIFT_US: Final = 50_000
"""A device clock that runs away by more than this moves the anchor."""


@kernel
def index_of(device: Record, u: int) -> int:
    """Recording index of the middle of inner sample `u`."""
    return int(u * device.divisor + (device.divisor - 1) // 2)


@kernel
def since_start_us(index: int, rate_hz: float) -> int:
    """Microseconds from index 0 to `index`, split so that no precision is lost at large indices."""
    seconds = int(index // rate_hz)
    rest = index - seconds * rate_hz
    return seconds * 1_000_000 + round(rest * 1_000_000.0 / rate_hz)


@kernel
def anchor(device: Record, index: int) -> int:
    """UTC of index 0 as valid at `index`."""
    return int(device.anchor_us if index >= device.anchor_index else device.older_anchor_us)


@kernel
def time_of(device: Record, index: int) -> int:
    return anchor(device, index) + since_start_us(index, device.rate_hz)


@kernel
def keep_time(device: Record, index: int, told_us: int) -> None:
    """Compare the device's clock (UTC of index 0 as the block at `index` tells it) with ours; re-anchor on drift."""
    if abs(told_us - device.anchor_us) > DRIFT_US:
        device.older_anchor_us = device.anchor_us
        device.anchor_us = told_us
        device.anchor_index = index


@kernel
def window_start(k: int, rate_hz: float) -> int:
    """First index of second `k`: the smallest not less than k times the rate."""
    start = int(k * rate_hz)
    if start < k * rate_hz:
        start += 1
    return start


@kernel
def window_holding(index: int, rate_hz: float) -> int:
    k = int(index / rate_hz)
    while window_start(k, rate_hz) > index:
        k -= 1
    while window_start(k + 1, rate_hz) <= index:
        k += 1
    return k
