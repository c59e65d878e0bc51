from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.accuracy.rates import reference_at, resampled
from bench.accuracy.references import Reference, Stretch
from tests.unit.bench.accuracy.signals import record_of


def sine(rate_hz: float) -> NDArray[np.float64]:
    """10 s of 5 Hz."""
    return np.asarray(1000 * np.sin(2 * np.pi * 5 * np.arange(round(rate_hz * 10)) / rate_hz))


def test_a_signal_is_what_the_other_device_would_have_sampled() -> None:
    slower = resampled(record_of(360.0, sine(360.0)), 250.0)
    assert slower.rate_hz == 250.0
    assert slower.samples[0, 50:-50] == pytest.approx(sine(250.0)[50:-50], abs=4)


def test_the_same_rate_changes_nothing() -> None:
    record = record_of(360.0, sine(360.0))
    assert resampled(record, 360.0) is record


def test_annotations_move_with_the_samples() -> None:
    at = np.array([0, 360, 720], np.int64)
    moved = reference_at(Reference(at, at[1:], (Stretch(360, 720),)), 250 / 360)
    assert moved.beats.tolist() == [0, 250, 500]
    assert moved.normal.tolist() == [250, 500]
    assert moved.left_out == (Stretch(250, 500),)
