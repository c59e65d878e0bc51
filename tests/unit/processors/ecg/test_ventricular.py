"""Ventricular rhythms: from signals without beats, and from beats of class V in a row."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from processors.ecg.engine import FastEngine
from processors.ecg.state import BEATS, CLASS_N, CLASS_V, WORK, blank_devices
from processors.ecg.ventricular import ASYSTOLE, FIBRILLATION, FLUTTER, SUSTAINED
from processors.ecg.ventricular_patterns import BIGEMINY, COUPLET, TRIGEMINY, pattern_of
from processors.ecg.ventricular_runs import IDIOVENTRICULAR, NON_SUSTAINED, WARM_BEATS, label_of_run
from schemas.samples import MISSING

from .kernels import alone
from .signals import UV_PER_LSB, Output, ecg, every, of_device, regular, run

ENGINE = FastEngine()
RATE_HZ = 250.0
ABSENT = -1
CALM_S = 30.0
MALIGNANT = {FIBRILLATION, FLUTTER, NON_SUSTAINED, SUSTAINED}
VENTRICULAR = MALIGNANT | {ASYSTOLE, IDIOVENTRICULAR}


def steps(mv: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.round(mv * 1000 / UV_PER_LSB).astype(np.int16)


@cache
def fibrillation(seconds: float, height_mv: float = 0.5, seed: int = 3) -> NDArray[np.int16]:
    """Noise of 3 to 7 Hz."""
    count = round(seconds * RATE_HZ)
    band = butter(3, (3.0, 7.0), "bandpass", fs=RATE_HZ, output="sos")
    wave = sosfiltfilt(band, np.random.default_rng(seed).normal(0, 1, count))
    return steps(height_mv * wave / wave.std())


def flutter(seconds: float, hz: float = 4.5) -> NDArray[np.int16]:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return steps(1.0 * np.sin(2 * np.pi * hz * t) + 0.02 * np.sin(2 * np.pi * 0.3 * t))


def still(seconds: float, noise_mv: float = 0.01) -> NDArray[np.int16]:
    count = round(seconds * RATE_HZ)
    wander = 0.1 * np.sin(2 * np.pi * 0.25 * np.arange(count) / RATE_HZ)
    return steps(np.random.default_rng(5).normal(0, noise_mv, count) + wander)


def after_sinus(signal: NDArray[np.int16]) -> Output:
    """Half a minute of sinus rhythm, then the signal."""
    return run(ENGINE, every(250, np.concatenate([ecg(regular(75, CALM_S), CALM_S), signal])))


def opened(output: Output, labels: set[int]) -> list[float]:
    """Seconds after the sinus rhythm at which episodes of the labels began."""
    rows = output.episodes[np.isin(output.episodes["rhythm"], sorted(labels)) & (output.episodes["state"] == 0)]
    return [float(at) / RATE_HZ - CALM_S for at in rows["first_r_index"]]


def seconds_of(output: Output, labels: set[int]) -> NDArray[np.bool_]:
    return np.isin(output.metrics["rhythm"], sorted(labels))


def test_chaos_is_ventricular_fibrillation_within_8_s() -> None:
    output = after_sinus(fibrillation(40.0))
    assert seconds_of(output, {FIBRILLATION, FLUTTER})[int(CALM_S) + 8 : -2].all()
    assert seconds_of(output, {FIBRILLATION}).sum() > 15


def test_a_sine_of_4_to_5_hz_is_ventricular_flutter() -> None:
    output = after_sinus(flutter(30.0))
    assert seconds_of(output, {FLUTTER})[int(CALM_S) + 8 : -2].all()


def test_fibrillation_begins_near_its_onset_and_ends_with_it() -> None:
    output = run(
        ENGINE,
        every(250, np.concatenate([ecg(regular(75, CALM_S), CALM_S), fibrillation(30.0), ecg(regular(75, 30), 30)])),
    )
    begins = opened(output, {FIBRILLATION, FLUTTER})
    assert -2.0 <= begins[0] <= 5.0
    assert not seconds_of(output, VENTRICULAR)[-20:].any()


def test_a_readable_line_without_beats_is_asystole_within_10_s() -> None:
    state = ENGINE.new_state()
    signal = np.concatenate([ecg(regular(75, CALM_S), CALM_S), still(20.0)])
    told = [ASYSTOLE in ENGINE.step([block], state).results.episodes["rhythm"] for block in every(250, signal)]
    assert 4 <= told.index(True) + 1 - CALM_S <= 8


def test_a_readable_line_without_beats_is_nothing_else() -> None:
    assert not opened(after_sinus(still(20.0)), MALIGNANT)


def test_asystole_begins_at_the_last_beat() -> None:
    assert -1.5 <= opened(after_sinus(still(20.0)), {ASYSTOLE})[0] <= 0.0


def test_asystole_ends_with_the_next_beat() -> None:
    signal = np.concatenate([still(12.0), ecg(regular(75, 30), 30)])
    episodes = after_sinus(signal).episodes
    asystole = episodes[episodes["rhythm"] == ASYSTOLE]
    assert asystole["state"].tolist()[-1] == 2
    assert asystole["ended_at_us"][-1] - asystole["started_at_us"][-1] < 15_000_000


def test_a_line_of_one_value_is_no_asystole() -> None:
    output = after_sinus(np.full(5000, ecg(regular(75, CALM_S), CALM_S)[-1], np.int16))
    assert not opened(output, VENTRICULAR)


def test_missing_samples_are_no_asystole() -> None:
    assert not opened(after_sinus(np.full(5000, MISSING, np.int16)), VENTRICULAR)


def test_a_rail_is_no_asystole() -> None:
    assert not opened(after_sinus(np.full(5000, 32767, np.int16)), VENTRICULAR)


@pytest.mark.parametrize("bpm", [35, 60, 75, 110, 150, 180])
def test_sinus_rhythm_of_any_rate_is_none_of_them(bpm: float) -> None:
    output = run(ENGINE, every(250, ecg(regular(bpm, 60), 60)))
    assert not opened(output, VENTRICULAR)


@pytest.mark.parametrize("noise_mv", [0.05, 0.1, 0.2])
def test_noise_over_beats_is_none_of_them(noise_mv: float) -> None:
    output = run(ENGINE, every(250, ecg(regular(75, 60), 60, noise_mv=noise_mv)))
    assert not opened(output, VENTRICULAR)


def test_the_first_two_seconds_of_chaos_can_be_read_by_no_one() -> None:
    assert not opened(run(ENGINE, every(250, fibrillation(2.0))), MALIGNANT)


def test_a_recording_that_begins_in_fibrillation_is_stated() -> None:
    output = run(ENGINE, every(250, fibrillation(20.0)))
    assert seconds_of(output, {FIBRILLATION, FLUTTER})[10:18].all()


def heard(classes: str, bpm: float = 75.0, before: int = WARM_BEATS) -> Any:
    """A device that heard `before` beats of class N and then these, N or V, at one rate."""
    device = blank_devices(1)[0]
    device["inner_hz"] = RATE_HZ
    device["ventricular"] = ABSENT
    kinds = [CLASS_N] * before + [CLASS_V if kind == "V" else CLASS_N for kind in classes]
    for i, kind in enumerate(kinds):
        device["beat_u"][i % BEATS] = round((i + 1) * 60.0 / bpm * RATE_HZ)
        device["beat_class"][i % BEATS] = kind
        device["beat_rr"][i % BEATS] = 60_000.0 / bpm
    device["beats"] = len(kinds)
    return device


def end_u(device: Any) -> int:
    """The end of a second just after the newest beat."""
    return int(device["beat_u"].max()) + 20


@pytest.mark.parametrize(
    ("classes", "bpm", "label"),
    [
        ("VVV", 120, NON_SUSTAINED),
        ("VVVVVV", 150, NON_SUSTAINED),
        ("VVVN", 150, NON_SUSTAINED),
        ("VVV", 80, IDIOVENTRICULAR),
        ("VV", 150, ABSENT),
        ("NVVN", 150, ABSENT),
        ("VVVNNNNN", 150, ABSENT),
    ],
)
def test_three_ventricular_beats_in_a_row_are_named_by_their_rate(classes: str, bpm: float, label: int) -> None:
    device = heard(classes, bpm)
    assert alone(label_of_run)(device, end_u(device), np.zeros(1, WORK)[0]) == label


def test_a_run_begins_at_its_first_beat() -> None:
    device, work = heard("VVVV", 150), np.zeros(1, WORK)[0]
    alone(label_of_run)(device, end_u(device), work)
    assert work["run_first_u"] == device["beat_u"][WARM_BEATS]


def test_the_first_beats_of_a_recording_make_no_run() -> None:
    device = heard("VVVV", 150, before=2)
    assert alone(label_of_run)(device, end_u(device), np.zeros(1, WORK)[0]) == ABSENT


@pytest.mark.parametrize(
    ("classes", "label"),
    [
        ("NVNVNV", BIGEMINY),
        ("VNVNVN", BIGEMINY),
        ("VNNVNNV", TRIGEMINY),
        ("VNNVNNVNN", TRIGEMINY),
        ("NNVVN", COUPLET),
        ("NNVVV", ABSENT),
        ("NVVVN", ABSENT),
        ("NVNNNV", ABSENT),
        ("VNVNVNN", ABSENT),
        ("NNNN", ABSENT),
    ],
)
def test_patterns_are_told_by_the_classes(classes: str, label: int) -> None:
    device = heard(classes)
    assert alone(pattern_of)(device, end_u(device)) == label


def eventful() -> NDArray[np.int16]:
    """Sinus rhythm, fibrillation, a still line, flutter, sinus rhythm."""
    parts = [ecg(regular(75, 15), 15), fibrillation(12.0), still(12.0), flutter(12.0), ecg(regular(75, 10), 10)]
    return np.concatenate(parts)


@pytest.mark.parametrize("size", [10, 333, 15_000])
def test_the_length_of_blocks_changes_nothing(size: int) -> None:
    signal = eventful()
    assert run(ENGINE, every(size, signal)).bits == run(ENGINE, every(250, signal)).bits


@pytest.mark.parametrize("size", [130, 250])
def test_saving_and_loading_changes_nothing(size: int) -> None:
    signal = eventful()
    state, results = ENGINE.new_state(), []
    for block in every(size, signal):
        step = ENGINE.step([block], ENGINE.load(ENGINE.dump(state)))
        state = step.state
        results.append(step.results)
    results.append(ENGINE.close([UUID(int=1)], state).results)
    assert of_device(results).bits == run(ENGINE, every(size, signal)).bits
