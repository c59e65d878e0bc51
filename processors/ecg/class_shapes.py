"""The shapes of a patient's beats: up to four kinds of QRS complexes, how often each comes, and which one is usual."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEFORE, CLASSED, COARSE_POINTS, KIND, KINDS, USUAL

R: Final = 36
"""The coarse point at a beat's middle."""
FIRST: Final = BEFORE - 2 * R
KIND_FROM: Final = R - 11
REACH: Final = 3
"""Coarse points a QRS is moved to and fro for likeness."""
PLAIN: Final = 0.97
HOPELESS: Final = 0.0
"""With this correlation at no shift at all, a kind needs no further ones; with that one, neither."""
SAME: Final = 0.90
"""From this correlation on a beat is of a kind."""
MOVE: Final = 0.125
EARLY_MOVE: Final = 0.1
USUAL_BEATS: Final = 12
"""A beat counts 1/8 in its kind, 1/10 in what is known of it, and 1/12 in the usual beat."""
FORGET: Final = 1.0 / 256.0
SCALE: Final = 0.25
LARGEST: Final = 32000.0
NARROW: Final = 8.0
SOONEST: Final = 0.3
LATEST: Final = 1.3
CLEARLY: Final = 1.25


@kernel
def gather(device: Record, work: Record) -> int:
    """Coarse points of the windows of up to CLASSED leads, mean taken off; returns of how many leads."""
    count = int(min(device.measured_leads, CLASSED))
    for k in range(count):
        window = work.windows[k]
        points = work.coarse[k]
        total = np.int32(0)
        for i in range(FIRST, FIRST + 2 * COARSE_POINTS):
            total += window[i]
        mean = np.float32(total) / np.float32(COARSE_POINTS)
        for j in range(COARSE_POINTS):
            points[j] = np.float32(window[FIRST + 2 * j] + window[FIRST + 2 * j + 1]) - mean
    return count


@kernel
def like_at(points: NDArray[Any], first: int, kind: NDArray[Any], size: float) -> float:
    """Correlation of KIND points from `first` with a kind whose mean is 0 and whose squares add up to `size`."""
    total = np.float32(0.0)
    squares = np.float32(0.0)
    product = np.float32(0.0)
    for i in range(0, KIND, 4):
        a = points[first + i]
        b = points[first + i + 1]
        c = points[first + i + 2]
        d = points[first + i + 3]
        total += (a + b) + (c + d)
        squares += (a * a + b * b) + (c * c + d * d)
        low = a * np.float32(kind[i]) + b * np.float32(kind[i + 1])
        high = c * np.float32(kind[i + 2]) + d * np.float32(kind[i + 3])
        product += low + high
    around = squares - total * total / np.float32(KIND)
    if around <= 0.0 or size <= 0.0:
        return 0.0
    return float(product / sqrt(around * size))


@kernel
def size_of(kind: NDArray[Any]) -> float:
    """Sum of the squares of a kind's points."""
    total = np.int64(0)
    for i in range(KIND):
        total += np.int64(kind[i]) * np.int64(kind[i])
    return float(total)


@kernel
def compare_kind(device: Record, leads: NDArray[Any], count: int, c: int, work: Record) -> tuple[float, int]:
    """How like kind `c` the beat is (mean over leads, at the best shift), and that shift; fills work.alikes."""
    best = -2.0
    best_at = 0
    sizes_0 = size_of(leads[device.lead[device.measured[0]]].kinds[c])
    sizes_1 = size_of(leads[device.lead[device.measured[1]]].kinds[c]) if count > 1 else 0.0
    for step in range(2 * REACH + 1):
        shift = (step + 1) // 2 if step % 2 == 1 else -(step // 2)
        a = like_at(work.coarse[0], KIND_FROM + shift, leads[device.lead[device.measured[0]]].kinds[c], sizes_0)
        b = a  # a lead that has only just been taken in has no kinds yet
        if sizes_1 > 0.0:
            b = like_at(work.coarse[1], KIND_FROM + shift, leads[device.lead[device.measured[1]]].kinds[c], sizes_1)
        value = 0.5 * (a + b)
        if value > best:
            best = value
            best_at = shift
            work.alikes[c, 0] = a
            work.alikes[c, 1] = b
        if best >= PLAIN or best < HOPELESS:
            break
    return best, best_at


@kernel
def find_kind(device: Record, leads: NDArray[Any], count: int, work: Record) -> tuple[int, int]:
    """The kind the beat is most like and the shift at which it is; ABSENT when it is like none.

    The usual kind is asked first, and one that plainly fits is taken.
    """
    found = ABSENT
    shift = 0
    most = SAME
    for c in range(KINDS):
        work.best_alike[c] = 0.0
        work.alikes[c, 0] = 0.0
        work.alikes[c, 1] = 0.0
    for turn in range(KINDS):
        c = (device.kind_usual + turn) % KINDS
        if device.kind_counts[c] <= 0.0:
            continue
        value, at = compare_kind(device, leads, count, c, work)
        work.best_alike[c] = value
        if value >= most:
            most = value
            found = c
            shift = at
        if most >= PLAIN:
            break
    return found, shift


@kernel
def rarest(device: Record) -> int:
    """The kind that gives way to a new one: an empty one, or that which came least, never the usual one."""
    at = -1
    least = 1e9
    for c in range(KINDS):
        if c != device.kind_usual and device.kind_counts[c] < least:
            least = device.kind_counts[c]
            at = c
    return at


@kernel
def store_kind(kind: NDArray[Any], points: NDArray[Any], first: int, share: float) -> None:
    """Let a kind follow the points by `share`; it is kept with mean 0."""
    total = np.float32(0.0)
    for i in range(KIND):
        total += points[first + i]
    mean = total / np.float32(KIND)
    for i in range(KIND):
        wanted = SCALE * (points[first + i] - mean)
        value = kind[i] + share * (wanted - kind[i])
        kind[i] = np.int16(np.rint(min(LARGEST, max(-LARGEST, value))))


@kernel
def learn_kind(device: Record, leads: NDArray[Any], count: int, found: int, shift: int, early: float, width: float,
               work: Record) -> int:  # fmt: skip
    """Let the beat's kind follow it, or begin a new one; returns the kind."""
    c = found
    for i in range(KINDS):
        device.kind_counts[i] -= FORGET * device.kind_counts[i]
    if c < 0:
        c = rarest(device)
        device.kind_counts[c] = 0.0
        device.kind_early[c] = early
        device.kind_width[c] = width
        for k in range(device.leads):
            leads[device.lead[k]].kinds[c, :] = 0
    for k in range(count):
        kind = leads[device.lead[device.measured[k]]].kinds[c]
        blank = found < 0 or size_of(kind) <= 0.0
        store_kind(kind, work.coarse[k], KIND_FROM + shift, 1.0 if blank else MOVE)
    device.kind_counts[c] += 1.0
    share = max(EARLY_MOVE, 1.0 / device.kind_counts[c])
    device.kind_early[c] += share * (early - device.kind_early[c])
    device.kind_width[c] += share * (width - device.kind_width[c])
    return c


@kernel
def standing(device: Record, c: int) -> float:
    """What makes a kind the usual one: it comes often, not early, and is narrow."""
    early = min(LATEST, max(SOONEST, device.kind_early[c]))
    return float(device.kind_counts[c] * early * early / (NARROW + device.kind_width[c]))


@kernel
def choose_usual(device: Record, leads: NDArray[Any]) -> None:
    """Another kind becomes the usual one when it stands clearly higher; the usual beat begins anew then."""
    best = device.kind_usual
    high = CLEARLY * standing(device, best)
    for c in range(KINDS):
        value = standing(device, c)
        if value > high:
            high = value
            best = c
    if best != device.kind_usual:
        device.kind_usual = best
        for k in range(device.leads):
            leads[device.lead[k]].usual_beats = 0


@kernel
def learn_usual(lead: Record, points: NDArray[Any], shift: int) -> None:
    """Let the lead's usual beat follow this one."""
    lead.usual_beats = min(lead.usual_beats + 1, USUAL_BEATS)
    share = 1.0 / lead.usual_beats
    for i in range(USUAL):
        j = min(COARSE_POINTS - 2, max(0, 2 * i + shift))
        wanted = 0.5 * SCALE * (points[j] + points[j + 1])
        value = lead.usual[i] + share * (wanted - lead.usual[i])
        lead.usual[i] = np.int16(np.rint(min(LARGEST, max(-LARGEST, value))))
