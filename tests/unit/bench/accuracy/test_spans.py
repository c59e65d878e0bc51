from __future__ import annotations

import numpy as np

from bench.accuracy.references import Stretch
from bench.accuracy.spans import (
    Span,
    TimeScore,
    score_episodes,
    score_time,
    stated_spans,
    stretches_of,
    total_time,
)
from schemas import rhythms
from schemas.results import EPISODE_DTYPE


def test_time_is_counted_sample_by_sample() -> None:
    score = score_time("x", [Stretch(100, 300)], [Stretch(200, 500)], 1000, 100.0)
    assert score == TimeScore("x", true_s=1.0, false_s=2.0, missed_s=1.0, rest_s=6.0)
    assert (score.sensitivity, score.specificity) == (50.0, 75.0)


def test_what_is_left_out_counts_for_nobody() -> None:
    score = score_time("x", [Stretch(100, 300)], [Stretch(200, 500)], 1000, 100.0, left_out=[Stretch(150, 450)])
    assert score == TimeScore("x", true_s=0.0, false_s=0.5, missed_s=0.5, rest_s=6.0)


def test_a_rate_of_nothing_is_absent() -> None:
    silent = score_time("x", [], [], 100, 100.0)
    assert (silent.sensitivity, silent.specificity, silent.predictivity) == (None, 100.0, None)


def test_spans_of_several_labels_that_touch_are_one_stretch() -> None:
    spans = [Span(50, 60, "AFIB"), Span(0, 10, "AFIB"), Span(10, 20, "AFL"), Span(20, 30, "N")]
    assert stretches_of(spans, {"AFIB", "AFL"}) == (Stretch(0, 20), Stretch(50, 60))


def test_totals_add_seconds_up() -> None:
    both = total_time("all", [TimeScore("a", 1, 2, 3, 4), TimeScore("b", 1, 0, 0, 0)])
    assert both == TimeScore("all", 2, 2, 3, 4)


def test_an_episode_is_met_by_any_overlap_and_short_ones_are_not_asked_for() -> None:
    annotated = [Stretch(0, 100), Stretch(200, 300), Stretch(400, 410)]
    stated = [Stretch(99, 250), Stretch(500, 600), Stretch(405, 406)]
    score = score_episodes("x", annotated, stated, shortest=50)
    assert (score.episodes, score.met, score.stated, score.right) == (2, 2, 2, 1)


def test_closed_episodes_become_spans_in_samples() -> None:
    rows = np.zeros(2, EPISODE_DTYPE)
    rows["rhythm"] = rhythms.LABELS.index(rhythms.ATRIAL_FIBRILLATION)
    rows["state"] = (1, 2)
    rows["first_r_index"], rows["ended_at_us"] = 360, 2_000_000
    assert stated_spans(rows, 360.0) == (Span(360, 720, rhythms.ATRIAL_FIBRILLATION),)
