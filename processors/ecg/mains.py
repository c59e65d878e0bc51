"""Mains hum: found at 50 or 60 Hz where it is, followed by an oscillator, and taken off."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import RING_MASK

FREQUENCIES_HZ: Final = (50.0, 60.0)
BESIDE_HZ: Final = (-5.0, -3.0, 3.0, 5.0)
"""The spectrum this far away tells what the beats themselves have at such frequencies."""
STANDS_OUT: Final = 4.0
"""Hum is at least so many times higher than what lies beside it, in amplitude."""
LEAST_UV: Final = 5.0
"""Less hum is left alone: it is lost in the noise of a good amplifier."""
FOUND_RUNS: Final = 3
"""Looks in a row that must find it: a beat's own spectrum may stand out once."""
OFTEN_S: Final = 8
LOOK_EVERY_S: Final = 16
"""Seconds between looks once the recording is older than OFTEN_S."""
STEP_UV: Final = 0.4
STEP_SHARE: Final = 0.008
"""The oscillator's estimate moves by so much a sample at most: beats can't shake it, slow changes it follows."""
NEAR_HALF: Final = 0.02
"""Hum this near to half the inner rate (as a share of it) has no phase to follow: 50 Hz at 100 Hz stays in."""


@kernel
def remove_mains(lead: Record, values: NDArray[Any], count: int) -> None:
    """Subtract the oscillator in place and correct it by the sign of what is left (Levkov; Hamilton 1996).

    The comparison is of differences between neighbours, so that baseline doesn't matter, and by sign, so that a QRS
    complex corrects no more than a quiet stretch does.
    """
    if count == 0:
        return
    if lead.mains_hz == 0.0:
        lead.mains_left = values[count - 1]
        return
    turn = lead.mains_turn
    step = lead.mains_step
    newer = lead.mains_newer
    older = lead.mains_older
    left = lead.mains_left
    for i in range(count):
        hum = turn * newer - older
        rest = values[i] - hum
        if rest > left:
            hum += step
        elif rest < left:
            hum -= step
        left = values[i] - hum
        older = newer
        newer = hum
        values[i] = left
    lead.mains_newer = newer
    lead.mains_older = older
    lead.mains_left = left


@kernel
def look_for_mains(lead: Record, first_u: int, end_u: int, second: int, inner_hz: float) -> None:
    """At the end of a second, whose conditioned samples are [first_u, end_u): start or stop the oscillator."""
    if lead.mains_hz > 0.0:
        keep_or_stop(lead, inner_hz)
        return
    if second >= OFTEN_S and second % LOOK_EVERY_S != 0:
        return
    best_hz = 0.0
    for mains_hz in FREQUENCIES_HZ:
        hz = min(mains_hz, inner_hz - mains_hz)  # sampled at 100 Hz, 60 Hz shows as 40 Hz
        if abs(hz - inner_hz / 2.0) > NEAR_HALF * inner_hz and stands_out(lead, first_u, end_u, hz, inner_hz):
            best_hz = hz
    if best_hz == 0.0:
        lead.mains_runs = 0
    elif best_hz == lead.mains_seen_hz or lead.mains_runs == 0:
        lead.mains_runs += 1
    else:
        lead.mains_runs = 1
    lead.mains_seen_hz = best_hz
    if lead.mains_runs >= FOUND_RUNS:
        start(lead, first_u, end_u, best_hz, inner_hz)


@kernel
def component(lead: Record, first_u: int, end_u: int, hz: float, inner_hz: float) -> tuple[float, float]:
    """Cosine and sine amplitude in µV of one frequency; phase 0 is at `first_u` (Goertzel)."""
    angle = 2.0 * pi * hz / inner_hz
    turn = 2.0 * cos(angle)
    newer = 0.0
    older = 0.0
    for u in range(first_u, end_u):
        value = lead.ring[u & RING_MASK] + turn * newer - older
        older = newer
        newer = value
    count = end_u - first_u
    # The sum of x[n]·exp(-i·angle·n) is (newer - exp(-i·angle)·older) turned back by count - 1 samples.
    real = newer - older * cos(angle)
    imaginary = older * sin(angle)
    back = angle * (count - 1)
    a = real * cos(back) + imaginary * sin(back)
    b = imaginary * cos(back) - real * sin(back)
    return 2.0 * a / count, -2.0 * b / count


@kernel
def stands_out(lead: Record, first_u: int, end_u: int, hz: float, inner_hz: float) -> bool:
    """Whether the second has far more of a frequency than of those beside it."""
    a, b = component(lead, first_u, end_u, hz, inner_hz)
    height = sqrt(a * a + b * b)
    if height < LEAST_UV:
        return False
    for away in BESIDE_HZ:
        a, b = component(lead, first_u, end_u, hz + away, inner_hz)
        if height < STANDS_OUT * sqrt(a * a + b * b):
            return False
    return True


@kernel
def start(lead: Record, first_u: int, end_u: int, hz: float, inner_hz: float) -> None:
    """Set the oscillator going with the amplitude and phase the second has."""
    a, b = component(lead, first_u, end_u, hz, inner_hz)
    angle = 2.0 * pi * hz / inner_hz
    last = angle * (end_u - 1 - first_u)
    lead.mains_hz = hz
    lead.mains_turn = 2.0 * cos(angle)
    lead.mains_newer = a * cos(last) + b * sin(last)
    lead.mains_older = a * cos(last - angle) + b * sin(last - angle)
    lead.mains_left -= lead.mains_newer
    set_height(lead, sqrt(a * a + b * b))


@kernel
def keep_or_stop(lead: Record, inner_hz: float) -> None:
    """Fit the step to the oscillator's amplitude; stop it when the hum is gone."""
    angle = 2.0 * pi * lead.mains_hz / inner_hz
    newer = lead.mains_newer
    older = lead.mains_older
    height = sqrt(newer * newer + older * older - 2.0 * newer * older * cos(angle)) / sin(angle)
    set_height(lead, height)
    if height < LEAST_UV / 2.0:
        lead.mains_hz = 0.0
        lead.mains_uv = 0.0
        lead.mains_runs = 0
        lead.mains_left += newer


@kernel
def set_height(lead: Record, uv: float) -> None:
    """The oscillator's amplitude, and by how much a sample may move it."""
    lead.mains_uv = uv
    lead.mains_step = STEP_UV + STEP_SHARE * uv
