"""The network that decides, and what it is shown: gain, offset, slope and polarity of the signal don't matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.decision import judge
from processors.ecg.decision_inputs import describe
from processors.ecg.decision_shapes import alike, learn_beat_shape, sample_shape
from processors.ecg.decision_weights import FIRST, LAST
from processors.ecg.state import HIDDEN, INPUTS, NEVER, SHAPE, SHAPES, WORK, blank_devices, blank_leads

from .kernels import alone

CENTRE = 500


def device_at(inner_hz: float) -> Any:
    device = blank_devices(1)[0]
    device["inner_hz"], device["leads"], device["rr"], device["last_u"] = inner_hz, 1, inner_hz, NEVER
    return device


def lead_with(signal_uv: NDArray[np.float64]) -> Any:
    lead = blank_leads(1)[0]
    lead["ring"][: len(signal_uv)] = np.round(signal_uv)
    return lead


def complex_at(inner_hz: float, height_uv: float = 1000.0) -> NDArray[np.float64]:
    """A QRS complex with a deep S at CENTRE."""
    t = (np.arange(1000) - CENTRE) / inner_hz
    wave = np.exp(-((t / 0.015) ** 2)) - 0.6 * np.exp(-(((t - 0.035) / 0.015) ** 2))
    return np.asarray(height_uv * wave)


def shape_of(signal_uv: NDArray[np.float64], inner_hz: float = 250.0) -> NDArray[np.float32]:
    shape = np.zeros(SHAPE, np.float32)
    alone(sample_shape)(lead_with(signal_uv), CENTRE, device_at(inner_hz), shape)
    return shape


def likeness(shape: NDArray[np.float32], seen: NDArray[np.float32]) -> float:
    columns, out = np.zeros((SHAPE, SHAPES), np.float32), np.zeros(HIDDEN, np.float32)
    columns[:, 0] = seen
    alone(alike)(shape, columns, out)
    return float(out[0])


def test_the_log_odds_are_those_of_the_matrices() -> None:
    work = np.zeros(1, WORK)[0]
    work["candidate"] = np.random.default_rng(1).uniform(0, 1, INPUTS)
    hidden = np.maximum(work["candidate"] @ FIRST[:-1] + FIRST[-1], 0)
    assert alone(judge)(work, FIRST, LAST) == pytest.approx(float(hidden @ LAST[:-1] + LAST[-1]), abs=1e-3)


@pytest.mark.parametrize("change", [lambda x: 3 * x, lambda x: x + 500, lambda x: x + np.arange(1000.0)])
def test_a_shape_does_not_know_gain_offset_or_slope(change: Any) -> None:
    assert likeness(shape_of(change(complex_at(250.0))), shape_of(complex_at(250.0))) > 0.99


@pytest.mark.parametrize("inner_hz", [100.0, 187.5, 360.0])
def test_a_shape_is_the_same_at_any_rate(inner_hz: float) -> None:
    assert likeness(shape_of(complex_at(inner_hz), inner_hz), shape_of(complex_at(250.0))) > 0.95


def test_a_complex_upside_down_is_another_shape() -> None:
    assert likeness(shape_of(-complex_at(250.0)), shape_of(complex_at(250.0))) < 0.6


def test_two_kinds_of_beats_are_remembered_side_by_side() -> None:
    lead, like = lead_with(np.zeros(1)), np.zeros(HIDDEN, np.float32)
    one, other = shape_of(complex_at(250.0)), shape_of(-complex_at(250.0))
    for shape in (one, other, one, other):
        alone(learn_beat_shape)(lead, shape, 1000.0, like)
    assert np.count_nonzero(lead["shape_counts"]) == 2
    alone(alike)(other, lead["shapes"], like)
    assert max(like[:2]) == pytest.approx(1.0, abs=2e-3)  # shapes are kept in steps of 1/1024


def test_a_candidate_is_described_alike_whichever_way_the_lead_is_put_on() -> None:
    inputs = []
    for sign in (1, -1):
        devices, leads = device_at(250.0), blank_leads(1)
        devices["queued"], devices["queue_u"][0], devices["queue_e"][0], devices["level"] = 1, CENTRE, 300.0, 300.0
        leads[0] = lead_with(sign * complex_at(250.0))
        work = np.zeros(1, WORK)[0]
        alone(describe)(devices, leads, work)
        inputs.append(work["candidate"].copy())
    assert np.array_equal(inputs[0], inputs[1])
