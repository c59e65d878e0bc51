"""Conditioning: no drift, no step after a hole, an envelope that peaks where the QRS complex is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.envelope import envelop, envelope_delay
from processors.ecg.filters import condition, restart
from processors.ecg.state import CHUNK, RING_MASK, WORK, blank_devices, blank_leads
from schemas.samples import MISSING

from .kernels import alone
from .signals import ecg


def conditioned(
    samples: NDArray[np.int16], rate_hz: float, divisor: int
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Envelope and ring of one lead with 1 µV steps."""
    device, lead, work = blank_devices(1)[0], blank_leads(1)[0], np.zeros(1, WORK)[0]
    device["rate_hz"], device["divisor"], device["inner_hz"] = rate_hz, divisor, rate_hz / divisor
    lead["gain_uv"] = 1.0
    alone(restart)(lead)
    envelope = []
    for first in range(0, len(samples), CHUNK):
        part = samples[first : first + CHUNK]
        made = alone(condition)(lead, part, first, device, work)
        newest = (first + len(part)) // divisor - 1
        alone(envelop)(lead, newest, made, rate_hz / divisor, work, work["envelopes"][0])
        envelope.append(work["envelopes"][0][:made].copy())
    return np.concatenate(envelope), lead["ring"]


@pytest.mark.parametrize(("rate_hz", "divisor"), [(100.0, 1), (250.0, 1), (360.0, 1), (1000.0, 4)])
def test_the_envelope_peaks_at_the_complex_its_delay_taken_off(rate_hz: float, divisor: int) -> None:
    envelope, _ = conditioned(ecg([1.0], 1.6, rate_hz, noise_mv=0), rate_hz, divisor)
    inner_hz = rate_hz / divisor
    assert (int(np.argmax(envelope)) - alone(envelope_delay)(inner_hz)) / inner_hz == pytest.approx(1.0, abs=0.02)


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


def test_a_short_hole_is_held_still() -> None:
    samples = np.full(900, 100, np.int16)
    samples[400:410] = MISSING
    samples[410:] = 400
    envelope, _ = conditioned(samples, 250.0, 1)
    assert envelope.argmax() - alone(envelope_delay)(250.0) == pytest.approx(410, abs=5)


def test_samples_are_averaged_down_not_picked() -> None:
    noise = np.random.default_rng(2).normal(0, 400, 4000).astype(np.int16)
    _, ring = conditioned(noise, 1000.0, 4)
    expected = noise.reshape(-1, 4).mean(axis=1)
    stored = ring[np.arange(900, 1000) & RING_MASK]
    assert np.corrcoef(stored, expected[900:1000])[0, 1] > 0.995
