"""Metrics: a device's vital figures, once a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas.quality import LeadQuality
from schemas.samples import Lead


@dataclass(frozen=True, slots=True)
class Metrics:
    """The second that starts at `window_start_us`; identity (device_id, window_start_us).

    Rates in beats per minute, intervals in ms, levels in mV, axes in degrees; None = not measurable.
    `qtc_ms` is Fridericia's, the other formulas' have their names; `st_mv` is the level at J+60 ms, `st80_mv` at J+80.
    `arrhythmia_type` is a human name ("Normal Sinus Rhythm") or None when nothing can be said;
    `arrhythmia_confidence` 0 to 100; `quality` 0 (unreadable) to 1, of the best lead; `leads` that of each, in the
    recording's order, and `main_lead` the one that intervals and levels were measured on.
    """

    device_id: UUID
    recording_id: UUID
    window_start_us: int
    engine_version: str
    heart_rate_bpm: float | None = None
    rr_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qtc_ms: float | None = None
    qtc_bazett_ms: float | None = None
    qtc_framingham_ms: float | None = None
    qtc_hodges_ms: float | None = None
    st_mv: float | None = None
    st80_mv: float | None = None
    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None
    arrhythmia_type: str | None = None
    arrhythmia_confidence: float = 0.0
    quality: float = 0.0
    main_lead: Lead | None = None
    leads: tuple[LeadQuality, ...] = ()


FIGURES: Final = (
    "heart_rate_bpm", "rr_ms", "pr_ms", "qrs_ms", "qt_ms",
    "qtc_ms", "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms",
    "st_mv", "st80_mv", "p_axis_deg", "qrs_axis_deg", "t_axis_deg",
)  # fmt: skip
"""The fields of Metrics that may not be measurable."""
