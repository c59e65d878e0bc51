from __future__ import annotations

import numpy as np
import pytest

from bench.accuracy.boundaries import PointScore, PointTotal, score_points, total_of_point
from tests.unit.bench.accuracy.test_waves import marks


def score(record: str, *errors_ms: float, annotated: int = 0, unasked: int = 0) -> PointScore:
    return PointScore(record, "t_offset", annotated or len(errors_ms), unasked, np.array(errors_ms))


def total(*scores: PointScore) -> PointTotal:
    return total_of_point("t_offset", 10, scores)


def test_a_point_is_found_where_one_is_annotated_and_one_is_stated() -> None:
    reference = marks({"r_index": 1, "t_peak": 100}, {"r_index": 2, "t_peak": 200}, {"r_index": 3})
    stated = marks({"r_index": 1, "t_peak": 102}, {"r_index": 2}, {"r_index": 3, "t_peak": 300})
    t_peak = next(s for s in score_points("x", reference, stated, rate_hz=250.0) if s.point == "t_peak")
    assert (t_peak.annotated, t_peak.found, t_peak.unasked) == (2, 1, 1)
    assert t_peak.errors_ms.tolist() == [8.0]


def test_the_pooled_sd_holds_the_differences_between_records_and_the_mean_sd_does_not() -> None:
    both = total(score("a", 9.0, 11.0), score("b", -11.0, -9.0))
    assert (both.mean_ms, both.record_mean_ms) == (0.0, 0.0)
    assert both.sd_ms == pytest.approx(np.sqrt(101))
    assert both.record_sd_ms == pytest.approx(np.sqrt(2))


def test_a_far_mark_is_found_but_not_near_and_its_error_counts() -> None:
    one = total(score("a", 0.0, 200.0, annotated=4))
    assert (one.annotated, one.found, one.near, one.mean_ms) == (4, 50.0, 25.0, 100.0)


def test_a_point_nobody_found_has_no_error() -> None:
    none = total(score("a", annotated=3, unasked=2))
    assert (none.found, none.mean_ms, none.record_sd_ms) == (0.0, None, None)
    assert (none.unasked, none.unannotated) == (2, 7)
