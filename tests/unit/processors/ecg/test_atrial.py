"""What intervals alone let the engine say of the atria."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.atrial import follow_atrial
from processors.ecg.atrial_flutter import comb
from processors.ecg.rhythm import FIBRILLATION
from processors.ecg.state import ABSENT, BEAT_MASK, CLASS_N, CLASS_V, NEVER, WORK, blank_devices, blank_leads

from .kernels import alone

HZ = 250.0
RNG = np.random.default_rng(5)
SINUS = 0.84 + 0.012 * RNG.normal(size=120)
CHAOS = RNG.uniform(0.42, 1.05, 120)
BREATHING = 0.85 + 0.07 * np.sin(2 * np.pi * np.arange(120) / 5)
BIGEMINY = np.tile([0.55, 1.05], 60) + 0.01 * RNG.normal(size=120)
PREMATURE = np.where(np.arange(120) % 7 == 3, 0.58, np.where(np.arange(120) % 7 == 4, 0.95, SINUS))


class Heart:
    """Beats given second by second to the kernel, as the engine does once they are decided."""

    def __init__(self) -> None:
        self._devices, self._leads, self._works = blank_devices(1), blank_leads(1), np.zeros(1, WORK)
        self.device: Any = self._devices[0]
        self.device["inner_hz"] = HZ
        self.device["atrial_label"], self.device["atrial_first_u"] = ABSENT, NEVER
        self.labels: list[int] = []
        self.now_s = 0.0

    def beat(self, rr_s: float, kind: int = CLASS_N, quality: float = 1.0) -> None:
        self.now_s += rr_s
        self.wait_until(int(self.now_s), quality)
        slot = self.device["beats"] & BEAT_MASK
        self.device["beat_u"][slot] = round(self.now_s * HZ)
        self.device["beat_rr"][slot] = 1000.0 * rr_s if rr_s < 3 else np.nan
        self.device["beat_class"][slot] = kind
        self.device["beat_pr"][slot] = np.nan
        self.device["beats"] += 1

    def wait_until(self, second: int, quality: float = 1.0) -> None:
        while len(self.labels) < second:
            end_u = int((len(self.labels) + 1) * HZ)
            label = alone(follow_atrial)(self.device, self._leads, end_u, quality, self._works[0])
            self.labels.append(label)


def after(*rhythms: NDArray[np.float64]) -> Heart:
    heart = Heart()
    for rr_s in np.concatenate(rhythms):
        heart.beat(float(rr_s))
    return heart


@pytest.mark.parametrize("rhythm", [SINUS, BREATHING, BIGEMINY, PREMATURE, np.full(120, 0.4)])
def test_what_repeats_itself_is_no_fibrillation(rhythm: NDArray[np.float64]) -> None:
    assert set(after(rhythm).labels) == {ABSENT}


def test_chaos_is_fibrillation_within_a_dozen_beats_and_stays_it() -> None:
    labels = after(CHAOS).labels
    assert FIBRILLATION in labels[:12]
    assert set(labels[12:]) == {FIBRILLATION}


def test_an_episode_begins_and_ends_near_where_the_intervals_change() -> None:
    heart = after(SINUS)
    changed_s = heart.now_s
    for rr_s in CHAOS[:60]:
        heart.beat(float(rr_s))
    assert heart.labels[-1] == FIBRILLATION
    assert abs(heart.device["atrial_first_u"] / HZ - changed_s) < 6
    changed_s = heart.now_s
    for rr_s in SINUS[:60]:
        heart.beat(float(rr_s))
    assert heart.labels[-1] == ABSENT
    assert abs(heart.device["atrial_first_u"] / HZ - changed_s) < 12


def test_ventricular_beats_and_their_pauses_say_nothing_of_the_atria() -> None:
    heart = Heart()
    for n, rr_s in enumerate(SINUS):
        ventricular = RNG.random() < 0.3
        heart.beat(float(RNG.uniform(0.4, 0.6) if ventricular else rr_s), CLASS_V if ventricular else CLASS_N)
        heart.beat(float(RNG.uniform(0.9, 1.2) if ventricular else SINUS[-n]))
    assert set(heart.labels) == {ABSENT}


def test_beats_of_unreadable_seconds_are_not_heard() -> None:
    heart = Heart()
    for rr_s in CHAOS:
        heart.beat(float(rr_s), quality=0.1)
    assert set(heart.labels) == {ABSENT}


def test_fibrillation_outlasts_a_short_gap_but_not_a_silence() -> None:
    heart = after(CHAOS)
    heart.beat(5.0)
    heart.beat(0.5)
    heart.wait_until(int(heart.now_s) + 1)
    assert heart.labels[-1] == FIBRILLATION
    heart.wait_until(int(heart.now_s) + 12)
    assert heart.labels[-1] == ABSENT


def test_after_half_a_minute_everything_is_heard_anew() -> None:
    heart = after(CHAOS)
    heart.beat(40.0)
    heart.beat(0.8)
    heart.wait_until(int(heart.now_s) + 1)
    assert heart.device["atrial_kept"] == 1


def test_fibrillation_is_not_stated_on_through_beats_that_tell_nothing() -> None:
    heart = after(CHAOS)
    for _ in range(20):
        heart.beat(0.7, CLASS_V)
    heart.wait_until(int(heart.now_s) + 1)
    assert heart.labels[-1] == ABSENT


@pytest.mark.parametrize(
    ("rhythm", "low", "high"),
    [(0.22 * RNG.choice([2, 3, 4], 120), 0.8, 1.0), (CHAOS, -0.2, 0.45), (np.full(120, 0.44), 0.0, 0.0)],
)
def test_uneven_intervals_of_whole_atrial_periods_fit_a_comb(
    rhythm: NDArray[np.float64], low: float, high: float
) -> None:
    heart = after(rhythm)
    fits = alone(comb)(heart.device, int(heart.device["beats"]) - 1, np.zeros(1, WORK)[0])
    assert low <= fits <= high
