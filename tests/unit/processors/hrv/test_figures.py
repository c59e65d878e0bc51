"""Figures of series whose figures are known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from processors.hrv.figures import hrv_figures
from processors.hrv.intervals import nn_series
from schemas.hrv import FIGURES
from tests.unit.processors.hrv.series import beats, modulated


def figures(interval_ms: list[float], classes: str | None = None) -> dict[str, float]:
    told = hrv_figures(nn_series([beats(interval_ms, classes)]))
    return {name: np.nan if value is None else value for name, value in told.items()}


def breathing() -> list[float]:
    noise = np.random.default_rng(4).normal(0, 20, 400)
    return [a + float(b) for a, b in zip(modulated(0.25, 40), noise, strict=False)]


def test_a_heart_like_a_clock_varies_by_nothing_and_has_no_ratios() -> None:
    told = hrv_figures(nn_series([beats([800] * 370)]))
    assert [told[name] for name in ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "pnn50", "sd1_ms", "sd2_ms")] == [
        800, 0, 0, 0, 0, 0,
    ]  # fmt: skip
    assert told["total_ms2"] == pytest.approx(0, abs=1e-9)
    assert [told[name] for name in ("lf_hf", "lf_nu", "hf_nu", "sd1_sd2", "sample_entropy", "dfa_alpha1")] == [None] * 6
    assert set(told) == set(FIGURES)


@pytest.mark.parametrize(("hz", "band"), [(0.03, "vlf_ms2"), (0.1, "lf_ms2"), (0.25, "hf_ms2")])
def test_a_sine_shows_in_its_band_with_half_its_square(hz: float, band: str) -> None:
    told = figures(modulated(hz, 40))
    assert told[band] == pytest.approx(40**2 / 2, rel=0.06)
    assert told[band] > 0.99 * told["total_ms2"]


def test_breathing_is_high_frequency_and_short_term() -> None:
    told = figures(breathing())
    assert told["hf_nu"] > 90
    assert told["lf_nu"] + told["hf_nu"] == pytest.approx(100)
    assert told["lf_hf"] == pytest.approx(told["lf_nu"] / told["hf_nu"])
    assert told["sd1_ms"] == pytest.approx(told["sdsd_ms"] / np.sqrt(2), rel=0.01)


def test_time_figures_are_those_of_their_definitions() -> None:
    intervals = breathing()
    told, steps = figures(intervals), np.diff(intervals)
    assert told["sdnn_ms"] == pytest.approx(np.std(intervals, ddof=1))
    assert told["rmssd_ms"] == pytest.approx(np.sqrt(np.mean(steps**2)))
    assert told["pnn50"] == pytest.approx(100 * np.mean(np.abs([0, *steps]) > 50))


def test_neurokit2_says_the_same_of_what_we_compute_ourselves() -> None:
    import neurokit2  # noqa: PLC0415  # two seconds that the other modules of tests don't pay

    intervals = np.array(breathing())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = neurokit2.hrv_nonlinear({"RRI": intervals, "RRI_Time": np.cumsum(intervals) / 1000}).iloc[0]
    ours = figures(intervals.tolist())
    names = {"sd1_ms": "SD1", "sd2_ms": "SD2", "sd1_sd2": "SD1SD2", "sample_entropy": "SampEn"}
    assert [ours[name] for name in names] == pytest.approx([theirs[f"HRV_{name}"] for name in names.values()])


def test_white_noise_has_an_alpha_of_a_half() -> None:
    told = figures(np.random.default_rng(2).normal(800, 30, 370).tolist())
    assert told["dfa_alpha1"] == pytest.approx(0.5, abs=0.15)


def test_ectopic_beats_are_cut_out_and_change_little() -> None:
    calm = breathing()
    struck, classes = list(calm), ["N"] * (len(calm) + 1)
    for at in range(20, 340, 40):  # an early beat and its pause
        struck[at], struck[at + 1] = calm[at] - 300, calm[at + 1] + 300
        classes[at + 1] = "V"
    clean = figures(calm)
    for told in (figures(struck, "".join(classes)), figures(struck)):  # seen as ectopic, and not
        for name in ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "hf_ms2", "sd1_ms"):
            assert told[name] == pytest.approx(clean[name], rel=0.1)


def test_no_warning_leaks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hrv_figures(nn_series([beats([800] * 370)]))
