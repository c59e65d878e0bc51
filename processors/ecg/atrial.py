"""Atrial fibrillation and flutter beat by beat, with hysteresis and an onset."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.atrial_flutter import BEATS_BACK, comb, speaks
from processors.ecg.atrial_network import advance, describe, forget
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.rhythm import FIBRILLATION, FLUTTER
from processors.ecg.state import ABSENT, ATRIAL_P, BEAT_MASK, BEATS

BEGINS: Final = 0.0
ENDS: Final = -0.5
"""Log odds at which fibrillation is stated, and under which no more; see docs/atrial.md for what chose them."""
FLUTTER_BEGINS: Final = 0.75
FLUTTER_ENDS: Final = 0.6
"""What comb() must reach for flutter, and where it is fibrillation again."""
LEAST: Final = 5
EARLY: Final = 12
EARLY_BEGINS: Final = 0.7
"""Nothing is said before 5 intervals, and until there are 12 it takes more: a deep breath or two look like chaos."""
BEHIND: Final = 4
"""The network answers for so many beats ago: it has seen what followed, and episodes are set back by them."""
FORGET_S: Final = 30.0
SILENT_S: Final = 10.0
DEAF: Final = 12
"""After so long without a beat what was heard before is forgotten, or no longer stated; or after so many beats in a row
that are ventricular, or can't be read."""


@kernel
def follow_atrial(device: Record, leads: NDArray[Any], end_u: int, quality: float, work: Record) -> int:
    """Take in the beats of the second that ends at `end_u`, of that quality (0 to 1); state the atria's rhythm.

    Returns a position in LABELS, or ABSENT. `device.atrial_first_u` is the R peak at which the label returned, or its
    absence, began; `device.atrial_score` the log odds of fibrillation. What is returned doesn't depend on anything
    after `end_u`.
    """
    count = min(device.beats - device.atrial_beats, BEATS)
    last_u = device.beat_u[(device.beats - count - 1) & BEAT_MASK] if count < min(device.beats, BEATS) else end_u
    for i in range(count):
        at = device.beats - count + i
        slot = at & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            break
        device.atrial_beats = at + 1
        if device.beat_u[slot] - last_u > FORGET_S * device.inner_hz:
            forget(device)
        last_u = device.beat_u[slot]
        if quality >= UNREADABLE and speaks(device, at):
            device.atrial_deaf = 0
            listen(device, at, work)
        else:
            be_deaf(device, at)
    if end_u - last_u > SILENT_S * device.inner_hz and device.atrial_label != ABSENT:
        device.atrial_label = ABSENT
        device.atrial_first_u = last_u
    return int(device.atrial_label)


@kernel
def be_deaf(device: Record, at: int) -> None:
    """Beat number `at` tells nothing; after so many of them what is stated no longer is."""
    device.atrial_deaf = min(int(device.atrial_deaf) + 1, DEAF)
    if device.atrial_deaf == DEAF and device.atrial_label != ABSENT:
        device.atrial_label = ABSENT
        device.atrial_first_u = device.beat_u[(at - min(DEAF, at)) & BEAT_MASK]


@kernel
def listen(device: Record, at: int, work: Record) -> None:
    """Put beat number `at` to the network and let its answer change the label."""
    slot = at & BEAT_MASK
    p_percent = int(device.atrial_p[at & (ATRIAL_P - 1)])
    describe(device, float(device.beat_rr[slot]), p_percent, not isnan(device.beat_pr[slot]), work.atrial_inputs)
    advance(device, work)
    stated = device.atrial_label != ABSENT
    limit = ENDS if stated else (EARLY_BEGINS if device.atrial_kept < EARLY else BEGINS)
    if device.atrial_kept >= LEAST and stated != (device.atrial_score > limit):
        device.atrial_label = ABSENT if stated else FIBRILLATION
        device.atrial_first_u = device.beat_u[(at - min(BEHIND, at)) & BEAT_MASK]
    elif stated:
        tell_flutter(device, at, work)


@kernel
def tell_flutter(device: Record, at: int, work: Record) -> None:
    """Call fibrillation flutter while its intervals are multiples of one atrial period, from half a window back."""
    fits = comb(device, at, work)
    flutters = device.atrial_label == FLUTTER
    if flutters != (fits > (FLUTTER_ENDS if flutters else FLUTTER_BEGINS)):
        device.atrial_label = FIBRILLATION if flutters else FLUTTER
        back_u = device.beat_u[(at - min(BEATS_BACK // 2, at)) & BEAT_MASK]
        device.atrial_first_u = max(device.atrial_first_u, back_u)
