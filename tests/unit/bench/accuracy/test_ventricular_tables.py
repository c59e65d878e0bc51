"""What counts as found, missed and false among ventricular rhythms."""

from __future__ import annotations

from bench.accuracy.spans import Span
from bench.accuracy.ventricular_runs import VentricularAnswer
from bench.accuracy.ventricular_tables import READINGS, false_table, scored

STRICT, WITHOUT_NOISE, _ = READINGS


def answer(*stated: Span) -> VentricularAnswer:
    """100 s: sinus rhythm, tachycardia from 40 s to 60 s, noise from 80 s on."""
    annotated = (Span(0, 10000, "N"), Span(10000, 15000, "VT"), Span(15000, 20000, "N"), Span(20000, 25000, "NOISE"))
    return VentricularAnswer("x", "all", 250.0, 25000, annotated, stated, ())


def test_any_of_the_malignant_labels_finds_any_of_the_codes() -> None:
    score = scored(answer(Span(10000, 15000, "Ventricular Flutter")), STRICT)
    assert (score.sensitivity, score.specificity) == (100.0, 100.0)


def test_what_is_stated_in_noise_is_false_unless_noise_is_left_out() -> None:
    said = answer(Span(20000, 25000, "Ventricular Fibrillation"))
    assert scored(said, STRICT).false_s == 20.0
    assert scored(said, WITHOUT_NOISE).false_s == 0.0


def test_other_labels_find_nothing() -> None:
    assert scored(answer(Span(10000, 15000, "Idioventricular Rhythm")), STRICT).sensitivity == 0.0


def test_only_episodes_away_from_annotated_ones_are_false() -> None:
    said = answer(Span(9800, 10000, "Ventricular Flutter"), Span(2000, 3000, "Ventricular Flutter"))
    cells = [cell.strip() for cell in false_table([("db", [said])]).splitlines()[2].split("|")]
    assert cells[5] == "1"
