"""Beats: where the heart contracted, what kind it was, and its waves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

BeatClass = Literal["N", "S", "V", "F", "Q"]
"""AAMI EC57: normal, supraventricular ectopic, ventricular ectopic, fusion, unknown or paced."""


@dataclass(frozen=True, slots=True)
class Fiducials:
    """Waveform boundaries as sample positions of the recording; None is a wave not found."""

    p_onset: int | None = None
    p_peak: int | None = None
    p_offset: int | None = None
    qrs_onset: int | None = None
    qrs_offset: int | None = None
    t_onset: int | None = None
    t_peak: int | None = None
    t_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat; its identity is (recording_id, r_index). Intervals in ms, levels in mV, None = not measurable."""

    device_id: UUID
    recording_id: UUID
    r_index: int
    at_us: int
    beat_class: BeatClass
    confidence: float
    engine_version: str
    rr_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    st_mv: float | None = None
    amplitude_mv: float | None = None
    fiducials: Fiducials = field(default_factory=Fiducials)


FIGURES: Final = ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")
"""The fields of Beat that may not be measurable."""
