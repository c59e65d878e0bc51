"""The rhythm labels: what rate and regularity allow to be said, and how episodes open and close."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.conditions import LABELS, PAC, PVC
from processors.ecg.engine import FastEngine
from processors.ecg.episodes import CLOSED, OPENED, UPDATED
from processors.ecg.rhythm import (
    BRADYCARDIA,
    FIBRILLATION,
    NORMAL,
    PAUSE,
    SINUS_ARRHYTHMIA,
    TACHYCARDIA,
    spread,
)  # fmt: skip

from .kernels import alone
from .signals import Output, ecg, every, regular, run

ENGINE = FastEngine()


def label_at_end(times: NDArray[np.float64], seconds: float) -> int:
    return int(run(ENGINE, every(250, ecg(times, seconds))).metrics[-2]["rhythm"])


def states(output: Output, label: int) -> list[int]:
    return [int(e["state"]) for e in output.episodes if e["rhythm"] == label]


@pytest.mark.parametrize(
    ("bpm", "label"),
    [(45, BRADYCARDIA), (58, BRADYCARDIA), (72, NORMAL), (98, NORMAL), (130, TACHYCARDIA), (190, TACHYCARDIA)],
)
def test_the_rate_names_a_regular_rhythm(bpm: float, label: int) -> None:
    assert label_at_end(regular(bpm, 30), 30) == label


def test_no_pr_interval_is_stated_in_fibrillation() -> None:
    times = 0.5 + np.cumsum(np.random.default_rng(11).uniform(0.42, 1.05, 70))
    rows = run(ENGINE, every(250, ecg(times, 50, p_wave=False))).metrics
    in_fibrillation = rows[rows["rhythm"] == FIBRILLATION]
    assert len(in_fibrillation) > 5
    assert np.isnan(in_fibrillation["pr_ms"]).all()


def test_an_episode_opens_is_updated_and_closes_once() -> None:
    output = run(ENGINE, every(250, ecg(regular(72, 40), 40)))
    assert states(output, NORMAL) == [OPENED, UPDATED, UPDATED, UPDATED, CLOSED]
    assert len(set(output.episodes["first_r_index"])) == 1


def test_a_rhythm_that_changes_closes_one_episode_and_opens_the_next() -> None:
    faster = np.linspace(0.83, 0.52, 20)
    times = np.concatenate([regular(72, 25), 25.0 + np.cumsum(faster), 25.0 + faster.sum() + regular(115, 22)])
    output = run(ENGINE, every(250, ecg(times, 61)))
    closed, opened = (
        next(e for e in output.episodes if e["rhythm"] == label and e["state"] == state)
        for label, state in ((NORMAL, CLOSED), (TACHYCARDIA, OPENED))
    )
    assert closed["ended_at_us"] == opened["started_at_us"]


def test_irregularly_irregular_intervals_are_fibrillation() -> None:
    intervals = np.random.default_rng(11).uniform(0.42, 1.05, 70)
    without_p = ecg(0.5 + np.cumsum(intervals), 50, p_wave=False)
    assert run(ENGINE, every(250, without_p)).metrics[-2]["rhythm"] == FIBRILLATION


def test_breathing_does_not_make_fibrillation() -> None:
    times = [0.5]
    while times[-1] < 58:
        times.append(times[-1] + 0.85 + 0.06 * np.sin(2 * np.pi * 0.25 * times[-1]))
    assert label_at_end(np.array(times), 60) == NORMAL


def test_slow_swings_of_the_interval_with_p_waves_are_sinus_arrhythmia_not_fibrillation() -> None:
    times = [0.5]
    while times[-1] < 58:
        times.append(times[-1] + 0.85 + 0.21 * np.sin(2 * np.pi * 0.12 * times[-1]))
    output = run(ENGINE, every(250, ecg(np.array(times), 60)))
    assert states(output, SINUS_ARRHYTHMIA)
    assert not states(output, FIBRILLATION)


def test_a_pause_is_stated_while_it_lasts_and_closed_by_the_beat_that_ends_it() -> None:
    times = np.concatenate([regular(72, 20), 20.0 + 3.8 + regular(72, 20)])
    output = run(ENGINE, every(250, ecg(times, 44)))
    assert states(output, PAUSE) == [OPENED, CLOSED]
    episode = output.episodes[output.episodes["rhythm"] == PAUSE][-1]
    assert episode["ended_at_us"] - episode["started_at_us"] > 3_000_000


def test_early_beats_are_s_when_narrow_and_v_when_wide() -> None:
    times = regular(72, 60)
    times[30] -= 0.28
    times[50] -= 0.28
    output = run(ENGINE, every(250, ecg(times, 60, wide=[50])))
    kinds = output.beats["beat_class"].tolist()
    assert (kinds[30], kinds[50]) == ("S", "V")
    assert kinds.count("N") >= len(times) - 4
    for label in (LABELS[PAC], LABELS[PVC]):
        assert [s for s in states(output, label) if s != UPDATED] == [OPENED, CLOSED]


def test_equal_intervals_have_no_spread() -> None:
    assert alone(spread)(np.full(24, 800.0), 24) == 0
