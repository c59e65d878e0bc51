"""A device's figures of one second: the heart rate as monitors show it, and intervals averaged over clean beats."""

from __future__ import annotations

from math import atan2, cos, isnan, nan, pi, sin, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEAT_MASK, BEATS, CLASS_N, NEVER

AVERAGED: Final = 8
"""Monitors average the last 8 to 16 intervals (IEC 60601-2-27 asks the maker to say which)."""
RATE_S: Final = 12.0
"""Older intervals don't count towards the rate."""
LAST_BEAT_S: Final = 4.0
"""Without a beat for this long there is no rate to show."""


@kernel
def recent_rr(device: Record, end_u: int, longest_s: float, most: int, out: NDArray[Any]) -> int:
    """Intervals in ms of beats before `end_u` and at most `longest_s` old, newest first; returns how many."""
    found = 0
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        u = device.beat_u[slot]
        if u >= end_u:
            continue
        if end_u - u > longest_s * device.inner_hz or found >= most:
            break
        rr = device.beat_rr[slot]
        if not isnan(rr):
            out[found] = rr
            found += 1
    return found


@kernel
def newest_before(device: Record, end_u: int) -> int:
    """Inner index of the last beat before `end_u`; NEVER when there is none left in memory."""
    for i in range(min(device.beats, BEATS)):
        u = device.beat_u[(device.beats - 1 - i) & BEAT_MASK]
        if u < end_u:
            return int(u)
    return NEVER


@kernel
def rate_interval(rr: NDArray[Any], count: int) -> float:
    """Mean interval in ms without the shortest and the longest (when 5 or more are there); NaN under 2."""
    if count < 2:
        return nan
    total = 0.0
    low = rr[0]
    high = rr[0]
    for i in range(count):
        total += rr[i]
        low = min(low, rr[i])
        high = max(high, rr[i])
    if count < 5:
        return total / count
    return float((total - low - high) / (count - 2))


@kernel
def clean_mean(device: Record, values: NDArray[Any], end_u: int) -> float:
    """Mean over the last normal beats before `end_u` that have the value; NaN when none has."""
    total = 0.0
    found = 0
    seen = 0
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u or device.beat_class[slot] != CLASS_N:
            continue
        if end_u - device.beat_u[slot] > RATE_S * device.inner_hz or seen >= AVERAGED:
            break
        seen += 1
        if not isnan(values[slot]):
            total += values[slot]
            found += 1
    return total / found if found > 0 else nan


@kernel
def mean_axis(device: Record, axes: NDArray[Any], end_u: int) -> float:
    """Circular mean of an axis over the last normal beats, degrees."""
    x = 0.0
    y = 0.0
    seen = 0
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u or device.beat_class[slot] != CLASS_N:
            continue
        if end_u - device.beat_u[slot] > RATE_S * device.inner_hz or seen >= AVERAGED:
            break
        if not isnan(axes[slot]):
            seen += 1
            x += cos(axes[slot] * pi / 180.0)
            y += sin(axes[slot] * pi / 180.0)
    if x == 0.0 and y == 0.0:
        return nan
    return atan2(y, x) * 180.0 / pi


@kernel
def fill_metrics(device: Record, row: Record, end_u: int, rr: NDArray[Any]) -> None:
    """Rate, intervals, levels and axes of a metrics row."""
    count = recent_rr(device, end_u, RATE_S, AVERAGED, rr)
    mean = rate_interval(rr, count)
    if end_u - newest_before(device, end_u) > LAST_BEAT_S * device.inner_hz:
        mean = nan
    row.rr_ms = mean
    row.heart_rate_bpm = 60000.0 / mean if mean > 0.0 else nan
    row.pr_ms = clean_mean(device, device.beat_pr, end_u)
    row.qrs_ms = clean_mean(device, device.beat_qrs, end_u)
    qt = clean_mean(device, device.beat_qt, end_u)
    row.qt_ms = qt
    correct_qt(row, qt, mean)
    row.st_mv = clean_mean(device, device.beat_st, end_u)
    row.st80_mv = clean_mean(device, device.beat_st80, end_u)
    row.p_axis_deg = mean_axis(device, device.beat_p_axis, end_u)
    row.qrs_axis_deg = mean_axis(device, device.beat_axis, end_u)
    row.t_axis_deg = mean_axis(device, device.beat_t_axis, end_u)


@kernel
def correct_qt(row: Record, qt: float, rr: float) -> None:
    """QT in ms for the rate: Fridericia (`qtc_ms`), Bazett, Framingham (Sagie 1992) and Hodges; NaN without a rate."""
    if not rr > 0.0:
        qt = nan
    rr_s = rr / 1000.0
    row.qtc_ms = qt / rr_s ** (1.0 / 3.0)
    row.qtc_bazett_ms = qt / sqrt(rr_s)
    row.qtc_framingham_ms = qt + 154.0 * (1.0 - rr_s)
    row.qtc_hodges_ms = qt + 1.75 * (60.0 / rr_s - 60.0)
