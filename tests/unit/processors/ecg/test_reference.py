"""The reference engine keeps the same contract, on neurokit2."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from processors.ecg.engines import engine
from processors.ecg.interface import StateMismatch
from schemas.samples import MISSING

from .signals import STARTED_AT_US, ecg, every, of_device, regular, run

REFERENCE = engine("neurokit2")


def test_it_finds_the_same_beats_as_the_fast_engine() -> None:
    blocks = every(250, ecg(regular(75, 25), 25))
    ours, theirs = run(engine("fast"), blocks).beats, run(REFERENCE, blocks).beats
    assert len(theirs) >= len(ours) - 1
    nearest = np.abs(theirs["r_index"][:, None] - ours["r_index"]).min(axis=1)
    assert nearest.max() <= 5
    assert len(set(theirs["r_index"])) == len(theirs)


def test_block_length_changes_no_bit() -> None:
    samples = ecg(regular(75, 20), 20)
    assert run(REFERENCE, every(100, samples)).bits == run(REFERENCE, every(5000, samples)).bits


def test_a_saved_state_changes_no_bit() -> None:
    blocks = every(500, ecg(regular(75, 16), 16))
    state = REFERENCE.new_state()
    results = []
    for block in blocks:
        step = REFERENCE.step([block], state)
        results.append(step.results)
        state = REFERENCE.load(REFERENCE.dump(step.state))
    results.append(REFERENCE.close([UUID(int=1)], state).results)
    assert of_device(results).bits == run(REFERENCE, blocks).bits


def test_metrics_come_once_a_second_with_the_rate() -> None:
    metrics = run(REFERENCE, every(250, ecg(regular(75, 20), 20))).metrics
    assert ((metrics["window_start_us"] - STARTED_AT_US) // 1_000_000).tolist() == list(range(20))
    assert metrics["heart_rate_bpm"][-1] == pytest.approx(75, abs=1)


@pytest.mark.parametrize("value", [0, 32767, MISSING])
def test_a_signal_without_beats_gives_none(value: int) -> None:
    assert len(run(REFERENCE, every(250, np.full(3000, value, np.int16))).beats) == 0


def test_foreign_state_is_refused() -> None:
    with pytest.raises(StateMismatch):
        REFERENCE.load(engine("fast").dump(engine("fast").new_state()))
