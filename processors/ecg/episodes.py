"""Episodes: one primary rhythm at a time, and conditions and pauses beside it; opened, updated, closed."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.conditions import CLOSE_AFTER_S, LABELS, OPEN_AFTER_S
from processors.ecg.intervals import newest_before
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.rhythm import PAUSE
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CONDITIONS, NEVER
from processors.ecg.timing import index_of, time_of, window_start

PAUSE_S: Final = 3.0
"""ACC/AHA/HRS 2018, bradycardia: a pause is longer than 3 s."""
UPDATE_S: Final = 10
OPENED: Final = 0
UPDATED: Final = 1
CLOSED: Final = 2


@kernel
def add(device: Record, rows: NDArray[Any], made: int, source: int, label: int, state: int, first_u: int,
        end_u: int, sure: float) -> int:  # fmt: skip
    """A row of the episode that began at inner index `first_u` and reaches to `end_u` so far."""
    if made >= rows.size:
        return made
    row = rows[made]
    row.source = source
    row.rhythm = label
    row.state = state
    row.first_r_index = index_of(device, first_u)
    row.started_at_us = time_of(device, row.first_r_index)
    row.ended_at_us = max(row.started_at_us, time_of(device, index_of(device, end_u)))
    row.confidence = sure
    return made + 1


@kernel
def follow_conditions(device: Record, rows: NDArray[Any], made: int, source: int, k: int, end_u: int, sure: float,
                      work: Record) -> int:  # fmt: skip
    """Open, update and close what work.holds says of second `k`, which ends at `end_u`."""
    for i in range(CONDITIONS):
        holds = work.holds[i] != 0
        contrary = holds != (device.condition_open[i] != 0)
        if holds:
            if device.condition_open[i] == 0 and device.condition_runs[i] == 0:
                device.condition_first_u[i] = max(work.since_u[i], device.condition_last_u[i] + 1)
            device.condition_last_u[i] = work.until_u[i]
        device.condition_runs[i] = device.condition_runs[i] + 1 if contrary else 0
        first_u = device.condition_first_u[i]
        if contrary and holds and device.condition_runs[i] >= OPEN_AFTER_S[i]:
            device.condition_open[i] = 1
            device.condition_runs[i] = 0
            made = add(device, rows, made, source, LABELS[i], OPENED, first_u, end_u, sure)
        elif contrary and not holds and device.condition_runs[i] >= CLOSE_AFTER_S[i]:
            made = close_condition(device, rows, made, source, i, sure)
        elif device.condition_open[i] != 0 and (k + i) % UPDATE_S == 0:
            made = add(device, rows, made, source, LABELS[i], UPDATED, first_u, device.condition_last_u[i], sure)
    return made


@kernel
def close_condition(device: Record, rows: NDArray[Any], made: int, source: int, i: int, sure: float) -> int:
    device.condition_open[i] = 0
    device.condition_runs[i] = 0
    first_u = device.condition_first_u[i]
    return add(device, rows, made, source, LABELS[i], CLOSED, first_u, device.condition_last_u[i], sure)


@kernel
def follow_pauses(device: Record, rows: NDArray[Any], made: int, source: int, end_u: int, quality: float) -> int:
    """Pauses among the beats of the second that ends at `end_u`, and the one that goes on at its end."""
    sure = 100.0 * quality
    count = min(device.beats - device.seen_beats, BEATS)
    for i in range(count):
        slot = (device.beats - count + i) & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            break
        device.seen_beats = device.beats - count + i + 1
        made = end_pause(device, rows, made, source, slot, sure)
    last = newest_before(device, end_u)
    if (device.pause_first_u == NEVER and last > device.broken_u and quality >= UNREADABLE
            and end_u - last > PAUSE_S * device.inner_hz):  # fmt: skip
        device.pause_first_u = last
        made = add(device, rows, made, source, PAUSE, OPENED, last, end_u, sure)
    return made


@kernel
def end_pause(device: Record, rows: NDArray[Any], made: int, source: int, slot: int, sure: float) -> int:
    """Close the open pause at this beat, or state a whole one that this beat has ended."""
    u = device.beat_u[slot]
    rr = device.beat_rr[slot]
    if device.pause_first_u != NEVER:
        first = device.pause_first_u
        device.pause_first_u = NEVER
        return add(device, rows, made, source, PAUSE, CLOSED, first, u, sure)
    if not isnan(rr) and rr > 1000.0 * PAUSE_S and device.unreadable == 0:
        first = u - round(rr * device.inner_hz / 1000.0)
        made = add(device, rows, made, source, PAUSE, OPENED, first, u, sure)
        return add(device, rows, made, source, PAUSE, CLOSED, first, u, sure)
    return made


@kernel
def change_primary(device: Record, rows: NDArray[Any], made: int, source: int, k: int, label: int, first_u: int,
                   start_u: int, sure: float) -> int:  # fmt: skip
    """Close the primary rhythm that was and open `label`, or none for ABSENT, which began at `first_u`.

    A rhythm that began before the one it replaces lets that one stand until the present second, from `start_u`.
    """
    if device.rhythm != ABSENT:
        was_first_u = device.rhythm_first_u
        until_u = first_u if first_u > was_first_u else start_u
        made = add(device, rows, made, source, device.rhythm, CLOSED, was_first_u, until_u, device.rhythm_sure)
    device.rhythm = label
    device.next_runs = 0
    if label == ABSENT:
        return made
    device.rhythm_first_u = first_u
    device.rhythm_since = k
    device.rhythm_sure = sure
    end_u = window_start(k + 1, device.rate_hz) // device.divisor
    return add(device, rows, made, source, label, OPENED, first_u, end_u, sure)


@kernel
def update_primary(device: Record, rows: NDArray[Any], made: int, source: int, k: int, end_u: int) -> int:
    if device.rhythm == ABSENT or k == device.rhythm_since or (k - device.rhythm_since) % UPDATE_S != 0:
        return made
    return add(device, rows, made, source, device.rhythm, UPDATED, device.rhythm_first_u, end_u, device.rhythm_sure)


@kernel
def close_episodes(device: Record, rows: NDArray[Any], made: int, source: int, end_index: int) -> int:
    """End of the recording: whatever is open ends there."""
    end_u = end_index // device.divisor
    for i in range(CONDITIONS):
        if device.condition_open[i] != 0:
            made = close_condition(device, rows, made, source, i, device.rhythm_sure)
    if device.pause_first_u != NEVER:
        made = add(device, rows, made, source, PAUSE, CLOSED, device.pause_first_u, end_u, device.rhythm_sure)
        device.pause_first_u = NEVER
    if device.rhythm != ABSENT:
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u, end_u, device.rhythm_sure)
        device.rhythm = ABSENT
    return made
