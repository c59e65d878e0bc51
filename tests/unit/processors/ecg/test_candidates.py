"""Candidates: the envelope's highest points, the same however the samples are cut up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.ecg.candidates import HOLD_S, SOON, bin_start, enqueue, forget_candidates, observe
from processors.ecg.envelope import envelope_delay
from processors.ecg.state import NEVER, blank_devices, blank_leads

from .kernels import alone

INNER_HZ = 250.0
HOLD = int(HOLD_S * INNER_HZ)


def candidates(envelope: NDArray[np.float32], cuts: list[int]) -> list[int]:
    """Inner indices of the candidates, the envelope taken in as columns between `cuts`."""
    device, leads = blank_devices(1)[0], blank_leads(1)
    device["inner_hz"], device["leads"] = INNER_HZ, 1
    alone(forget_candidates)(device, -alone(envelope_delay)(INNER_HZ))
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(envelope)], strict=True):
        stop = begin
        while stop < end:
            stop = alone(observe)(device, leads, 0, stop, end, envelope, envelope[np.newaxis])
            found += closed(device, leads, stop - 1 - alone(envelope_delay)(INNER_HZ))
    return found


def closed(device: Any, leads: Any, at: int) -> list[int]:
    """The candidate that is over at `at`, if one is; the next wake-up is set as the detector does."""
    found = []
    if device["best_u"] != NEVER and at - device["best_u"] >= HOLD:
        found = [int(device["best_u"])]
        alone(enqueue)(device, leads)
        device["queued"] = 0
    device["wake_u"] = SOON if device["best_u"] == NEVER else device["best_u"] + HOLD
    return found


def bumps(peaks: list[int], heights: list[float]) -> NDArray[np.float32]:
    t = np.arange(1000)
    rows = [h * np.exp(-(((t - p) / 6.0) ** 2)) for p, h in zip(peaks, heights, strict=True)]
    return np.asarray(np.sum(rows, axis=0), np.float32)


def test_each_bump_is_a_candidate_at_its_place() -> None:
    delay = alone(envelope_delay)(INNER_HZ)
    assert candidates(bumps([200, 400, 700], [1.0, 0.3, 0.5]), []) == [200 - delay, 400 - delay, 700 - delay]


def test_of_two_bumps_within_the_hold_time_the_higher_counts() -> None:
    assert candidates(bumps([200, 225], [0.5, 1.0]), []) == [225 - alone(envelope_delay)(INNER_HZ)]


@settings(deadline=None)
@given(st.sets(st.integers(1, 999), max_size=20))
def test_cuts_change_nothing(cuts: set[int]) -> None:
    envelope = bumps([100, 150, 320, 500, 520, 800], [1.0, 0.4, 0.9, 0.6, 1.1, 0.2])
    assert candidates(envelope, sorted(cuts)) == candidates(envelope, [])


@pytest.mark.parametrize("inner_hz", [100.0, 187.5, 257.0, 374.0])
def test_bins_of_the_trace_are_20_ms(inner_hz: float) -> None:
    device = blank_devices(1)[0]
    device["inner_hz"] = inner_hz
    starts = np.array([alone(bin_start)(device, k) for k in range(500)])
    assert np.abs(starts / inner_hz - np.arange(500) / 50.0).max() <= 1.0 / inner_hz
