"""What a report says: patient, device, figures, rhythm, beats and strips; no drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.beats import BeatClass
from schemas.burden import EctopicGroups
from schemas.clock import index_to_us
from schemas.samples import MISSING, Lead

LINE_S: Final = 10.0
"""Seconds on one line of paper: 250 mm at 25 mm/s, what A4 landscape holds."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was recorded; what is not known is None and shown as an en dash."""

    name: str | None = None
    age: int | None = None
    gender: str | None = None
    patient_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What recorded."""

    name: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the period (heart rate also its extremes); None = not measurable, never zero.

    `qtc_ms` is Fridericia's; `st_mv` the level at J+60 ms, `st80_mv` at J+80.
    """

    heart_rate_mean_bpm: float | None = None
    heart_rate_min_bpm: float | None = None
    heart_rate_max_bpm: float | None = None
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


@dataclass(frozen=True, slots=True)
class RhythmShare:
    """Seconds of the period spent under a label of schemas.rhythms."""

    label: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Episode:
    """A rhythm from one moment to another, UTC microseconds, half-open; `confidence` 0 to 100."""

    label: str
    started_at_us: int
    ended_at_us: int
    confidence: float


@dataclass(frozen=True, slots=True)
class BeatMark:
    """A beat on a strip: the R peak's index in the recording, and its class."""

    r_index: int
    beat_class: BeatClass


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of signal to draw, all leads over each other.

    `samples` is int16 of shape (leads, count), MISSING where nothing was acquired; `uv_per_lsb` one gain per
    lead; `started_at_us` the moment of `first_index`. `title` says why it is shown ("Highest heart rate").
    """

    title: str
    leads: tuple[Lead, ...]
    rate_hz: float
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]
    first_index: int
    started_at_us: int
    beats: tuple[BeatMark, ...] = ()

    @property
    def count(self) -> int:
        """Samples per lead."""
        return int(self.samples.shape[1])

    def millivolts(self, row: int) -> NDArray[np.float64]:
        """One lead in mV, shape (count,); NaN where missing."""
        raw = self.samples[row]
        return np.where(raw == MISSING, np.nan, raw * (self.uv_per_lsb[row] / 1000))

    def lines(self) -> list[Strip]:
        """Cut the strip into lines of at most LINE_S, in order of time; none for an empty strip."""
        step = max(1, round(LINE_S * self.rate_hz))
        return [self._cut(start, min(start + step, self.count)) for start in range(0, self.count, step)]

    def lead_group(self, first: int, end: int) -> Strip:
        """Only the leads [first, end)."""
        group = slice(first, end)
        return replace(self, leads=self.leads[group], uv_per_lsb=self.uv_per_lsb[group], samples=self.samples[group])

    def _cut(self, start: int, end: int) -> Strip:
        first = self.first_index + start
        return replace(
            self,
            samples=self.samples[:, start:end],
            first_index=first,
            started_at_us=self.started_at_us + index_to_us(start, self.rate_hz),
            beats=tuple(mark for mark in self.beats if first <= mark.r_index < first + end - start),
        )


@dataclass(frozen=True, slots=True)
class HrvMedians:
    """Medians of the period's stretches that have figures, by their names in schemas.hrv; `refused` have none."""

    stretches: int
    refused: int
    figures: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything a report shows. The period is half-open, UTC microseconds. `hrv` is None without a whole stretch.

    `analysed_s` is how much of it had a readable signal, `quality` its mean from 0 to 1 (None = nothing came).
    """

    report_id: UUID
    created_at_us: int
    engine_version: str
    period_start_us: int
    period_end_us: int
    patient: Patient = field(default_factory=Patient)
    device: DeviceIdentity = field(default_factory=DeviceIdentity)
    figures: Figures = field(default_factory=Figures)
    analysed_s: float = 0.0
    quality: float | None = None
    rhythms: tuple[RhythmShare, ...] = ()
    beat_counts: Mapping[BeatClass, int] = field(default_factory=dict)
    ectopic_groups: Mapping[BeatClass, EctopicGroups] = field(default_factory=dict)
    hrv: HrvMedians | None = None
    episodes: tuple[Episode, ...] = ()
    strips: tuple[Strip, ...] = ()
