"""The metrics row of each second, given once its beats are decided."""

from __future__ import annotations

from math import nan
from typing import Any

from numpy.typing import NDArray

from processors.ecg.conditions import LABELS, STATED, find_conditions
from processors.ecg.envelope import envelope_delay
from processors.ecg.episodes import follow_conditions, follow_pauses
from processors.ecg.intervals import fill_metrics
from processors.ecg.kernel import Record, kernel
from processors.ecg.primary import follow_primary
from processors.ecg.quality import UNREADABLE
from processors.ecg.rhythm import FIBRILLATION, FLUTTER, LEAD_OFF, NOISE, PACED, PAUSE, SINUS
from processors.ecg.state import ABSENT, NEVER, WINDOW_MASK
from processors.ecg.timing import anchor, window_start
from processors.ecg.ventricular import WITHOUT_BEATS
from processors.ecg.ventricular_patterns import pattern_of


@kernel
def schedule(device: Record) -> None:
    """Set the inner index at which second `emit` is due: the last one of the second after it.

    By then its beats are decided (DECIDED_S), and a device that sends blocks of a second has sent the next one.
    """
    due = window_start(device.emit + 2, device.rate_hz) // device.divisor - 1
    if device.learned == 0:
        due = max(due, device.learn_until_u + envelope_delay(device.inner_hz) + 1)
    device.emit_at_u = due


@kernel
def emit_due(device: Record, leads: NDArray[Any], until: int, metrics: NDArray[Any], episodes: NDArray[Any],
             made: NDArray[Any], source: int, work: Record) -> None:  # fmt: skip
    """Give the seconds before `until` that had samples, and what they say of the rhythm."""
    while device.emit < until:
        if device.window_of[device.emit & WINDOW_MASK] == device.emit and made[1] < metrics.size:
            row = metrics[made[1]]
            row.source = source
            made[2] = give_second(device, leads, row, episodes, made[2], device.emit, work)
            made[1] += 1
        device.emit += 1
    schedule(device)


@kernel
def give_second(device: Record, leads: NDArray[Any], row: Record, episodes: NDArray[Any], made: int, k: int,
                work: Record) -> int:  # fmt: skip
    """Fill the row of second `k` and follow the rhythm; returns the number of episode rows made so far."""
    start_u = window_start(k, device.rate_hz) // device.divisor
    end_u = window_start(k + 1, device.rate_hz) // device.divisor
    quality = float(device.window_quality[k & WINDOW_MASK])
    fill_quality(device, leads, row, k, quality)
    fill_metrics(device, row, end_u, work.intervals)
    made = follow_pauses(device, episodes, made, row.source, end_u, quality)
    made = follow_primary(device, leads, episodes, made, row.source, k, end_u, quality, work)
    find_conditions(device, row, start_u, end_u, pattern_of(device, end_u), work)
    made = follow_conditions(device, episodes, made, row.source, k, end_u, 100.0 * quality, work)
    fill_label(device, row, quality)
    return made


@kernel
def fill_quality(device: Record, leads: NDArray[Any], row: Record, k: int, quality: float) -> None:
    row.window_start_us = anchor(device, window_start(k, device.rate_hz)) + k * 1_000_000
    row.quality = quality
    row.main_lead = device.main
    row.lead_quality[:] = nan
    row.lead_flags[:] = 0
    for i in range(device.leads):
        lead = leads[device.lead[i]]
        row.lead_quality[i] = lead.quality_of[k & WINDOW_MASK]
        row.lead_flags[i] = lead.flags_of[k & WINDOW_MASK]


@kernel
def fill_label(device: Record, row: Record, quality: float) -> None:
    """The one label the row shows, and what must not be shown beside it."""
    label = stated(device)
    if label in (NOISE, LEAD_OFF):
        blank_metrics(row)
        row.arrhythmia_confidence = 100.0 * (1.0 - quality)
    elif label == ABSENT or (quality < UNREADABLE and device.ventricular == ABSENT):
        label = ABSENT
        row.arrhythmia_confidence = 0.0
    else:
        row.arrhythmia_confidence = device.rhythm_sure if label == device.rhythm else 100.0 * quality
    if label in WITHOUT_BEATS:
        blank_metrics(row)  # what the detector took for beats there were none
    if label in (FIBRILLATION, FLUTTER):
        row.pr_ms = nan  # fibrillating atria make no P wave; what looked like one is not measured
    row.rhythm = label


@kernel
def stated(device: Record) -> int:
    """The one label a metrics row shows: what is most urgent of those that hold now."""
    rhythm = int(device.rhythm)
    fibrillates = rhythm in (FIBRILLATION, FLUTTER)
    if not (rhythm in SINUS or rhythm == PACED or fibrillates):
        return rhythm
    if device.pause_first_u != NEVER:
        return PAUSE
    if fibrillates:
        return rhythm
    for i in range(STATED + 1):
        if device.condition_open[i] != 0:
            return LABELS[i]
    return rhythm


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
