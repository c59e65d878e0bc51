"""Electrical axes in the frontal plane: of P, QRS and T, from I and aVF or I and II."""

from __future__ import annotations

from math import atan2, nan, pi
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import RING_MASK

UNIPOLAR: Final = 1.1547005383792515
"""A unipolar lead is smaller than a bipolar one by the square root of 3 over 2 (Einthoven's triangle)."""
LEAST_UV_S: Final = 0.0002
"""A wave of a smaller net area has no direction."""


@kernel
def net_area(lead: Record, first_u: int, last_u: int, level_u: int, sloping: bool) -> float:
    """Area in µV samples over [first_u, last_u] above the level at `level_u`, or above the line through its ends."""
    if sloping:
        start = float(lead.ring[first_u & RING_MASK])
        end = float(lead.ring[last_u & RING_MASK])
    else:
        start = 0.0
        for u in range(level_u - 3, level_u + 1):
            start += lead.ring[u & RING_MASK]
        start /= 4.0
        end = start
    length = max(1, last_u - first_u)
    total = 0.0
    for u in range(first_u, last_u + 1):
        total += lead.ring[u & RING_MASK] - start - (end - start) * (u - first_u) / length
    return total


@kernel
def axis(device: Record, leads: NDArray[Any], first_u: int, last_u: int, level_u: int, sloping: bool) -> float:
    """Axis in degrees of the net areas of a wave; NaN without two limb leads or where there is no net area."""
    if device.limb_i < 0 or (device.limb_avf < 0 and device.limb_ii < 0) or last_u - first_u < 2:
        return nan
    i = net_area(leads[device.lead[device.limb_i]], first_u, last_u, level_u, sloping)
    if device.limb_avf >= 0:
        avf = net_area(leads[device.lead[device.limb_avf]], first_u, last_u, level_u, sloping)
    else:
        avf = net_area(leads[device.lead[device.limb_ii]], first_u, last_u, level_u, sloping) - i / 2.0
    if abs(i) + abs(avf) < LEAST_UV_S * device.inner_hz:
        return nan
    return float(atan2(avf * UNIPOLAR, i) * 180.0 / pi)
