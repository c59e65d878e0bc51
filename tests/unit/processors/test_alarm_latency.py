"""An extreme rate is an alarm within 10 s of its first beat, through the real engine."""

from __future__ import annotations

import numpy as np
import pytest

from processors.alarms import Board
from processors.ecg.engines import engine
from schemas.alarms import EXTREME_BRADYCARDIA, EXTREME_TACHYCARDIA

from .ecg.signals import ecg, every

BEFORE_S, AFTER_S = 40.0, 20.0
WITHIN_S = 10.0


def seconds_to_alarm(kind: str, bpm: float) -> float:
    """From the last beat at 75 a minute to the block that brings the alarm, in blocks of 0.2 s."""
    calm = np.arange(0.5, BEFORE_S, 0.8)
    onset_s = float(calm[-1])
    extreme = np.arange(onset_s + 60 / bpm, onset_s + AFTER_S, 60 / bpm)
    fast, board = engine("fast"), Board()
    state = fast.new_state()
    for number, block in enumerate(every(50, ecg([*calm, *extreme], onset_s + AFTER_S))):
        step = fast.step([block], state)
        state = step.state
        if kind in {event.kind for event in board.take(step.results).events}:
            return (number + 1) * 0.2 - onset_s
    return float("inf")


@pytest.mark.parametrize("bpm", [20, 30, 40])
def test_a_heart_that_becomes_very_slow(bpm: float) -> None:
    assert 0 < seconds_to_alarm(EXTREME_BRADYCARDIA, bpm) <= WITHIN_S


@pytest.mark.parametrize("bpm", [152, 180, 220])
def test_a_heart_that_becomes_very_fast(bpm: float) -> None:
    assert 0 < seconds_to_alarm(EXTREME_TACHYCARDIA, bpm) <= WITHIN_S
