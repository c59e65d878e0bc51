"""When a figure sampled over time counts as flat; the rules in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

LAG_GROWTH_S: Final = 1.0
"""Seconds behind may grow by so much over the whole run, by the slope of a straight line."""
COMMIT_MARGIN_S: Final = 6.0
"""Offsets are committed after a checkpoint: beyond its interval, a second until the commit, five until we look."""
MEMORY_GROWTH: Final = 0.05
MEMORY_WARM_UP_S: Final = 60.0
MEMORY_JUDGED_S: Final = 120.0
"""A process is judged from MEMORY_WARM_UP_S on, and only if it then lived for so long: three minutes in all."""


@dataclass(frozen=True, slots=True)
class Series:
    """A figure at moments in order; `at_s` and `values` are equally long."""

    at_s: Sequence[float]
    values: Sequence[float]

    @property
    def first_third(self) -> float:
        """The median of the first third of the time."""
        return self._median(0, 1)

    @property
    def last_third(self) -> float:
        return self._median(2, 3)

    @property
    def slope(self) -> float:
        """Per second, by least squares."""
        if len(self.at_s) < 3:
            return 0.0
        return float(np.polyfit(np.subtract(self.at_s, self.at_s[0]), self.values, 1)[0])

    def after(self, warm_up_s: float) -> Series:
        """What comes `warm_up_s` after the first moment."""
        kept = [(a, v) for a, v in zip(self.at_s, self.values, strict=True) if a - self.at_s[0] >= warm_up_s]
        return Series([a for a, _ in kept], [v for _, v in kept])

    def _median(self, begin: int, end: int) -> float:
        if not self.at_s:
            return float("nan")
        first_s, length_s = self.at_s[0], self.at_s[-1] - self.at_s[0]
        kept = [
            v
            for a, v in zip(self.at_s, self.values, strict=True)
            if begin * length_s <= 3 * (a - first_s) <= end * length_s
        ]
        return float(np.median(kept or self.values))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a series is flat (None: too short to say), and the figures that say so."""

    flat: bool | None
    first_third: float
    last_third: float
    most: float
    slope: float
    growth: float


def lag_verdict(behind_s: Series) -> Verdict:
    """Seconds behind are flat when the line through them rises by at most LAG_GROWTH_S over the run."""
    if len(behind_s.at_s) < 3:
        return _verdict(None, behind_s)
    return _verdict(behind_s.slope * (behind_s.at_s[-1] - behind_s.at_s[0]) <= LAG_GROWTH_S, behind_s)


def commit_verdict(behind_s: Series, checkpoint_s: float) -> Verdict:
    """Committed offsets saw with the checkpoints; they are flat when none is over the interval and COMMIT_MARGIN_S."""
    if not behind_s.at_s:
        return _verdict(None, behind_s)
    return _verdict(max(behind_s.values) <= checkpoint_s + COMMIT_MARGIN_S, behind_s)


def memory_verdict(used: Series) -> Verdict:
    """Memory is flat when the last third's median is at most MEMORY_GROWTH over the first's, after the warm-up."""
    judged = used.after(MEMORY_WARM_UP_S)
    if not judged.at_s or judged.at_s[-1] - judged.at_s[0] < MEMORY_JUDGED_S:
        return _verdict(None, judged if judged.at_s else used)
    return _verdict(judged.last_third <= judged.first_third * (1 + MEMORY_GROWTH), judged)


def _verdict(flat: bool | None, series: Series) -> Verdict:
    first, last = series.first_third, series.last_third
    return Verdict(
        flat=None if flat is None else bool(flat),
        first_third=first,
        last_third=last,
        most=max(series.values, default=float("nan")),
        slope=series.slope,
        growth=last / first - 1 if first else 0.0,
    )
