"""Classes of beats: the patient's own usual beat is N, what comes early is S in its shape and V in another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.accuracy.class_runs import run_classes
from bench.accuracy.classes import ClassScore
from bench.accuracy.databases import open_database
from bench.classes.network import Network
from processors.ecg.class_shapes import like_at, size_of
from processors.ecg.class_weights import FIRST, LAST
from processors.ecg.classification import answer, certainty
from processors.ecg.engine import FastEngine
from processors.ecg.state import CLASS_ANSWERS, CLASS_UNITS, CLASSED, KIND, TRAITS, WORK

from .kernels import alone
from .signals import Output, ecg, every, regular, run

ENGINE = FastEngine()
SECONDS = 120


def classes(samples: NDArray[np.int16]) -> Output:
    return run(ENGINE, every(250, samples))


def with_early(times: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
    """Some beats come after 0.6 of the interval, those after them where they would have."""
    moved = times.copy()
    moved[which] -= 0.4 * (times[1] - times[0])
    return moved


def told_at(output: Output, times_s: NDArray[np.float64]) -> str:
    """The classes of the beats at these times, in order; a blank where there is no beat."""
    at = output.beats["r_index"] / 250
    return "".join(
        str(output.beats["beat_class"][np.abs(at - t).argmin()]) if np.abs(at - t).min() < 0.1 else " " for t in times_s
    )


TIMES = regular(75, SECONDS)
ECTOPIC = np.arange(25, len(TIMES) - 3, 11)


def test_beats_of_one_shape_at_one_rate_are_normal() -> None:
    assert set(classes(ecg(TIMES, SECONDS)).beats["beat_class"]) == {"N"}


def test_usual_beats_are_normal_however_wide_they_are() -> None:
    told = classes(ecg(TIMES, SECONDS, wide=range(len(TIMES)))).beats["beat_class"][20:]
    assert (told == "N").mean() > 0.95


def test_early_beats_of_the_usual_shape_are_supraventricular() -> None:
    times = with_early(TIMES, ECTOPIC)
    told = told_at(classes(ecg(times, SECONDS)), times[ECTOPIC])
    assert told.count("S") >= 0.9 * len(told)


def test_early_broad_beats_are_ventricular_and_the_others_stay_normal() -> None:
    times = with_early(TIMES, ECTOPIC)
    output = classes(ecg(times, SECONDS, wide=ECTOPIC.tolist()))
    assert set(told_at(output, times[ECTOPIC])) == {"V"}
    assert set(told_at(output, np.delete(times, ECTOPIC)[20:])) == {"N"}


def test_polarity_and_gain_do_not_matter() -> None:
    times = with_early(TIMES, ECTOPIC)
    samples = ecg(times, SECONDS, wide=ECTOPIC.tolist())
    upright = told_at(classes(samples), times)
    assert told_at(classes(-samples), times) == upright
    assert told_at(classes(3 * samples), times) == upright


def test_confidence_is_a_percentage_and_lower_where_the_class_is_less_sure() -> None:
    times = with_early(TIMES, ECTOPIC)
    beats = classes(ecg(times, SECONDS)).beats
    assert ((beats["confidence"] >= 0) & (beats["confidence"] <= 100)).all()
    early = beats["beat_class"] == "S"
    assert beats["confidence"][early].mean() < beats["confidence"][~early].mean()


def test_the_kernel_gives_the_trained_networks_answers() -> None:
    traits = np.random.default_rng(5).normal(0, 1, (20, CLASSED, TRAITS)).astype(np.float32)
    work = np.zeros(1, WORK)[0]
    network = Network(FIRST, LAST)
    for leads in (1, 2):
        wanted = network.answers(traits, np.full(20, leads))
        for each, expected in zip(traits, wanted, strict=True):
            work["traits"] = each
            alone(answer)(work, leads)
            assert work["answers"] == pytest.approx(expected, abs=1e-3)


def test_certainty_is_the_share_of_the_chosen_class() -> None:
    work = np.zeros(1, WORK)[0]
    work["answers"] = np.log([6, 2, 1, 1])
    assert alone(certainty)(work, 0) == pytest.approx(0.6)


def test_weights_have_the_kernels_shape() -> None:
    assert FIRST.shape == (TRAITS + 1, CLASS_UNITS)
    assert LAST.shape == (CLASS_UNITS + 1, CLASS_ANSWERS)


def test_likeness_is_1_whatever_the_height_and_level() -> None:
    kind = np.round(1000 * np.sin(np.arange(KIND) / 3)).astype(np.int16)
    kind -= np.int16(round(float(kind.mean())))
    points = (5 * kind + 700).astype(np.float32)
    assert alone(like_at)(points, 0, kind, alone(size_of)(kind)) == pytest.approx(1, abs=1e-3)


LEAST = {  # record of DS1: Se and PPV of V, then of S, all leads
    "106": (95.0, 98.0, None, None), "119": (98.0, 98.0, None, None), "118": (90.0, 75.0, 90.0, 90.0),
    "209": (None, None, 80.0, 90.0), "220": (None, None, 85.0, 90.0), "223": (85.0, 95.0, 55.0, 90.0),
}  # fmt: skip
"""Floors against breaking things: the network has learned from these records. docs/accuracy.md has those it has not."""


@pytest.mark.data
@pytest.mark.parametrize("record", LEAST)
def test_classes_are_told_on(recordings: Path, record: str) -> None:
    score: ClassScore = run_classes(open_database(recordings, "mitdb", [record]), None, "fast", 1.0).scores[0]
    reached = [score.sensitivity("V"), score.predictivity("V"), score.sensitivity("S"), score.predictivity("S")]
    for figure, floor in zip(reached, LEAST[record], strict=True):
        assert floor is None or (figure is not None and figure >= floor)
