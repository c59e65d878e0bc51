"""Metrics: a device's vital figures, once a second."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Metrics:
    """The second that starts at `window_start_us`; identity (device_id, window_start_us).

    Rates in beats per minute, intervals in ms, levels in mV, axis in degrees; None = not measurable.
    `arrhythmia_type` is a human name ("Normal Sinus Rhythm") or None when nothing can be said;
    `arrhythmia_confidence` 0 to 100; `quality` 0 (unreadable) to 1, of the best lead.
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
    st_mv: float | None = None
    qrs_axis_deg: float | None = None
    arrhythmia_type: str | None = None
    arrhythmia_confidence: float = 0.0
    quality: float = 0.0
