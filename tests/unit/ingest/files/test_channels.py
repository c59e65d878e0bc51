"""Channels of a file become leads and int16 steps, and what is not exact is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.files.channels import name_leads, quantise, steps_from_digital
from schemas.errors import Malformed
from schemas.samples import MISSING

NOTHING = np.zeros(3, dtype=np.bool_)


@pytest.mark.parametrize(
    ("names", "leads"),
    [
        (["MLII", "V5"], ("MLII", "V5")),
        (["avr", "EKG II", "ECG v1", "Lead III"], ("aVR", "II", "V1", "III")),
        (["ECG", "ECG_2"], ("ECG", "ECG1")),
        (["CM5", "CC5", "V2-V3"], ("CM5", "ECG1", "ECG2")),
        (["II", "II"], ("II", "ECG1")),
        (["ECG1", "mystery"], ("ECG1", "ECG2")),
    ],
)
def test_names_become_our_leads(names: list[str], leads: tuple[str, ...]) -> None:
    named = name_leads(names)
    assert (named.leads, named.channels) == (leads, tuple(range(len(names))))


def test_what_was_renamed_or_left_out_is_said() -> None:
    named = name_leads(["a", "b", "c", "d", "e"])
    assert named.leads == ("ECG1", "ECG2", "ECG3", "ECG")
    assert named.notes[0] == "channel 'a' is no lead we know; it is sent as ECG1"
    assert "channel 'e' left out" in named.notes[4]


@given(st.lists(st.integers(-2048, 2047), min_size=1), st.integers(-2048, 2047))
def test_a_converters_output_is_exact_from_0_mv(values: list[int], baseline: int) -> None:
    digital = np.array(values, dtype=np.int64)
    steps = steps_from_digital(digital, baseline, 5.0, np.zeros(len(values), dtype=np.bool_), "II")
    assert steps.note == ""
    assert steps.samples.astype(np.int64).tolist() == [value - baseline for value in values]


def test_a_missing_sample_stays_missing() -> None:
    steps = steps_from_digital(np.array([5, -2048, 7]), 5, 1.0, np.array([False, True, False]), "II")
    assert steps.samples.tolist() == [0, MISSING, 2]


def test_values_beyond_int16_are_rounded_and_it_is_said() -> None:
    steps = steps_from_digital(np.array([100_000, 1, -100_000]), 0, 0.1, NOTHING, "II")
    assert steps.uv_per_lsb == pytest.approx(0.4)
    assert steps.samples.tolist() == [25_000, 0, -25_000]
    assert steps.note == "channel 'II': rounded to steps of 0.4 µV, by 0.1 µV at most"


def test_a_zero_between_two_steps_is_said() -> None:
    assert "0 mV lies between two steps" in steps_from_digital(np.arange(3), 0.25, 5.0, NOTHING, "II").note


@pytest.mark.parametrize("gain", [0.0, -1.0, float("nan"), float("inf")])
def test_a_gain_that_is_none_is_malformed(gain: float) -> None:
    with pytest.raises(Malformed, match="correct the file's header"):
        steps_from_digital(np.arange(3), 0, gain, NOTHING, "II")


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1))
def test_microvolts_come_back_within_half_a_step(values: list[float]) -> None:
    uv = np.array(values)
    steps = quantise(uv, 1.0, "II")
    back = np.where(steps.samples == MISSING, np.nan, steps.samples * steps.uv_per_lsb)
    np.testing.assert_allclose(back, uv, atol=steps.uv_per_lsb / 2 * (1 + 1e-9))
