"""What the main lead's signal of the last seconds is like: what tells fibrillation from beats and noise."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import FLAT_BIT, MISSING_BIT, NOISE_BIT, SATURATED_BIT
from processors.ecg.state import RING_MASK, VENTRICULAR_LAGS, VENTRICULAR_SCALE, VENTRICULAR_TRAITS, WINDOW_MASK

Samples = NDArray[Any]

POINTS_HZ: Final = 62.5
"""The signal is averaged down to about so many points a second (50 to 78): fibrillation lies below 10 Hz."""
LAGS: Final = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 35])
"""Lags in points of 16 ms: to 0.56 s, so that with its second the longest fits what a saved state keeps."""
MOST_CORRELATION: Final = 1.5
MOST_TRAIT: Final = 3.0
FAST: Final = 0.5
SLOW: Final = 0.2
"""Weight of the newest second in the two running means."""
CALM_SHARPNESS: Final = 0.2
CALM_QUALITY: Final = 0.95
"""Narrow complexes on a still line: the envelope's mean is under a fifth of its peak. So are 94 % of the seconds of
mitdb's training records, and 0.2 % of those in fibrillation, flutter or tachycardia of vfdb's first half."""
FIRST_SECONDS: Final = 2
LEAST_UV: Final = 1.0
USUAL_GAIN: Final = 0.1
FIRST_SHARE: Final = 0.5
"""The first sharp second may be a jolt."""
LOW: Final = 0.35
QUIET: Final = 0.12
"""Peak envelope of a second against the usual: without a QRS complex, without anything."""
ALIVE_STEPS: Final = 2
"""A lead that is on shows the converter's own noise at least; one that is off shows one value."""
SWING: Final = 0.5
SMALL_UV: Final = 200.0
LOW_SECONDS: Final = 2
AFTER_SWING: Final = 4
"""A still second (the second one without QRS: the first may hold a T wave) spans less than half the usual peak; where
an electrode came off, four more are waited for."""
MOST: Final = 10_000


@kernel
def glimpse(device: Record, leads: Samples) -> None:
    """Before the second's figures are cleared: how sharp the main lead's envelope is, how high each lead's is.

    A lead's usual peak is learned from its sharp seconds; it stays when the heart stops.
    """
    known = 0
    low = 0
    quiet = 0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        peak = float(lead.peak)
        usual = float(lead.usual_peak)
        sharpness = lead.energy / (max(lead.inner, 1) * max(peak, LEAST_UV))
        if k == device.main:
            device.ventricular_calm = 1 if sharpness < CALM_SHARPNESS else 0
        if usual > 0.0:
            known += 1
            low += 1 if peak < LOW * usual else 0
            quiet += 1 if peak < QUIET * usual else 0
            if sharpness < CALM_SHARPNESS:
                lead.usual_peak += USUAL_GAIN * (peak - usual)
        elif sharpness < CALM_SHARPNESS:
            lead.usual_peak = FIRST_SHARE * peak
    device.ventricular_lead = device.main
    device.ventricular_low = run_on(device.ventricular_low, low == known)
    device.ventricular_quiet = run_on(device.ventricular_quiet, known > 0 and quiet == known)


@kernel
def look_alive(device: Record, leads: Samples) -> None:
    """Count the seconds in a row in which some lead that is on can be read and lies still where there is no beat.

    When electrodes are pulled the baseline jumps and creeps back: then nothing is said of asystole for some seconds,
    nor while the leads are flat after that.
    """
    second = device.window & WINDOW_MASK
    watched = device.ventricular_low >= LOW_SECONDS and device.ventricular_on == 0  # after a shock all swings
    steady = 0
    swung = 0
    flat = 0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        spoiled = lead.flags_of[second] & (MISSING_BIT | SATURATED_BIT | NOISE_BIT)
        if spoiled != 0 or lead.high - lead.low < ALIVE_STEPS:
            continue
        flat += 1 if lead.flags_of[second] & FLAT_BIT else 0
        span_uv = (lead.high - lead.low) * lead.gain_uv
        if watched and span_uv > SWING * max(float(lead.usual_peak), SMALL_UV):
            swung += 1
        else:
            steady += 1
    if steady > 0 and (device.ventricular_alive >= 0 or flat < steady):
        device.ventricular_alive = min(device.ventricular_alive + 1, MOST)
    elif steady == 0 and swung > 0:
        device.ventricular_alive = -AFTER_SWING
    elif steady == 0:
        device.ventricular_alive = min(0, device.ventricular_alive)


@kernel
def watch(device: Record, leads: Samples, work: Record) -> None:
    """After the second's quality is known: unless it is calm, look at its signal."""
    look_alive(device, leads)
    main = leads[device.lead[device.ventricular_lead]]
    readable = main.quality_of[device.window & WINDOW_MASK] >= CALM_QUALITY
    if not readable:
        device.ventricular_calm = 0
    end_u = device.newest_u + 1
    fresh = end_u - max(device.segment_u, device.broken_u) >= FIRST_SECONDS * device.inner_hz
    if fresh and device.ventricular_calm == 0:
        device.ventricular_seen = min(device.ventricular_seen + 1, MOST)
        look(device, main, end_u, work)
    elif device.ventricular_seen > 0:
        device.ventricular_seen = 0
        device.ventricular_fast[:] = 0.0
        device.ventricular_slow[:] = 0.0


@kernel
def run_on(count: int, holds: bool) -> int:
    """Seconds in a row."""
    return min(count + 1, MOST) if holds else 0


@kernel
def look(device: Record, lead: Record, end_u: int, work: Record) -> None:
    """Enter the second that ends at `end_u` into the running means."""
    size = max(1, round(device.inner_hz / POINTS_HZ))
    hz = device.inner_hz / size
    count = round(hz)
    longest = lag_points(LAGS.size - 1, hz)
    points = work.curve
    average_down(lead, end_u, size, count + longest, points)
    straighten(points, count + longest)
    traits = work.fast
    power = correlate(points, count, longest, hz, traits)
    describe_shape(points, count, longest, power, traits)
    enter(device.ventricular_fast, traits, max(FAST, 1.0 / device.ventricular_seen))
    enter(device.ventricular_slow, traits, max(SLOW, 1.0 / device.ventricular_seen))


@kernel
def enter(means: Samples, traits: Samples, gain: float) -> None:
    """Move running means towards the second's traits."""
    for i in range(VENTRICULAR_TRAITS):
        value = VENTRICULAR_SCALE * min(MOST_TRAIT, max(-MOST_TRAIT, traits[i]))
        means[i] = round(means[i] + gain * (value - means[i]))


@kernel
def lag_points(i: int, hz: float) -> int:
    """Lag `i` in points."""
    return int(max(1, round(LAGS[i] / POINTS_HZ * hz)))


@kernel
def average_down(lead: Record, end_u: int, size: int, count: int, out: Samples) -> None:
    """Means of `size` conditioned samples each, the last one ending at `end_u`."""
    u = end_u - size * count
    for j in range(count):
        total = 0
        for _ in range(size):
            total += lead.ring[u & RING_MASK]
            u += 1
        out[j] = total / size


@kernel
def straighten(points: Samples, count: int) -> None:
    """Take off the parabola that fits best: what wander is left."""
    middle = 0.5 * (count - 1)
    spread = (count * count - 1) / 12.0
    mean = 0.0
    slope = 0.0
    bend = 0.0
    bends = 0.0
    for j in range(count):
        t = j - middle
        q = t * t - spread
        mean += points[j]
        slope += t * points[j]
        bend += q * points[j]
        bends += q * q
    mean /= count
    slope /= spread * count
    bend /= bends
    for j in range(count):
        t = j - middle
        points[j] -= mean + slope * t + bend * (t * t - spread)


@kernel
def correlate(points: Samples, count: int, longest: int, hz: float, traits: Samples) -> float:
    """Products of the newest `count` points with those a lag earlier, over their squares, whose sum is returned."""
    y = points[longest : longest + count]
    power = product(y, y, count) + LEAST_UV
    for i in range(VENTRICULAR_LAGS):
        lag = lag_points(i, hz)
        one = product(y, points[longest - lag : longest - lag + count], count) / power
        traits[i] = min(MOST_CORRELATION, max(-MOST_CORRELATION, one))
    return power


@kernel
def product(a: Samples, b: Samples, count: int) -> float:
    """Sum of products, in four sums side by side."""
    first = np.float32(0.0)
    second = np.float32(0.0)
    third = np.float32(0.0)
    fourth = np.float32(0.0)
    for j in range(0, count - 3, 4):
        first += a[j] * b[j]
        second += a[j + 1] * b[j + 1]
        third += a[j + 2] * b[j + 2]
        fourth += a[j + 3] * b[j + 3]
    for j in range(count - count % 4, count):
        first += a[j] * b[j]
    return float((first + second) + (third + fourth))


@kernel
def describe_shape(points: Samples, count: int, longest: int, power: float, traits: Samples) -> None:
    """Nine figures of how the signal spends the second: at its base or not, steep or not, crossing 0 how often.

    The shares over a fifth and over half of the largest deflection are Arafat's threshold crossing sample count
    (2011); the leakage is what is left when the signal is added to itself half a mean period later (Kuo & Dillman
    1978). Largest deflection and step are those of all the points, 0.56 s more than the second.
    """
    top = 1.0e-6
    steepest = 1.0e-6
    for j in range(1, longest + count):
        top = max(top, abs(points[j]))
        steepest = max(steepest, abs(points[j] - points[j - 1]))
    top = max(top, abs(points[0]))
    beyond = 0
    far = 0
    steep = 0
    crossings = 0
    total = 0.0
    steps = 1.0e-6
    for j in range(longest, longest + count):
        height = abs(points[j])
        step = abs(points[j] - points[j - 1])
        total += height
        steps += step
        beyond += 1 if height > 0.2 * top else 0
        far += 1 if height > 0.5 * top else 0
        steep += 1 if step > 0.1 * steepest else 0
        crossings += 1 if j > longest and points[j] * points[j - 1] < 0.0 else 0
    half = min(longest, max(1, round(np.pi * total / steps)))
    at = VENTRICULAR_LAGS
    traits[at] = beyond / count
    traits[at + 1] = total / (count * top)
    traits[at + 2] = steps / (count * steepest)
    traits[at + 3] = steep / count
    traits[at + 4] = leakage(points, longest, count, half)
    traits[at + 5] = 0.1 * crossings
    traits[at + 6] = total * total / (count * power)
    traits[at + 7] = far / count
    traits[at + 8] = half / POINTS_HZ


@kernel
def leakage(points: Samples, first: int, count: int, half: int) -> float:
    """What is left of `count` points from `first` when those half a period earlier are added, as a share."""
    left = 0.0
    held = 1.0e-6
    for j in range(first, first + count):
        left += abs(points[j] + points[j - half])
        held += abs(points[j]) + abs(points[j - half])
    return float(left / held)
