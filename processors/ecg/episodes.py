"""Episodes: one primary rhythm at a time, with pauses and premature beats beside it; opened, updated, closed."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.intervals import newest_before
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.rhythm import FIBRILLATION, NOISE, PAUSE, PREMATURE, certainty, judge
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_S, CLASS_V, NEVER
from processors.ecg.timing import index_of, time_of, window_start
from processors.ecg.ventricular import ASYSTOLE, FLUTTER, SUSTAINED, sureness
from processors.ecg.ventricular import FIBRILLATION as FIBRILLATION_OF_VENTRICLES
from processors.ecg.ventricular_runs import IDIOVENTRICULAR, NON_SUSTAINED

PAUSE_S: Final = 3.0
"""ACC/AHA/HRS 2018, bradycardia: a pause is longer than 3 s."""
RUNS: Final = 3
"""A new label must hold for this many seconds before it replaces the old one."""
UPDATE_S: Final = 10
PREMATURE_S: Final = 10.0
"""Premature beats closer together than this are one episode."""
OPENED: Final = 0
UPDATED: Final = 1
CLOSED: Final = 2


@kernel
def is_ventricular_label(label: int) -> bool:
    """Whether follow_ventricular states it."""
    return label in (ASYSTOLE, FIBRILLATION_OF_VENTRICLES, FLUTTER, IDIOVENTRICULAR, NON_SUSTAINED, SUSTAINED)


@kernel
def state_episode(device: Record, row: Record, source: int, label: int, state: int, first_u: int, end_index: int,
                  sure: float) -> None:  # fmt: skip
    row.source = source
    row.rhythm = label
    row.state = state
    row.first_r_index = index_of(device, first_u)
    row.started_at_us = time_of(device, row.first_r_index)
    row.ended_at_us = max(row.started_at_us, time_of(device, end_index))
    row.confidence = sure


@kernel
def add(device: Record, rows: NDArray[Any], made: int, source: int, label: int, state: int, first_u: int,
        end_index: int, sure: float) -> int:  # fmt: skip
    if made < rows.size:
        state_episode(device, rows[made], source, label, state, first_u, end_index, sure)
        return made + 1
    return made


@kernel
def follow_rhythm(device: Record, rows: NDArray[Any], made: int, source: int, k: int, end_u: int, quality: float,
                  rr: NDArray[Any]) -> int:  # fmt: skip
    """Judge second `k`; open, update and close episodes. Returns the number of rows made so far."""
    device.unreadable = device.unreadable + 1 if quality < UNREADABLE else 0
    label = judge(device, end_u, rr) if device.unreadable == 0 else ABSENT
    if device.unreadable >= RUNS:
        label = NOISE
    if device.ventricular != ABSENT:
        label = int(device.ventricular)
    elif is_ventricular_label(int(device.rhythm)):
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u,
                   window_start(k, device.rate_hz), device.rhythm_sure)  # fmt: skip
        device.rhythm = ABSENT
    if label == ABSENT or label == device.rhythm:  # noqa: PLR1714 - numba has no `in` for mixed widths
        device.next_runs = 0
    elif label == device.next_rhythm and device.next_runs > 0:
        device.next_runs += 1
    else:
        device.next_rhythm = label
        device.next_runs = 1
        start = newest_before(device, end_u)
        if label == NOISE or start == NEVER:
            start = window_start(k, device.rate_hz) // device.divisor
        device.next_first_u = device.ventricular_first_u if device.ventricular != ABSENT else start
    urgent = label == NOISE or device.ventricular != ABSENT
    if device.next_runs >= RUNS or (urgent and device.rhythm != label):
        ventricular = device.ventricular != ABSENT
        sure = sureness(device, label, quality) if ventricular else certainty(device, label, end_u, quality, rr)
        made = change_rhythm(device, rows, made, source, k, sure)
    elif device.rhythm != ABSENT:
        if label == device.rhythm:
            device.rhythm_sure = certainty(device, label, end_u, quality, rr)
        if (k - device.rhythm_since) % UPDATE_S == 0 and k > device.rhythm_since:
            made = add(device, rows, made, source, device.rhythm, UPDATED, device.rhythm_first_u,
                       window_start(k + 1, device.rate_hz), device.rhythm_sure)  # fmt: skip
    return made


@kernel
def change_rhythm(device: Record, rows: NDArray[Any], made: int, source: int, k: int, sure: float) -> int:
    first_u = max(device.next_first_u, device.rhythm_first_u + 1)
    if device.rhythm != ABSENT:
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u,
                   index_of(device, first_u), device.rhythm_sure)  # fmt: skip
    device.rhythm = device.next_rhythm
    device.rhythm_first_u = first_u
    device.rhythm_since = k
    device.rhythm_sure = sure
    device.next_runs = 0
    end = window_start(k + 1, device.rate_hz)
    return add(device, rows, made, source, device.rhythm, OPENED, first_u, end, sure)


@kernel
def follow_beats(device: Record, rows: NDArray[Any], made: int, source: int, end_u: int, quality: float) -> int:
    """Pauses and premature beats among the beats of the second that ends at `end_u`."""
    sure = 100.0 * quality
    count = min(device.beats - device.seen_beats, BEATS)
    for i in range(count):
        slot = (device.beats - count + i) & BEAT_MASK
        u = device.beat_u[slot]
        if u >= end_u:
            break
        device.seen_beats = device.beats - count + i + 1
        made = end_pause(device, rows, made, source, slot, sure)
        kind = device.beat_class[slot]
        if kind in (CLASS_S, CLASS_V) and quality >= UNREADABLE and device.rhythm != FIBRILLATION:
            if device.premature_first_u == NEVER:
                device.premature_first_u = u
                made = add(device, rows, made, source, PREMATURE, OPENED, u, index_of(device, u), sure)
            device.premature_last_u = u
    last = newest_before(device, end_u)
    if device.premature_first_u != NEVER and end_u - device.premature_last_u > PREMATURE_S * device.inner_hz:
        made = close_premature(device, rows, made, source, sure)
    if (device.pause_first_u == NEVER and last > device.broken_u and quality >= UNREADABLE
            and end_u - last > PAUSE_S * device.inner_hz):  # fmt: skip
        device.pause_first_u = last
        made = add(device, rows, made, source, PAUSE, OPENED, last, index_of(device, end_u), sure)
    return made


@kernel
def end_pause(device: Record, rows: NDArray[Any], made: int, source: int, slot: int, sure: float) -> int:
    """Close the open pause at this beat, or state a whole one that this beat has ended."""
    u = device.beat_u[slot]
    rr = device.beat_rr[slot]
    if device.pause_first_u != NEVER:
        first = device.pause_first_u
        device.pause_first_u = NEVER
        return add(device, rows, made, source, PAUSE, CLOSED, first, index_of(device, u), sure)
    if not isnan(rr) and rr > 1000.0 * PAUSE_S and device.unreadable == 0:
        first = u - round(rr * device.inner_hz / 1000.0)
        made = add(device, rows, made, source, PAUSE, OPENED, first, index_of(device, u), sure)
        return add(device, rows, made, source, PAUSE, CLOSED, first, index_of(device, u), sure)
    return made


@kernel
def close_premature(device: Record, rows: NDArray[Any], made: int, source: int, sure: float) -> int:
    first = device.premature_first_u
    device.premature_first_u = NEVER
    return add(device, rows, made, source, PREMATURE, CLOSED, first, index_of(device, device.premature_last_u), sure)


@kernel
def close_episodes(device: Record, rows: NDArray[Any], made: int, source: int, end_index: int) -> int:
    """End of the recording: whatever is open ends there."""
    if device.premature_first_u != NEVER:
        made = close_premature(device, rows, made, source, device.rhythm_sure)
    if device.pause_first_u != NEVER:
        made = add(device, rows, made, source, PAUSE, CLOSED, device.pause_first_u, end_index, device.rhythm_sure)
        device.pause_first_u = NEVER
    if device.rhythm != ABSENT:
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u, end_index,
                   device.rhythm_sure)  # fmt: skip
        device.rhythm = ABSENT
    return made
