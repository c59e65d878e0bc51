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
from processors.ecg.ventricular import follow_ventricular, is_ventricular, sureness

RUNS: Final = 3
"""A label judged by the rate must hold for this many seconds before it replaces another such label."""


@kernel
def follow_primary(device: Record, leads: NDArray[Any], rows: NDArray[Any], made: int, source: int, k: int, end_u: int,
                   quality: float, work: Record) -> int:  # fmt: skip
    """Judge second `k`; open, update and close the primary rhythm's episodes. Returns the rows made so far."""
    device.unreadable = device.unreadable + 1 if quality < UNREADABLE else 0
    start_u = window_start(k, device.rate_hz) // device.divisor
    label, first_u = urgent(device, leads, k, start_u, end_u, quality, work)
    if label == ABSENT:
        label, first_u = calm(device, start_u, end_u, work)
    if label != device.rhythm:
        sure = how_sure(device, label, end_u, quality, work)
        return change_primary(device, rows, made, source, k, label, first_u, start_u, sure)
    if device.rhythm != ABSENT and device.next_runs == 0:
        device.rhythm_sure = how_sure(device, label, end_u, quality, work)
    return update_primary(device, rows, made, source, k, end_u)


@kernel
def calm(device: Record, start_u: int, end_u: int, work: Record) -> tuple[int, int]:
    """The label the rate speaks for, and where it began; the one stated until another has held for long enough."""
    slow = judge(device, end_u, work.intervals) if device.unreadable == 0 else ABSENT
    since_u = start_of_change(device, start_u, end_u)
    count_runs(device, slow, since_u)
    if ends_now(device):
        return slow, since_u
    if device.next_runs >= RUNS:
        return slow, max(device.next_first_u, device.rhythm_first_u + 1)
    return int(device.rhythm), NEVER


@kernel
def start_of_change(device: Record, start_u: int, end_u: int) -> int:
    """Where a change seen in the second from `start_u` to `end_u` began: with its newest beat, if beats tell."""
    if device.rhythm in (FIBRILLATION, FLUTTER):
        return int(device.atrial_first_u)  # of its absence
    newest_u = newest_before(device, end_u)
    return start_u if newest_u == NEVER or is_ventricular(device.rhythm) else newest_u


@kernel
def urgent(device: Record, leads: NDArray[Any], k: int, start_u: int, end_u: int, quality: float,
           work: Record) -> tuple[int, int]:  # fmt: skip
    """The label that is stated at once, and where it began; ABSENT when the rate may speak."""
    ventricular = follow_ventricular(device, leads, end_u, quality, work)
    # chaos or a run of the ventricles says nothing of the atria
    atrial = follow_atrial(device, leads, end_u, quality if ventricular == ABSENT else 0.0, work)
    tachycardia = follow_supraventricular(device, end_u)
    if ventricular != ABSENT:
        return ventricular, device.ventricular_first_u
    if device.unreadable >= RUNS:
        return LEAD_OFF if all_off(device, leads, k) else NOISE, start_u
    earliest = start_u if interrupts(device.rhythm) else NEVER
    if atrial != ABSENT:
        return atrial, max(earliest, device.atrial_first_u)
    if tachycardia != ABSENT:
        return tachycardia, max(earliest, device.sv_first_u)
    return ABSENT, NEVER


@kernel
def interrupts(label: int) -> bool:
    """Whether what goes on beneath a rhythm is stated anew when it is over."""
    return bool(label in (NOISE, LEAD_OFF) or is_ventricular(label))


@kernel
def how_sure(device: Record, label: int, end_u: int, quality: float, work: Record) -> float:
    """0 to 100."""
    if device.ventricular != ABSENT and label == device.ventricular:
        return float(sureness(device, label, quality))
    return float(certainty(device, label, end_u, quality, work.intervals))


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
