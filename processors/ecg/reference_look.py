"""A look of the reference engine: every lead of a window through neurokit2, and how far each can be read by seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from processors.ecg.quality import UNREADABLE
from processors.ecg.reference_state import Held
from processors.ecg.reference_window import FLAT_MV, LeadView, Signal, noise_share, view
from schemas.quality import Flag, LeadQuality
from schemas.samples import MISSING

RAIL: Final = 32767
MOST_RAILED: Final = 0.1
MOST_MISSING: Final = 0.1
NOISE_BAD: Final = 0.35
NOISE_GOOD: Final = 0.12
LIKE_BAD: Final = 0.4
LIKE_GOOD: Final = 0.8
"""Steepness between the beats over that of a beat: 99 of 100 seconds of mitdb's training records are under 0.32, nine
of ten under 0.08, half of nstdb's 0 dB over 0.20, white noise at 0.42; the median likeness of their beats: 0.98 and
more in 9 of 10, 0.75, and 0.4 for white noise."""
LEAD_OFF_S: Final = 3
SMOOTHING: Final = 0.3
SWITCH_BY: Final = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A window of a recording from index `first`: `signal` (leads, count) in mV, NaN = missing, a view of each lead."""

    held: Held
    first: int
    signal: Signal
    views: tuple[LeadView, ...]

    def qualities(self, second: int) -> list[LeadQuality]:
        """How far each lead can be read in that second of the recording."""
        told = [self._quality(k, second) for k in range(len(self.views))]
        return [self._with_lead_off(k, second, one) for k, one in enumerate(told)]

    def quality_at(self, lead: int, index: int) -> float:
        """Quality of the second that holds `index`."""
        return self._quality(lead, self.held.clock.second_of(index)).quality

    def _quality(self, k: int, second: int) -> LeadQuality:
        low, high = self.held.clock.first_of(second), self.held.clock.first_of(second + 1)
        part = self.held.window[k, max(0, low - self.first) : max(0, high - self.first)]
        known = part[part != MISSING].astype(np.int64)
        there = len(known) / (high - low)
        flags: list[Flag] = ["missing"] if there <= 1.0 - MOST_MISSING else []
        quality = there
        if len(known) and np.ptp(known) * self.held.uv_per_lsb[k] / 1000.0 < FLAT_MV:
            flags.append("flat")
            quality = 0.0
        railed = float(np.mean(np.abs(known) >= RAIL)) if len(known) else 0.0
        if railed >= MOST_RAILED:
            flags.append("saturated")
        quality *= _ramp(railed, MOST_RAILED, 0.0)
        if quality > 0.0:
            clear = self._clearness(k, low, high)
            flags += ["noise"] if clear < 0.5 else []
            quality *= clear
        return LeadQuality(self.held.leads[k], quality, tuple(flags))

    def _clearness(self, k: int, low: int, high: int) -> float:
        """1 where beats stand out of silence and look alike, 0 where it might all be noise."""
        lead = self.views[k]
        if not len(lead.peaks):
            return 0.0
        share = noise_share(lead, max(0, low - self.first), min(high - self.first, len(lead.clean)))
        return _ramp(share, NOISE_BAD, NOISE_GOOD) * _ramp(float(np.median(lead.likeness)), LIKE_BAD, LIKE_GOOD)

    def _with_lead_off(self, k: int, second: int, last: LeadQuality) -> LeadQuality:
        """`lead_off` after three seconds in a row in which what came was flat, at the rails or noise."""
        before = [self._quality(k, second - back) for back in range(1, LEAD_OFF_S)]
        began = self.held.clock.first_of(second - LEAD_OFF_S + 1) < self.first
        off = not began and all(q.quality < UNREADABLE and set(q.flags) - {"missing"} for q in (last, *before))
        return LeadQuality(last.lead, last.quality, (*last.flags, "lead_off")) if off else last


def look(held: Held) -> Look:
    """Every lead of the window as neurokit2 sees it."""
    gains = np.array(held.uv_per_lsb)[:, None] / 1000.0
    signal = np.where(held.window == MISSING, np.nan, held.window * gains)
    return Look(held, held.first_index, signal, tuple(view(lead, held.rate_hz) for lead in signal))


def choose_main(held: Held, qualities: list[LeadQuality]) -> None:
    """The lead that beats are measured on changes only for one clearly better."""
    held.scores = [s + SMOOTHING * (q.quality - s) for s, q in zip(held.scores, qualities, strict=True)]
    best = max(range(len(held.scores)), key=held.scores.__getitem__)
    if held.scores[best] > held.scores[held.main] + SWITCH_BY:
        held.main = best


def _ramp(value: float, bad: float, good: float) -> float:
    """0 at `bad`, 1 at `good`, linear between."""
    return min(1.0, max(0.0, (value - bad) / (good - bad)))
