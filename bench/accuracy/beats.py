"""Beats found, invented and missed: per record, gross and averaged over records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.matching import WINDOW_S, pairs
from bench.accuracy.references import Positions, Reference, Stretch, inside


@dataclass(frozen=True, slots=True)
class BeatScore:
    """Counts of one record, or of several together; `offsets_ms` is detection minus annotation of each beat found."""

    name: str
    found: int
    false: int
    missed: int
    offsets_ms: NDArray[np.float64]

    @property
    def beats(self) -> int:
        return self.found + self.missed

    @property
    def sensitivity(self) -> float:
        return 100.0 * self.found / max(1, self.beats)

    @property
    def predictivity(self) -> float:
        return 100.0 * self.found / max(1, self.found + self.false)

    @property
    def offset_ms(self) -> float | None:
        """The median offset."""
        return float(np.median(self.offsets_ms)) if self.offsets_ms.size else None

    @property
    def offset_sd_ms(self) -> float | None:
        return float(self.offsets_ms.std()) if self.offsets_ms.size else None


@dataclass(frozen=True, slots=True)
class BeatTotal:
    """Records together: gross counts every beat once, the means count every record once."""

    name: str
    records: int
    gross: BeatScore
    mean_sensitivity: float
    mean_predictivity: float


def score_beats(
    name: str, reference: Reference, found: Positions, rate_hz: float, within: tuple[Stretch, ...] | None = None
) -> BeatScore:
    """Pair detections with annotated beats at ±150 ms and count; both sorted.

    Detections without a partner don't count in stretches that are left out. `within` counts only what falls into these
    stretches (a pair where its annotation does).
    """
    paired = pairs(reference.beats, found, WINDOW_S * rate_hz)
    hits = reference.beats[paired.reference]
    offsets_ms = (found[paired.found] - hits).astype(np.float64) * (1000.0 / rate_hz)
    missed = np.delete(reference.beats, paired.reference)
    false = np.delete(found, paired.found)
    false = false[~inside(false, reference.left_out)]
    if within is not None:
        offsets_ms = offsets_ms[inside(hits, within)]
        missed, false = missed[inside(missed, within)], false[inside(false, within)]
    return BeatScore(name, len(offsets_ms), len(false), len(missed), offsets_ms)


def total(name: str, scores: Sequence[BeatScore]) -> BeatTotal:
    """Of at least one record."""
    gross = BeatScore(
        name,
        sum(s.found for s in scores),
        sum(s.false for s in scores),
        sum(s.missed for s in scores),
        np.concatenate([s.offsets_ms for s in scores]),
    )
    return BeatTotal(
        name,
        len(scores),
        gross,
        float(np.mean([s.sensitivity for s in scores])),
        float(np.mean([s.predictivity for s in scores])),
    )
