"""The noisy day's signal and its count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.day import URGENT, counted, noisy_day
from bench.accuracy.ventricular_runs import Streamed
from schemas.results import EPISODE_DTYPE, METRICS_DTYPE
from schemas.rhythms import LABELS


@pytest.mark.data
def test_the_day_is_the_same_for_the_same_seed(recordings: Path) -> None:
    first, again, other = (noisy_day(recordings, seed, 1, 0.1).samples for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_opened_episodes_and_stretches_of_extreme_rates_are_counted() -> None:
    episodes = np.zeros(3, EPISODE_DTYPE)
    episodes["rhythm"] = LABELS.index(URGENT[0])
    episodes["state"] = [0, 1, 0]
    metrics = np.zeros(6, METRICS_DTYPE)
    metrics["heart_rate_bpm"] = [70, 150, 150, 70, 30, np.nan]
    day = counted("x", Streamed(np.zeros(0), metrics, episodes, ()))
    assert day.opened[URGENT[0]] == 2
    assert day.extreme == 2
