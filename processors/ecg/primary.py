"""The primary rhythm second by second: the most urgent of what the signal, the atria and the rate speak for."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.atrial import follow_atrial
from processors.ecg.episodes import change_primary, update_primary
from processors.ecg.intervals import newest_before
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import FLAT_BIT, LEAD_OFF_BIT, MISSING_BIT, SATURATED_BIT, UNREADABLE
from processors.ecg.rhythm import FIBRILLATION, FLUTTER, LEAD_OFF, NOISE, PACED, SINUS, certainty, judge
from processors.ecg.state import ABSENT, NEVER, WINDOW_MASK
from processors.ecg.supraventricular import follow_supraventricular
from processors.ecg.timing import window_start

RUNS: Final = 3
"""A label judged by the rate must hold for this many seconds before it replaces another such label."""


@kernel
def follow_primary(device: Record, leads: NDArray[Any], rows: NDArray[Any], made: int, source: int, k: int, end_u: int,
                   quality: float, work: Record) -> int:  # fmt: skip
    """Judge second `k`; open, update and close the primary rhythm's episodes. Returns the rows made so far."""
    device.unreadable = device.unreadable + 1 if quality < UNREADABLE else 0
    start_u = window_start(k, device.rate_hz) // device.divisor
    label, first_u = urgent(device, leads, k, start_u, end_u, quality, work)
    slow = ABSENT
    if label == ABSENT:
        slow = judge(device, end_u, work.intervals) if device.unreadable == 0 else ABSENT
        newest_u = newest_before(device, end_u)
        count_runs(device, slow, newest_u if newest_u != NEVER else start_u)
        if slow != ABSENT and (device.next_runs >= RUNS or ends_now(device)):
            label = slow
            began_u = device.atrial_first_u if device.rhythm in (FIBRILLATION, FLUTTER) else device.next_first_u
            first_u = max(began_u, device.rhythm_first_u + 1)
        elif ends_now(device):
            return change_primary(device, rows, made, source, k, ABSENT, max(start_u, newest_u), 0.0)
    if label == ABSENT or label == device.rhythm:  # noqa: PLR1714 - numba has no `in` for mixed widths
        if device.rhythm != ABSENT and (label != ABSENT or slow == device.rhythm):
            device.rhythm_sure = certainty(device, device.rhythm, end_u, quality, work.intervals)
        return update_primary(device, rows, made, source, k, end_u)
    sure = certainty(device, label, end_u, quality, work.intervals)
    return change_primary(device, rows, made, source, k, label, first_u, sure)


@kernel
def urgent(device: Record, leads: NDArray[Any], k: int, start_u: int, end_u: int, quality: float,
           work: Record) -> tuple[int, int]:  # fmt: skip
    """The label that is stated at once, and where it began; ABSENT when the rate may speak."""
    tachycardia = follow_supraventricular(device, end_u)
    atrial = follow_atrial(device, leads, end_u, quality, work)
    if device.unreadable >= RUNS:
        return LEAD_OFF if all_off(device, leads, k) else NOISE, start_u
    if atrial != ABSENT:
        return atrial, max(device.atrial_first_u, device.rhythm_first_u + 1)
    if tachycardia != ABSENT:
        return tachycardia, device.sv_first_u
    return ABSENT, NEVER


@kernel
def all_off(device: Record, leads: NDArray[Any], k: int) -> bool:
    """Whether every lead is off in second `k`: nothing comes of it, or a line, or the converter's rail."""
    off = 0
    for i in range(device.leads):
        flags = leads[device.lead[i]].flags_of[k & WINDOW_MASK]
        off += 1 if flags & LEAD_OFF_BIT and flags & (MISSING_BIT | FLAT_BIT | SATURATED_BIT) else 0
    return bool(off == device.leads)


@kernel
def ends_now(device: Record) -> bool:
    """Whether the rhythm stated is one that ends as soon as nothing speaks for it any more."""
    waits = device.rhythm in SINUS or device.rhythm in (ABSENT, PACED, NOISE, LEAD_OFF)
    return device.unreadable == 0 and not waits


@kernel
def count_runs(device: Record, label: int, start_u: int) -> None:
    """For how many seconds another label than the one stated has held."""
    if label == ABSENT or label == device.rhythm:  # noqa: PLR1714 - numba has no `in` for mixed widths
        device.next_runs = 0
    elif label == device.next_rhythm and device.next_runs > 0:
        device.next_runs += 1
    else:
        device.next_rhythm = label
        device.next_runs = 1
        device.next_first_u = start_u
