"""What holds beside the primary rhythm, and rhythms that a shape tells: blocks, wide QRS, long QT, ST, pacing, SVT."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.conditions import BLOCK_1, BLOCK_2, LABELS, LONG_QT, ST_DOWN, ST_UP, WIDE
from processors.ecg.engine import FastEngine
from processors.ecg.rhythm import LEAD_OFF, NOISE, NORMAL, PACED
from processors.ecg.state import CONDITIONS
from processors.ecg.supraventricular import SUPRAVENTRICULAR

from .signals import UV_PER_LSB, Output, ecg, every, regular, run

ENGINE = FastEngine()
RATE_HZ = 250.0

Waves = tuple[tuple[float, float, float], ...]
"""Seconds from R, width in seconds, height in mV."""
P: Waves = ((-0.16, 0.022, 0.15),)
QRS: Waves = ((-0.025, 0.008, -0.10), (0.0, 0.011, 1.2), (0.028, 0.009, -0.25))
T: Waves = ((0.25, 0.045, 0.30),)


def draw(seconds: float, *drawn: tuple[Iterable[float], Waves]) -> NDArray[np.int16]:
    """One lead with these waves about these moments, and a little noise."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    signal = np.random.default_rng(5).normal(0, 0.008, len(t))
    for moments, waves in drawn:
        for moment in moments:
            for centre_s, width_s, height_mv in waves:
                signal += height_mv * np.exp(-0.5 * ((t - moment - centre_s) / width_s) ** 2)
    return np.round(signal * 1000 / UV_PER_LSB).astype(np.int16)


def labels(output: Output) -> set[int]:
    return {int(label) for label in output.episodes["rhythm"]}


def conditions(output: Output) -> set[int]:
    return {LABELS.index(label) for label in labels(output) if label in LABELS}


def heard(signal: NDArray[np.int16]) -> Output:
    return run(ENGINE, every(250, signal))


def test_there_is_a_slot_for_each_condition() -> None:
    assert len(LABELS) == CONDITIONS


def test_a_plain_heart_has_no_condition() -> None:
    output = heard(ecg(regular(72, 120), 120))
    assert labels(output) == {NORMAL}


@pytest.mark.parametrize(("pr_s", "expected"), [(0.16, set()), (0.27, {BLOCK_1})])
def test_a_long_pr_interval_is_first_degree_block(pr_s: float, expected: set[int]) -> None:
    p = ((-pr_s, 0.022, 0.15),)
    assert conditions(heard(draw(60, (regular(70, 60), p + QRS + T)))) == expected


def test_p_waves_that_no_qrs_follows_are_second_degree_block() -> None:
    times = regular(75, 60)
    conducted = [time for i, time in enumerate(times) if i % 4 != 3]
    output = heard(draw(60, (times, P), (conducted, QRS + T)))
    assert BLOCK_2 in conditions(output)


def test_beats_left_out_with_their_p_waves_are_no_block() -> None:
    times = [time for i, time in enumerate(regular(75, 60)) if i % 4 != 3]
    assert BLOCK_2 not in conditions(heard(draw(60, (times, P + QRS + T))))


def test_a_broad_qrs_is_stated_and_its_st_is_not() -> None:
    broad = ((0.0, 0.035, 1.2), (0.09, 0.03, -0.7))
    found = conditions(heard(draw(90, (regular(70, 90), P + broad + ((0.36, 0.05, -0.4),)))))
    assert WIDE in found
    assert not found & {ST_UP, ST_DOWN}


def test_a_late_t_wave_is_a_long_qt() -> None:
    late = ((0.40, 0.05, 0.35),)
    assert LONG_QT in conditions(heard(draw(90, (regular(70, 90), P + QRS + late))))


@pytest.mark.parametrize(("level_mv", "expected"), [(0.35, ST_UP), (-0.25, ST_DOWN)])
def test_a_shifted_st_is_stated_after_a_minute(level_mv: float, expected: int) -> None:
    shifted = ((0.11, 0.04, level_mv),)
    times = regular(70, 120)
    output = heard(draw(120, (times, P + QRS + T + shifted)))
    assert conditions(output) & {ST_UP, ST_DOWN} == {expected}
    assert conditions(heard(draw(50, (times[times < 50], P + QRS + T + shifted)))) & {ST_UP, ST_DOWN} == set()


def test_spikes_before_broad_beats_are_pacing() -> None:
    spike = ((-0.06, 0.0015, 2.0),)
    broad = ((0.0, 0.035, 1.2), (0.09, 0.03, -0.7))
    output = heard(draw(60, (regular(70, 60), spike + broad + ((0.36, 0.05, -0.4),))))
    assert PACED in labels(output)


def test_a_fast_narrow_rhythm_that_begins_at_once_is_supraventricular_tachycardia() -> None:
    run_s = 30.1 + np.arange(0, 15, 0.36)
    times = np.concatenate([regular(75, 30), run_s, 46.0 + regular(75, 20)])
    output = heard(ecg(times, 66))
    episode = output.episodes[output.episodes["rhythm"] == SUPRAVENTRICULAR]
    assert len(episode)
    assert abs(episode["first_r_index"][0] / RATE_HZ - 30.1) < 1.0
    assert abs(episode["first_r_index"][0] / RATE_HZ + 15 - (46.5)) < 2.0
    assert output.metrics["rhythm"][-2] == NORMAL


def test_a_rate_that_climbs_is_no_supraventricular_tachycardia() -> None:
    intervals = np.linspace(0.85, 0.40, 60)
    output = heard(ecg(0.5 + np.cumsum(intervals), float(intervals.sum()) + 1))
    assert SUPRAVENTRICULAR not in labels(output)


def test_a_lead_that_comes_off_is_said_to_be_off() -> None:
    signal = ecg(regular(72, 40), 40)
    signal[20 * 250 :] = 7
    output = heard(signal)
    assert LEAD_OFF in labels(output)
    assert NOISE not in labels(output)
