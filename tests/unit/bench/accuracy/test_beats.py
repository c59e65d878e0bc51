from __future__ import annotations

import numpy as np
import pytest

from bench.accuracy.beats import BeatScore, score_beats, total
from bench.accuracy.references import Reference, Stretch

RATE_HZ = 100.0
NONE = np.empty(0)


def reference(*beats: int, flutter: tuple[Stretch, ...] = ()) -> Reference:
    return Reference(np.array(beats, np.int64), np.array(beats, np.int64), flutter)


def counts(score: BeatScore) -> tuple[int, int, int]:
    return score.found, score.false, score.missed


def test_what_is_found_invented_and_missed_is_counted() -> None:
    score = score_beats("x", reference(100, 200, 300, 400), np.array([102, 150, 201, 460, 500]), RATE_HZ)
    assert counts(score) == (2, 3, 2)
    assert (score.sensitivity, score.predictivity) == (50.0, 40.0)


def test_offsets_are_milliseconds_from_the_annotation_to_the_detection() -> None:
    score = score_beats("x", reference(100, 200, 300), np.array([101, 202, 303]), RATE_HZ)
    assert score.offset_ms == pytest.approx(20.0)
    assert score.offset_sd_ms == pytest.approx(np.std([10, 20, 30]))


def test_detections_in_flutter_are_not_counted_but_those_of_its_neighbours_are() -> None:
    marked = reference(100, 500, flutter=(Stretch(105, 490),))
    assert counts(score_beats("x", marked, np.array([106, 250, 300, 495]), RATE_HZ)) == (2, 0, 0)


def test_a_stretch_counts_the_beats_annotated_in_it() -> None:
    found = np.array([99, 205, 250, 310])
    score = score_beats("x", reference(100, 201, 400), found, RATE_HZ, within=(Stretch(200, 300),))
    assert counts(score) == (1, 1, 0)


def test_gross_counts_beats_and_the_mean_counts_records() -> None:
    scores = [BeatScore("a", 90, 0, 10, NONE), BeatScore("b", 1, 1, 0, NONE)]
    both = total("all", scores)
    assert both.gross.sensitivity == pytest.approx(100 * 91 / 101)
    assert both.mean_sensitivity == pytest.approx(95.0)
    assert both.mean_predictivity == pytest.approx(75.0)


def test_a_record_nothing_is_found_in_has_no_offset() -> None:
    score = score_beats("x", reference(100), np.empty(0, np.int64), RATE_HZ)
    assert (score.sensitivity, score.predictivity, score.offset_ms, score.offset_sd_ms) == (0.0, 0.0, None, None)
