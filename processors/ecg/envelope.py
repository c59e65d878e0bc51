"""The envelope that QRS complexes stand out of, of one lead and of all leads together."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import RING_MASK

BOX_S: Final = 0.028
"""Width of the averages the envelope compares; chosen on the mitdb training records (0.018 to 0.030 tried)."""
SMOOTH_S: Final = 0.005


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
def envelop(lead: Record, u: int, count: int, inner_hz: float, work: Record, out: NDArray[Any]) -> None:
    """Envelope in µV of the newest `count` samples, which stand in `work.clean` and in the ring up to inner index `u`.

    With A the average over a box of width 2·half, the odd difference A(t+half) - A(t-half) and the even one
    2·A(t) - A(t-2·half) - A(t+2·half) are near enough in quadrature that the root of their summed squares follows
    a QRS complex without ripple. Boxes are differences of running sums of integers, so nothing drifts.
    """
    half = half_box(inner_hz)
    smooth = smoothing(inner_hz)
    before = 6 * half + 2 * smooth
    sums = work.sums
    total = np.int32(0)
    for i in range(before):
        total += lead.ring[(u - count - before + 1 + i) & RING_MASK]
        sums[i + 1] = total
    later = sums[before + 1 :]
    for i in range(count):
        total += work.clean[i]
        later[i] = total
    square(sums, half, count + 2 * smooth, work.squares)
    scale = np.float32(1.0 / ((2 * smooth + 1) * 4.0 * half * half))
    if smooth == 1:
        average_of_3(work.squares, count, scale, out)
    else:
        average(work.squares, 2 * smooth + 1, count, scale, out)


@kernel
def square(sums: NDArray[np.int32], half: int, count: int, out: NDArray[np.float32]) -> None:
    """Squared odd and even differences of boxes, added."""
    s0 = sums[6 * half + 1 :]
    s1 = sums[5 * half + 1 :]
    s2 = sums[4 * half + 1 :]
    s3 = sums[3 * half + 1 :]
    s4 = sums[2 * half + 1 :]
    s5 = sums[half + 1 :]
    s6 = sums[1:]
    for i in range(count):
        odd = np.float32((s1[i] - s3[i]) - (s3[i] - s5[i]))
        even = np.float32(3 * (s2[i] - s4[i]) - (s0[i] - s6[i]))
        out[i] = odd * odd + even * even


@kernel
def average_of_3(squares: NDArray[np.float32], count: int, scale: np.float32, out: NDArray[Any]) -> None:
    """The usual case of `average`, laid out so that it is done in vectors."""
    s1 = squares[1:]
    s2 = squares[2:]
    for i in range(count):
        out[i] = np.sqrt((squares[i] + s1[i] + s2[i]) * scale)


@kernel
def average(squares: NDArray[np.float32], width: int, count: int, scale: np.float32, out: NDArray[Any]) -> None:
    """Root of the mean square over `width` samples."""
    for i in range(count):
        total = np.float32(0.0)
        for k in range(width):
            total += squares[i + k]
        out[i] = np.sqrt(total * scale)


@kernel
def note_height(lead: Record, envelope: NDArray[Any], count: int) -> None:
    """Sum and peak of the envelope in the second in progress; whole µV, so that the order of adding doesn't matter."""
    energy = np.int64(0)
    peak = np.int32(0)
    for i in range(count):
        height = np.int32(envelope[i])
        energy += height
        peak = max(peak, height)
    lead.energy += energy
    lead.peak = max(lead.peak, peak)
    lead.inner += count


@kernel
def fuse(device: Record, leads: NDArray[Any], envelopes: NDArray[Any], count: int, out: NDArray[Any]) -> None:
    """Weighted sum of the leads' envelopes."""
    weight = np.float32(leads[device.lead[0]].weight)
    first = envelopes[0]
    for i in range(count):
        out[i] = weight * first[i]
    for k in range(1, device.leads):
        weight = np.float32(leads[device.lead[k]].weight)
        other = envelopes[k]
        for i in range(count):
            out[i] += weight * other[i]
