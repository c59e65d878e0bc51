from __future__ import annotations

from pathlib import Path

import pytest

from bench.accuracy.atrial_runs import READINGS, VerdictScore, score
from bench.accuracy.rhythm_answers import RhythmAnswer, answer_of_beats, answer_of_signal
from bench.accuracy.spans import Span
from schemas.rhythms import ATRIAL_FIBRILLATION

AF, AF_OR_FLUTTER = READINGS
ANSWER = RhythmAnswer(
    "x", 100.0, 10_000,
    annotated=(Span(0, 4000, "N"), Span(4000, 8000, "AFIB"), Span(8000, 9000, "AFL"), Span(9000, 10_000, "N")),
    stated=(Span(4100, 9000, ATRIAL_FIBRILLATION),),
    shown=(Span(5000, 8000, ATRIAL_FIBRILLATION),),
)  # fmt: skip


def test_flutter_called_fibrillation_is_false_in_one_reading_and_right_in_the_other() -> None:
    strict, both = score(ANSWER, AF, as_streamed=False).time, score(ANSWER, AF_OR_FLUTTER, as_streamed=False).time
    assert (strict.true_s, strict.false_s, strict.missed_s) == (39.0, 10.0, 1.0)
    assert (both.true_s, both.false_s, both.missed_s) == (49.0, 0.0, 1.0)


def test_what_was_shown_as_it_streamed_is_scored_apart() -> None:
    assert score(ANSWER, AF, as_streamed=True).time.missed_s == 10.0


def test_f1_weighs_missed_and_false_records_alike() -> None:
    assert VerdictScore("x", right=8, wrong=1, missed=3, rest=100).f1 == pytest.approx(80.0)


@pytest.mark.data
def test_fibrillation_is_told_by_annotated_beats_alone(recordings: Path) -> None:
    scored = score(answer_of_beats(recordings / "afdb_ann" / "04746"), AF, as_streamed=False).time
    assert (scored.sensitivity or 0.0) > 99.0
    assert (scored.specificity or 0.0) > 98.5


@pytest.mark.data
def test_fibrillation_that_comes_and_goes_is_told_on_the_signal(recordings: Path) -> None:
    scored = score(answer_of_signal(recordings / "mitdb" / "201"), AF, as_streamed=False).time
    assert (scored.sensitivity or 0.0) > 95.0
    assert (scored.predictivity or 0.0) > 95.0
