"""The marks of a beat as recording indices, the intervals, levels and axes between them."""

from __future__ import annotations

from math import isnan, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.averages import UNITS_PER_UV
from processors.ecg.axes import axis
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEFORE, GRID_HZ, MARKS, P_ONSET, QRS_OFFSET, QRS_ONSET, SPAN, T_ONSET

LEVEL_POINTS: Final = 4
ST_HALF: Final = 2
ST60: Final = 15
ST80: Final = 20
"""Points after the J point, at 250 Hz."""
UNITS_PER_MV: Final = 1000.0 * UNITS_PER_UV
MS_PER_POINT: Final = 1000.0 / GRID_HZ


@kernel
def blank(row: Record) -> None:
    row.pr_ms = nan
    row.qrs_ms = nan
    row.qt_ms = nan
    row.st_mv = nan
    row.amplitude_mv = nan
    row.p_onset = ABSENT
    row.p_peak = ABSENT
    row.p_offset = ABSENT
    row.qrs_onset = ABSENT
    row.qrs_offset = ABSENT
    row.t_onset = ABSENT
    row.t_peak = ABSENT
    row.t_offset = ABSENT


@kernel
def drop_impossible(device: Record, r_u: int, work: Record) -> None:
    """Leave out what lies outside the segment's samples, and everything when the QRS doesn't hold the R peak."""
    marks = work.marks
    for b in range(MARKS):
        u = u_of(device, work, marks[b])
        if u < device.segment_u or u > device.newest_u:
            marks[b] = nan
    onset = u_of(device, work, marks[QRS_ONSET])
    offset = u_of(device, work, marks[QRS_OFFSET])
    if not (onset <= r_u <= offset):
        marks[:] = nan


@kernel
def u_of(device: Record, work: Record, mark: float) -> float:
    """Inner index, with its fraction, of a point of the window; NaN for NaN."""
    return float(work.middle_u + (mark - BEFORE) * device.inner_hz / GRID_HZ)


@kernel
def index_at(device: Record, work: Record, mark: float) -> int:
    """Recording index of a point of the window; ABSENT for NaN."""
    if isnan(mark):
        return ABSENT
    return int(np.rint(u_of(device, work, mark) * device.divisor + (device.divisor - 1) / 2.0))


@kernel
def fill_marks(device: Record, row: Record, work: Record) -> None:
    """Boundaries as recording indices, and the intervals between them."""
    marks = work.marks
    row.p_onset = index_at(device, work, marks[P_ONSET])
    row.p_peak = index_at(device, work, marks[P_ONSET + 1])
    row.p_offset = index_at(device, work, marks[P_ONSET + 2])
    row.qrs_onset = index_at(device, work, marks[QRS_ONSET])
    row.qrs_offset = index_at(device, work, marks[QRS_OFFSET])
    row.t_onset = index_at(device, work, marks[T_ONSET])
    row.t_peak = index_at(device, work, marks[T_ONSET + 1])
    row.t_offset = index_at(device, work, marks[T_ONSET + 2])
    row.qrs_ms = (marks[QRS_OFFSET] - marks[QRS_ONSET]) * MS_PER_POINT
    row.pr_ms = (marks[QRS_ONSET] - marks[P_ONSET]) * MS_PER_POINT
    row.qt_ms = (marks[T_ONSET + 2] - marks[QRS_ONSET]) * MS_PER_POINT


@kernel
def mean_about(window: NDArray[Any], low: int, high: int) -> float:
    total = 0
    for i in range(max(0, low), min(SPAN, high)):
        total += window[i]
    return total / max(1, min(SPAN, high) - max(0, low))


@kernel
def level_after(work: Record, points: int) -> float:
    """Level in mV so many points after the J point, against the level before the QRS; NaN without boundaries."""
    if isnan(work.marks[QRS_ONSET]):
        return nan
    onset = int(np.rint(work.marks[QRS_ONSET]))
    at = int(np.rint(work.marks[QRS_OFFSET])) + points
    before = mean_about(work.own, onset - LEVEL_POINTS, onset + 1)
    return (mean_about(work.own, at - ST_HALF, at + ST_HALF + 1) - before) / UNITS_PER_MV


@kernel
def fill_levels(row: Record, r_u: int, hz: float, work: Record) -> None:
    """ST level at J+60 ms and the R peak's height, on the main lead, from the beat's own samples."""
    row.st_mv = level_after(work, ST60)
    r = BEFORE + int(np.rint((r_u - work.middle_u) * GRID_HZ / hz))
    if not isnan(work.marks[QRS_ONSET]):
        onset = int(np.rint(work.marks[QRS_ONSET]))
        row.amplitude_mv = (work.own[r] - mean_about(work.own, onset - LEVEL_POINTS, onset + 1)) / UNITS_PER_MV


@kernel
def wave_axis(device: Record, leads: NDArray[Any], work: Record, first: int, last: int,
              sloping: bool) -> float:  # fmt: skip
    """Axis of the wave between two marks, degrees; NaN where one is absent."""
    low = work.marks[first]
    high = work.marks[last]
    if isnan(low) or isnan(high):
        return nan
    share = device.inner_hz / GRID_HZ
    first_u = max(device.segment_u, work.middle_u + int(np.rint((low - BEFORE) * share)))
    last_u = min(device.newest_u, work.middle_u + int(np.rint((high - BEFORE) * share)))
    level_u = max(device.segment_u, work.middle_u + int(np.rint((work.marks[QRS_ONSET] - BEFORE) * share)))
    return axis(device, leads, first_u, last_u, level_u, sloping)
