"""Waves drawn with known boundaries are found where they are, at any size, sign and rate, and not where none is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from schemas.samples import Lead
from tests.unit.processors.ecg.signals import Output, every, run

P = (-0.20, -0.10, 0.12)
QRS = (-0.045, 0.045, 1.2)
T = (0.16, 0.40, 0.30)
"""Begin and end in seconds from R, height in mV; each wave is one arch of a raised cosine."""
BEATS_S = np.arange(0.6, 39.5, 0.9)


def draw(waves: tuple[tuple[float, float, float], ...], rate_hz: float = 250.0, st_mv: float = 0.0) -> NDArray[Any]:
    """40 s of one lead in mV; with `st_mv` the level between QRS and T is raised."""
    t = np.arange(round(40 * rate_hz)) / rate_hz
    lead = np.random.default_rng(3).normal(0, 0.004, t.size)
    for r in BEATS_S:
        for begin, end, height in waves:
            x = (t - r - begin) / (end - begin)
            inside = (x > 0) & (x < 1)
            lead[inside] += height * 0.5 * (1 - np.cos(2 * np.pi * x[inside]))
        lead[(t > r + QRS[1] - 0.02) & (t < r + T[0] + 0.03)] += st_mv
    return lead


def measured(*leads: NDArray[Any], names: tuple[Lead, ...] = ("II",), rate_hz: float = 250.0) -> Output:
    samples = np.round(np.array(leads) * 1000 / 2.0).astype(np.int16)
    return run(FastEngine(), every(round(rate_hz), samples, rate_hz=rate_hz, leads=names))


def from_r(output: Output, name: str, rate_hz: float = 250.0) -> float:
    """Median place of a boundary, in ms from the true R, over the beats after the tenth."""
    rows = output.beats[10:-2]
    true = BEATS_S[[int(np.argmin(abs(BEATS_S - r / rate_hz))) for r in rows["r_index"]]]
    assert np.mean(rows[name] >= 0) > 0.95
    return float(np.median((rows[name] / rate_hz - true)[rows[name] >= 0]) * 1000)


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 360.0, 500.0, 1000.0])
def test_boundaries_lie_where_they_were_drawn_at_any_rate(rate_hz: float) -> None:
    output = measured(draw((P, QRS, T), rate_hz), rate_hz=rate_hz)
    places = {name: from_r(output, name, rate_hz) for name in ("p_onset", "p_peak", "p_offset", "t_peak", "t_offset")}
    assert places == {
        "p_onset": pytest.approx(-200, abs=24),
        "p_peak": pytest.approx(-150, abs=10),
        "p_offset": pytest.approx(-100, abs=20),
        "t_peak": pytest.approx(280, abs=16),
        "t_offset": pytest.approx(400, abs=36),
    }
    assert from_r(output, "qrs_onset", rate_hz) == pytest.approx(-45, abs=12)
    assert from_r(output, "qrs_offset", rate_hz) == pytest.approx(45, abs=16)


@pytest.mark.parametrize("factor", [-1.0, 0.25, 4.0])
def test_size_and_sign_of_a_lead_move_no_boundary(factor: float) -> None:
    lead = draw((P, QRS, T))
    one, other = measured(lead), measured(lead * factor)
    for name in ("p_onset", "p_offset", "qrs_onset", "qrs_offset", "t_peak", "t_offset"):
        assert from_r(other, name) == pytest.approx(from_r(one, name), abs=8)


def test_an_inverted_t_wave_is_found_like_an_upright_one() -> None:
    upright, inverted = measured(draw((P, QRS, T))), measured(draw((P, QRS, (T[0], T[1], -T[2]))))
    assert from_r(inverted, "t_peak") == pytest.approx(from_r(upright, "t_peak"), abs=12)
    assert from_r(inverted, "t_offset") == pytest.approx(from_r(upright, "t_offset"), abs=24)


def test_without_a_p_wave_there_is_no_p_and_no_pr() -> None:
    rows = measured(draw((QRS, T))).beats[10:-2]
    assert np.mean(rows["p_peak"] == -1) > 0.9
    assert np.isnan(rows["pr_ms"][rows["p_peak"] == -1]).all()


def test_a_wave_seen_in_the_second_lead_only_is_found() -> None:
    output = measured(draw((QRS, T)), draw((P, QRS, T)), names=("II", "V1"))
    assert from_r(output, "p_peak") == pytest.approx(-150, abs=12)


def test_the_st_level_is_the_one_drawn() -> None:
    output = measured(draw((P, QRS, T), st_mv=0.2))
    assert np.nanmedian(output.beats["st_mv"][10:-2]) == pytest.approx(0.2, abs=0.04)
    assert np.nanmedian(output.metrics["st_mv"][15:-2]) == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("degrees", [-60.0, 0.0, 45.0, 120.0])
def test_axes_are_those_of_the_vectors_drawn(degrees: float) -> None:
    lead, a = draw((P, QRS, T)), np.deg2rad(degrees)
    output = measured(lead * np.cos(a), lead * np.cos(a - np.pi / 3), names=("I", "II"))
    for name in ("p_axis_deg", "qrs_axis_deg", "t_axis_deg"):
        away = np.deg2rad(output.metrics[name][15:-2] - degrees)
        assert abs(np.rad2deg(np.nanmedian(np.arctan2(np.sin(away), np.cos(away))))) < 12


def test_intervals_are_those_between_the_boundaries() -> None:
    rows = measured(draw((P, QRS, T))).beats[10:-2]
    assert np.allclose(rows["qrs_ms"], 4.0 * (rows["qrs_offset"] - rows["qrs_onset"]), atol=4.1)
    assert np.allclose(rows["qt_ms"], 4.0 * (rows["t_offset"] - rows["qrs_onset"]), atol=4.1)


def test_boundaries_stand_in_their_order() -> None:
    rows = measured(draw((P, QRS, T))).beats[2:-2]
    order = ("p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak", "t_offset")
    places = np.array([rows[name] for name in order])
    assert (np.diff(places, axis=0)[:, (places >= 0).all(axis=0)] >= 0).all()
