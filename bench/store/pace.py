"""Whether a load is kept up with: how late each tick was committed, and whether that grows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

_SETTLED: Final = 0.1
"""The first tenth of a run is not judged: caches fill and tables get their first pages."""
GROWTH_S: Final = 0.5
"""A lag that is this much longer at the end of a run than at its beginning grows."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A tick: when it was due, counted from the start, and how long after that it was committed."""

    due_s: float
    lag_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Over all ticks but the first tenth; the slope is of each second's longest lag."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    slope_ms_per_s: float
    grown_s: float

    @property
    def holds(self) -> bool:
        return self.grown_s <= GROWTH_S

    def told(self) -> dict[str, Any]:
        return {
            "p50_ms": round(self.p50_ms, 1),
            "p99_ms": round(self.p99_ms, 1),
            "max_ms": round(self.max_ms, 1),
            "slope_ms_per_s": round(self.slope_ms_per_s, 3),
            "grown_s": round(self.grown_s, 3),
            "holds": self.holds,
        }


def pace(ticks: Sequence[Kept]) -> Pace:
    """Of at least two seconds of ticks. Raises ValueError for fewer."""
    end_s = max((each.due_s for each in ticks), default=0.0)
    judged = [each for each in ticks if each.due_s >= _SETTLED * end_s]
    worst = _worst_of_seconds(judged)
    if len(worst) < 2:
        raise ValueError(f"{len(ticks)} ticks of {end_s:g} s tell no trend; let it run for some seconds")
    lags_ms = np.array([each.lag_s for each in judged]) * 1000
    seconds, longest = np.array(list(worst)), np.array(list(worst.values()))
    slope = float(np.polyfit(seconds, longest, 1)[0])
    p50, p99 = np.percentile(lags_ms, [50, 99])
    return Pace(float(p50), float(p99), float(lags_ms.max()), 1000 * slope, slope * float(np.ptp(seconds)))


def _worst_of_seconds(ticks: Sequence[Kept]) -> dict[int, float]:
    worst: dict[int, float] = {}
    for each in ticks:
        second = int(each.due_s)
        worst[second] = max(worst.get(second, 0.0), each.lag_s)
    return worst
