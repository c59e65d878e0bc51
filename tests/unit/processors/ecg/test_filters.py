"""Conditioning: no drift, no step after a hole, an envelope that peaks where the QRS complex is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.filters import condition, envelope_delay, restart
from processors.ecg.state import RING_MASK, blank_devices, blank_leads
from schemas.samples import MISSING

from .signals import ecg


def conditioned(
    samples: NDArray[np.int16], rate_hz: float, divisor: int
) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Envelope and ring of one lead with 1 µV steps."""
    device, lead = blank_devices(1)[0], blank_leads(1)[0]
    device["rate_hz"], device["divisor"], device["inner_hz"] = rate_hz, divisor, rate_hz / divisor
    lead["gain_uv"] = 1.0
    restart(lead)
    out = np.zeros(len(samples))
    made = condition(lead, samples, 0, device, out, np.zeros(len(samples), np.int64))
    return out[:made], lead["ring"]


@pytest.mark.parametrize(("rate_hz", "divisor"), [(100.0, 1), (250.0, 1), (360.0, 1), (1000.0, 4)])
def test_the_envelope_peaks_at_the_complex_its_delay_taken_off(rate_hz: float, divisor: int) -> None:
    envelope, _ = conditioned(ecg([1.0], 1.6, rate_hz, noise_mv=0), rate_hz, divisor)
    inner_hz = rate_hz / divisor
    assert (int(np.argmax(envelope)) - envelope_delay(inner_hz)) / inner_hz == pytest.approx(1.0, abs=0.02)


def test_a_constant_leaves_nothing() -> None:
    envelope, ring = conditioned(np.full(900, 12345, np.int16), 250.0, 1)
    assert not envelope.any()
    assert not ring.any()


def test_a_step_behind_a_hole_is_not_seen() -> None:
    samples = np.full(900, 100, np.int16)
    samples[400:500] = MISSING
    samples[500:] = 9000
    envelope, _ = conditioned(samples, 250.0, 1)
    assert not envelope.any()


def test_samples_are_averaged_down_not_picked() -> None:
    noise = np.random.default_rng(2).normal(0, 400, 4000).astype(np.int16)
    _, ring = conditioned(noise, 1000.0, 4)
    expected = noise.reshape(-1, 4).mean(axis=1)
    stored = ring[np.arange(900, 1000) & RING_MASK]
    assert np.corrcoef(stored, expected[900:1000])[0, 1] > 0.995
