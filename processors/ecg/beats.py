"""A decided beat becomes a row: its waves, intervals, levels, axes, class and confidence."""

from __future__ import annotations

from math import isnan, nan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.atrial_network import p_code
from processors.ecg.averages import ALIKE, UNLIKE_BEFORE_NEW, cut, is_full, start_average, steady
from processors.ecg.class_shapes import gather
from processors.ecg.classification import classify, usual_rr
from processors.ecg.conduction import note_conduction
from processors.ecg.delineation import delineate
from processors.ecg.fiducial import find_middle, learn_polarity, nearest_extremum
from processors.ecg.kernel import Record, inlined_kernel, kernel
from processors.ecg.marks import ST80, blank, drop_impossible, fill_levels, fill_marks, level_after, wave_axis
from processors.ecg.measured import choose_leads
from processors.ecg.state import (
    ATRIAL_P,
    BEAT_MASK,
    GRID_HZ,
    NEVER,
    P_ONSET,
    QRS_OFFSET,
    QRS_ONSET,
    T_ONSET,
    WINDOWS,
)
from processors.ecg.timing import index_of, time_of

READY_S: Final = 0.74
"""A beat is measured when this much signal has followed it: its windows reach 0.70 s."""
FIRST_RR_S: Final = 0.8
SHORTEST_RR_S: Final = 0.25
LONGEST_RR_S: Final = 2.0
OVER_USUAL: Final = 1.15
"""After a pause P and T lie as they do at the usual rate, nearly."""
KEEP_MARKS: Final = 7
SAME_RR: Final = 0.1


@kernel
def finish_due(device: Record) -> int:
    """Inner index at which the oldest pending beat can be measured."""
    if device.pending == 0:
        return 1 << 60
    return int(device.pending_u[0]) + int(READY_S * device.inner_hz)


@inlined_kernel
def finish_ready(device: Record, leads: NDArray[Any], u: int, end: bool, rows: NDArray[Any], made: int, source: int,
                 work: Record) -> int:  # fmt: skip
    """Measure every pending beat that has enough signal after it; returns the number of rows made so far."""
    while device.pending > 0 and (end or u - device.pending_u[0] >= int(READY_S * device.inner_hz)):
        if made < rows.size:
            row = rows[made]
            row.source = source
            measure(device, leads, row, work)
            made += 1
        for i in range(1, device.pending):
            device.pending_u[i - 1] = device.pending_u[i]
            device.pending_sure[i - 1] = device.pending_sure[i]
        device.pending -= 1
    return made


@inlined_kernel
def measure(device: Record, leads: NDArray[Any], row: Record, work: Record) -> None:
    """Fill the row of the oldest pending beat and remember the beat.

    The signal used reaches from 0.55 s before to 0.74 s after the detector's mark and never past the segment, so the
    row is the same however the samples came.
    """
    choose_leads(device, leads)
    main = leads[device.lead[device.main]]
    middle, alike = find_middle(device, main, device.pending_u[0], work)
    work.middle_u = middle
    take_windows(device, leads, middle, work)
    gathered = gather(device, work)
    r_u = nearest_extremum(device, main, middle)
    learn_polarity(device, work)
    blank(row)
    row.r_index = index_of(device, r_u)
    row.at_us = time_of(device, row.r_index)
    rr_ms = interval(device, r_u)
    row.rr_ms = rr_ms
    work.rr = expected_rr(device, rr_ms)
    find_marks(device, leads, alike, work)
    drop_impossible(device, r_u, work)
    fill_marks(device, row, work)
    fill_levels(row, r_u, device.inner_hz, work)
    quality = quality_at(device, row.r_index)
    classify(device, leads, gathered, row, alike, device.pending_sure[0], quality, work)
    remember(device, leads, row, r_u, work)
    note_conduction(device, main, r_u, rr_ms, work)


@kernel
def take_windows(device: Record, leads: NDArray[Any], middle: int, work: Record) -> None:
    """The beat's windows on the measured leads, the main one first and once more as its own."""
    for k in range(device.measured_leads):
        lead = leads[device.lead[device.measured[k]]]
        cut(lead, middle, device.segment_u, device.newest_u, device.inner_hz, work.windows[k])
    work.own[:] = work.windows[0]


@kernel
def steady_windows(device: Record, leads: NDArray[Any], alike: float, work: Record) -> tuple[float, bool]:
    """Steady the windows by the averages; a beat unlike the average keeps its own, and after some a new one begins.

    Returns how like the averages P is, the best over leads (0 where nothing was compared), and whether the windows
    hold nothing but full averages now.
    """
    main = leads[device.lead[device.main]]
    p_like = 0.0
    if main.average_beats > 0 and alike < ALIKE:
        device.unlike_beats += 1
        if device.unlike_beats <= UNLIKE_BEFORE_NEW:
            return p_like, False
        main.average_beats = 0
    device.unlike_beats = 0
    anew = main.average_beats == 0
    usual = True
    for k in range(device.measured_leads):
        lead = leads[device.lead[device.measured[k]]]
        if anew or lead.average_beats == 0:
            start_average(lead, work.windows[k])
        else:
            p_like = max(p_like, steady(lead, work.windows[k]))
        usual = usual and is_full(lead)
    return p_like, usual


@inlined_kernel
def find_marks(device: Record, leads: NDArray[Any], alike: float, work: Record) -> None:
    """Steady the windows and delineate them; while beats are alike at one rate, the last marks serve for some beats.

    An average of 8 beats moves little from one to the next, and delineating it costs three times all else about a
    beat. Marks that serve for 15 beats make the engine 4 % faster, and the spread of P onsets on qtdb a sixth larger.
    """
    work.p_like, usual = steady_windows(device, leads, alike, work)
    fresh = usual and device.marks_age < KEEP_MARKS
    if fresh and abs(work.rr - device.marks_rr) < SAME_RR * device.marks_rr:
        device.marks_age += 1
        work.marks[:] = device.marks
        return
    delineate(work, device.measured_leads)
    if device.unlike_beats == 0:  # what is unlike the average says nothing about it
        device.marks[:] = work.marks
        device.marks_rr = work.rr
        device.marks_age = 0 if usual else KEEP_MARKS


@kernel
def expected_rr(device: Record, rr_ms: float) -> float:
    """The interval that P and T are to be expected by, in points of a window."""
    usual = usual_rr(device)
    rr_s = (usual if isnan(rr_ms) else rr_ms) / 1000.0
    if usual > 0.0:
        rr_s = min(rr_s, OVER_USUAL * usual / 1000.0)
    if rr_s <= 0.0:
        rr_s = FIRST_RR_S
    return float(min(LONGEST_RR_S, max(SHORTEST_RR_S, rr_s)) * GRID_HZ)


@kernel
def interval(device: Record, r_u: int) -> float:
    """RR in ms; NaN for the first beat and across a gap or a hole in all leads."""
    if device.last_r_u == NEVER or device.broken_u > device.last_r_u:
        return nan
    return float(1000.0 * (r_u - device.last_r_u) / device.inner_hz)


@kernel
def quality_at(device: Record, index: int) -> float:
    """Quality of the second that holds `index`; of the latest one while that second is not over."""
    k = int(index // device.rate_hz)
    best = 0.0
    newest = -1
    for i in range(WINDOWS):
        if device.window_of[i] == k:
            return float(device.window_quality[i])
        if device.window_of[i] > newest:
            newest = device.window_of[i]
            best = device.window_quality[i]
    return float(best) if newest >= 0 else 0.5


@kernel
def remember(device: Record, leads: NDArray[Any], row: Record, r_u: int, work: Record) -> None:
    slot = device.beats & BEAT_MASK
    device.beat_u[slot] = r_u
    device.beat_class[slot] = row.beat_class
    device.beat_kind[slot] = device.kind
    device.beat_rr[slot] = row.rr_ms
    device.beat_pr[slot] = row.pr_ms
    device.beat_qrs[slot] = row.qrs_ms
    device.beat_qt[slot] = row.qt_ms
    device.beat_st[slot] = row.st_mv
    device.beat_st80[slot] = level_after(work, ST80)
    device.beat_p_axis[slot] = wave_axis(device, leads, work, P_ONSET, P_ONSET + 2, True)
    device.beat_axis[slot] = wave_axis(device, leads, work, QRS_ONSET, QRS_OFFSET, False)
    device.beat_t_axis[slot] = wave_axis(device, leads, work, T_ONSET, T_ONSET + 2, True)
    device.atrial_p[device.beats & (ATRIAL_P - 1)] = p_code(work.p_like)
    device.beats += 1
    device.last_r_u = r_u
