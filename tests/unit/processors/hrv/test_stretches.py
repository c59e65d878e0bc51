"""A stretch has figures, or the reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processors.hrv import stretches
from processors.hrv.stretches import judge
from schemas.clock import to_us
from tests.unit.processors.hrv.series import DEVICE, START, USER, beats, modulated, stretch

FULL = modulated(0.25, 40)


def test_a_full_stretch_has_figures_and_says_of_whom() -> None:
    row = judge(stretch(beats(FULL)))
    assert (row.device_id, row.user_id, row.stretch_start, row.reason) == (DEVICE, USER, START, None)
    assert (row.beats, row.nn_count) == (len(FULL) + 1, len(FULL))
    assert row.nn_share == pytest.approx(sum(FULL) / 300_000)
    assert row.sdnn_ms == pytest.approx(28.3, abs=0.1)
    assert to_us(row.last_beat_at) == beats(FULL).at_us[-1]


def test_under_four_fifths_in_normal_intervals_there_are_no_figures() -> None:
    row = judge(stretch(beats(modulated(0.25, 40, seconds=239))))
    assert (row.reason, row.sdnn_ms) == ("little_nn", None)
    assert row.nn_share == pytest.approx(0.797, abs=0.003)
    assert judge(stretch(beats(modulated(0.25, 40, seconds=241)))).reason is None


def test_every_sixth_beat_ectopic_leaves_too_little() -> None:
    classes = "".join("V" if number % 6 == 5 else "N" for number in range(len(FULL) + 1))
    assert judge(stretch(beats(FULL, classes))).reason == "little_nn"


def test_half_of_it_in_fibrillation_there_are_no_figures() -> None:
    row = judge(stretch(beats(FULL), af_share=0.5))
    assert (row.reason, row.af_share, row.rmssd_ms) == ("atrial_fibrillation", 0.5, None)
    assert judge(stretch(beats(FULL), af_share=0.49)).reason is None
    assert judge(stretch(beats(FULL), af_share=None)).reason is None


def test_the_last_beat_is_that_of_all_recordings() -> None:
    late = replace(beats([800], from_s=299), user_id=None)
    row = judge(stretch(late, beats(FULL[:300])))
    assert row.user_id == USER
    assert to_us(row.last_beat_at) == late.at_us[-1]


def test_a_series_that_neurokit2_fails_on_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> dict[str, float | None]:
        raise IndexError("index 0 is out of bounds")

    monkeypatch.setattr(stretches, "hrv_figures", fail)
    assert judge(stretch(beats(FULL))).reason == "not_computable"
