"""How annotated rhythms become seconds to learn from."""

from __future__ import annotations

from bench.accuracy.spans import Span
from bench.ventricular.labels import BESIDE, seconds_of
from processors.ecg.ventricular_odds import CHAOTIC, OTHER, WIDE_AND_FAST

SPANS = (Span(0, 2500, "N"), Span(2500, 5000, "VT"), Span(5000, 7500, "VFL"), Span(7500, 8750, "HGEA"))


def test_each_second_bears_the_rhythm_of_its_span() -> None:
    kinds = seconds_of(SPANS, 35, 250.0).kinds
    assert kinds[[5, 15, 25, 33]].tolist() == [OTHER, WIDE_AND_FAST, CHAOTIC, OTHER]


def test_seconds_at_a_change_of_rhythm_teach_nothing() -> None:
    weights = seconds_of(SPANS, 35, 250.0).weights
    assert weights[10 : 10 + BESIDE].tolist() == [0.0] * BESIDE
    assert weights[10 + BESIDE] == 1.0


def test_what_nobody_marked_teaches_nothing() -> None:
    assert not seconds_of(SPANS, 35, 250.0).weights[30:].any()


def test_seconds_without_any_annotation_teach_nothing() -> None:
    assert not seconds_of((Span(2500, 5000, "N"),), 20, 250.0).weights[:10].any()
