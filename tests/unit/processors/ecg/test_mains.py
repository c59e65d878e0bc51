"""Mains hum: found where it is, taken off, and not invented."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from processors.ecg.state import RING_MASK
from schemas.samples import SampleBlock

from .signals import UV_PER_LSB, ecg, regular

SECONDS = 15
DEVICE_ID = UUID(int=1)


def last_second(samples: NDArray[np.int16], rate_hz: float) -> tuple[NDArray[np.float64], float]:
    """The last second as conditioned, µV, and the frequency (as sampled) of the hum being taken off, 0 for none."""
    engine = FastEngine()
    ids = (DEVICE_ID, UUID(int=2))
    block = SampleBlock(*ids, 0, 0, rate_hz, ("II",), (UV_PER_LSB,), samples[np.newaxis])
    state = engine.step([block], engine.new_state()).state
    held = state.held[DEVICE_ID]
    device, lead = state.devices[held.slot], state.leads[held.lead_slots[0]]
    end = int(device["newest_u"]) + 1
    values = lead["ring"][np.arange(end - int(device["inner_hz"]), end) & RING_MASK].astype(np.float64)
    return values - values.mean(), float(lead["mains_hz"])


def with_hum(rate_hz: float, hum_hz: float, hum_uv: float) -> NDArray[np.int16]:
    t = np.arange(round(SECONDS * rate_hz)) / rate_hz
    hum = hum_uv / UV_PER_LSB * np.sin(2 * np.pi * hum_hz * t + 0.7)
    return np.round(heart(rate_hz) + hum).astype(np.int16)


def heart(rate_hz: float) -> NDArray[np.int16]:
    return ecg(regular(72, SECONDS), SECONDS, rate_hz, noise_mv=0.005)


@pytest.mark.parametrize("hum_hz", [50.0, 60.0])
@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 360.0, 500.0, 1000.0])
def test_hum_is_found_and_taken_off(rate_hz: float, hum_hz: float) -> None:
    clean, none = last_second(heart(rate_hz), rate_hz)
    left, found = last_second(with_hum(rate_hz, hum_hz, 100.0), rate_hz)
    assert (none, found) == (0.0, hum_hz)
    assert np.std(left - clean) < 0.2 * 100.0 / np.sqrt(2)


def test_hum_above_half_the_rate_is_taken_off_where_it_shows() -> None:
    clean, _ = last_second(heart(100.0), 100.0)
    left, found = last_second(with_hum(100.0, 60.0, 100.0), 100.0)
    assert found == 40.0
    assert np.std(left - clean) < 0.2 * 100.0 / np.sqrt(2)


def test_hum_a_little_off_its_frequency_is_followed() -> None:
    clean, _ = last_second(heart(250.0), 250.0)
    left, _ = last_second(with_hum(250.0, 50.1, 200.0), 250.0)
    assert np.std(left - clean) < 0.25 * 200.0 / np.sqrt(2)


@pytest.mark.parametrize("bpm", [48, 72, 96, 120, 180])
def test_beats_are_not_taken_for_hum(bpm: float) -> None:
    samples = ecg(regular(bpm, SECONDS), SECONDS, 250.0, noise_mv=0.02)
    assert last_second(samples, 250.0)[1] == 0.0


def test_hum_that_stops_is_let_go() -> None:
    samples = np.concatenate([with_hum(250.0, 50.0, 100.0), heart(250.0), heart(250.0)])
    assert last_second(samples, 250.0)[1] == 0.0
