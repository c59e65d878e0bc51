"""The metrics row of each second, given once its beats are decided."""

from __future__ import annotations

from math import nan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.detection import DECIDED_S
from processors.ecg.envelope import envelope_delay
from processors.ecg.episodes import follow_beats, follow_rhythm
from processors.ecg.intervals import fill_metrics
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.results import MAX_LEADS
from processors.ecg.rhythm import FIBRILLATION, NOISE, stated
from processors.ecg.state import ABSENT, WINDOW_MASK
from processors.ecg.timing import anchor, window_start
from processors.ecg.ventricular import follow_ventricular

LATEST_S: Final = DECIDED_S + 0.05
"""A second is given this long after its end (once the 2 s of learning are over)."""


@kernel
def schedule(device: Record) -> None:
    """Set the inner index at which second `emit` is due."""
    end = window_start(device.emit + 1, device.rate_hz) // device.divisor
    due = end + int(LATEST_S * device.inner_hz) + 1
    if device.learned == 0:
        due = max(due, device.learn_until_u + envelope_delay(device.inner_hz) + 1)
    device.emit_at_u = due


@kernel
def emit_due(device: Record, leads: NDArray[Any], until: int, metrics: NDArray[Any], episodes: NDArray[Any],
             made: NDArray[Any], source: int, work: Record) -> None:  # fmt: skip
    """Give the seconds before `until` that had samples, and what they say of the rhythm."""
    while device.emit < until:
        k = device.emit
        if device.window_of[k & WINDOW_MASK] == k and made[1] < metrics.size:
            end_u = window_start(k + 1, device.rate_hz) // device.divisor
            quality = float(device.window_quality[k & WINDOW_MASK])
            follow_ventricular(device, leads, end_u, quality, work)
            made[2] = follow_beats(device, episodes, made[2], source, end_u, quality)
            made[2] = follow_rhythm(device, episodes, made[2], source, k, end_u, quality, work.intervals)
            fill_row(device, leads, metrics[made[1]], source, k, end_u, quality, work.intervals)
            made[1] += 1
        device.emit += 1
    schedule(device)


@kernel
def fill_row(device: Record, leads: NDArray[Any], row: Record, source: int, k: int, end_u: int, quality: float,
             rr: NDArray[Any]) -> None:  # fmt: skip
    row.source = source
    row.window_start_us = anchor(device, window_start(k, device.rate_hz)) + k * 1_000_000
    row.quality = quality
    row.main_lead = device.main
    for i in range(MAX_LEADS):
        lead = leads[device.lead[i]]
        row.lead_quality[i] = lead.quality_of[k & WINDOW_MASK] if i < device.leads else nan
        row.lead_flags[i] = lead.flags_of[k & WINDOW_MASK] if i < device.leads else 0
    fill_metrics(device, row, end_u, rr)
    label = stated(device)
    if device.rhythm == NOISE:
        blank_metrics(row)
        row.arrhythmia_confidence = 100.0 * (1.0 - quality)
    elif (quality < UNREADABLE and device.ventricular == ABSENT) or label == ABSENT:
        label = ABSENT
        row.arrhythmia_confidence = 0.0
    else:
        row.arrhythmia_confidence = device.rhythm_sure if label == device.rhythm else 100.0 * quality
    if label == FIBRILLATION:
        row.pr_ms = nan  # fibrillating atria make no P wave; what looked like one is not measured
    row.rhythm = label


@kernel
def blank_metrics(row: Record) -> None:
    """Nothing is measured on a signal that can't be read."""
    row.heart_rate_bpm = nan
    row.rr_ms = nan
    row.pr_ms = nan
    row.qrs_ms = nan
    row.qt_ms = nan
    row.qtc_ms = nan
    row.qtc_bazett_ms = nan
    row.qtc_framingham_ms = nan
    row.qtc_hodges_ms = nan
    row.st_mv = nan
    row.st80_mv = nan
    row.p_axis_deg = nan
    row.qrs_axis_deg = nan
    row.t_axis_deg = nan
