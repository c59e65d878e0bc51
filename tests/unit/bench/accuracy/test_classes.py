from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.class_runs import run_classes
from bench.accuracy.classes import CLASSES, ClassScore, Labelled, class_of, mean, score_classes, total
from bench.accuracy.databases import open_database

RATE_HZ = 360.0


def labelled(*beats: tuple[int, str]) -> Labelled:
    """Beats by their position in tenths of a second and their class."""
    at = np.array([place * 36 for place, _ in beats], np.int64)
    return Labelled(at, np.array([CLASSES.index(name) for _, name in beats], np.int64))


def scored(annotated: Sequence[tuple[int, str]], told: Sequence[tuple[int, str]]) -> ClassScore:
    return score_classes("x", labelled(*annotated), labelled(*told), RATE_HZ)


@pytest.mark.parametrize(
    ("symbols", "told"), [("NLRBej", "N"), ("AaJSn", "S"), ("VEr", "V"), ("F", "F"), ("/fQ?", "Q")]
)
def test_every_symbol_has_its_class(symbols: str, told: str) -> None:
    assert {CLASSES[class_of(symbol)] for symbol in symbols} == {told}


def test_a_ventricular_beat_that_was_not_detected_is_missed() -> None:
    score = scored([(10, "N"), (20, "V"), (30, "V")], [(10, "N"), (20, "V")])
    assert (score.hits("V"), score.missed("V"), score.sensitivity("V")) == (1, 1, 50.0)


def test_a_false_detection_told_as_ventricular_is_a_false_one() -> None:
    score = scored([(10, "N"), (20, "V")], [(10, "N"), (15, "V"), (20, "V")])
    assert (score.false("V"), score.predictivity("V")) == (1, 50.0)


def test_fusion_and_unclassified_beats_told_as_ventricular_are_exempt() -> None:
    score = scored([(10, "F"), (20, "Q"), (30, "N"), (40, "S")], [(10, "V"), (20, "V"), (30, "V"), (40, "V")])
    assert score.false("V") == 2


def test_only_unclassified_beats_told_as_supraventricular_are_exempt() -> None:
    score = scored([(10, "F"), (20, "Q"), (30, "N"), (40, "V")], [(10, "S"), (20, "S"), (30, "S"), (40, "S")])
    assert score.false("S") == 3


def test_a_class_that_is_not_there_has_no_figure() -> None:
    score = scored([(10, "N")], [(10, "N")])
    assert score.sensitivity("V") is None
    assert score.predictivity("V") is None
    assert mean([None, 50.0, 100.0]) == 75.0


def test_records_together_count_every_beat_once() -> None:
    one = scored([(10, "V"), (20, "V"), (30, "V")], [(10, "V"), (20, "V"), (30, "V")])
    other = scored([(10, "V")], [(10, "N")])
    assert total("both", [one, other]).sensitivity("V") == 75.0


@pytest.mark.data
def test_beats_in_ventricular_flutter_are_not_counted(recordings: Path) -> None:
    run = run_classes(open_database(recordings, "mitdb", ["207"]), 0, "fast", 1.0)
    assert run.scores[0].beats("V") == 210
    assert run.scores[0].counts[-1].sum() < 40
