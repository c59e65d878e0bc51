"""How far stated boundaries are from annotated ones, per point, record and group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.waves import POINTS, Marks

NEAR_MS: Final = 150.0


@dataclass(frozen=True, slots=True)
class Published:
    """What is known of a point, in ms: Martinez et al. 2004 on the QT Database, and twice the sd CSE tolerates."""

    mean_ms: float | None = None
    sd_ms: float | None = None
    tolerance_ms: float | None = None


PUBLISHED: Final = {
    "p_onset": Published(2.0, 14.8, 10.2),
    "p_peak": Published(3.6, 13.2),
    "p_offset": Published(1.9, 12.8, 12.7),
    "qrs_onset": Published(4.6, 7.7, 6.5),
    "qrs_offset": Published(0.8, 8.7, 11.6),
    "t_onset": Published(),
    "t_peak": Published(0.2, 13.9),
    "t_offset": Published(-1.6, 18.1, 30.6),
}
"""Martinez JP et al., A wavelet-based ECG delineator, IEEE TBME 51(4), 2004, Table III; CSE Working Party 1985.

His mean and sd are averages of the records' figures, each point from the lead that is nearer to the annotation.
"""


@dataclass(frozen=True, slots=True)
class PointScore:
    """One point in one record. `errors_ms` is stated minus annotated of every annotated point that was found.

    `unasked` counts annotated beats of which the point was stated though it is not annotated.
    """

    record: str
    point: str
    annotated: int
    unasked: int
    errors_ms: NDArray[np.float64]

    @property
    def found(self) -> int:
        return len(self.errors_ms)


@dataclass(frozen=True, slots=True)
class PointTotal:
    """A point in a group of records: errors pooled over beats, and mean and sd averaged over records.

    `found` and `near` are parts of the annotated points in percent: those a mark was stated of, and one within ±150 ms.
    `unasked` of the `unannotated` beats were given a mark. Errors are None where nothing was found (the sd within
    records, where nothing was found twice in a record).
    """

    point: str
    annotated: int
    found: float
    near: float
    unasked: int
    unannotated: int
    mean_ms: float | None
    sd_ms: float | None
    record_mean_ms: float | None
    record_sd_ms: float | None


def score_points(record: str, reference: Marks, stated: Marks, rate_hz: float) -> list[PointScore]:
    """Each point of a record; `stated` is aligned with `reference`.

    An annotated point is found if a mark of that name is stated for the beat, however far away it is.
    """
    scores = []
    for point in POINTS:
        asked, told = reference[point] >= 0, stated[point] >= 0
        hit = asked & told
        errors_ms = (stated[point][hit] - reference[point][hit]) * (1000.0 / rate_hz)
        scores.append(PointScore(record, point, int(asked.sum()), int((told & ~asked).sum()), errors_ms))
    return scores


def total_of_point(point: str, beats: int, scores: Sequence[PointScore]) -> PointTotal:
    """The records of a group together; `beats` is the number of beats annotated in them."""
    scores = [s for s in scores if s.point == point]
    annotated = sum(s.annotated for s in scores)
    errors = np.concatenate([s.errors_ms for s in scores])
    near = int((np.abs(errors) <= NEAR_MS).sum())
    return PointTotal(
        point=point,
        annotated=annotated,
        found=100.0 * errors.size / max(1, annotated),
        near=100.0 * near / max(1, annotated),
        unasked=sum(s.unasked for s in scores),
        unannotated=beats - annotated,
        mean_ms=float(errors.mean()) if errors.size else None,
        sd_ms=float(errors.std()) if errors.size else None,
        record_mean_ms=_mean([float(s.errors_ms.mean()) for s in scores if s.found]),
        record_sd_ms=_mean([float(s.errors_ms.std(ddof=1)) for s in scores if s.found > 1]),
    )


def _mean(figures: Sequence[float]) -> float | None:
    return float(np.mean(figures)) if figures else None
