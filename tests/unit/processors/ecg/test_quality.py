"""Quality per lead and second: what is wrong is named, and the good lead speaks."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from schemas.quality import FLAGS, Flag
from schemas.results import Results
from schemas.samples import MISSING, Lead, SampleBlock

from .signals import UV_PER_LSB, ecg, regular

SECONDS = 20
RATE_HZ = 250


def heart() -> NDArray[np.int16]:
    return ecg(regular(72, SECONDS), SECONDS, RATE_HZ)


def results(*leads: NDArray[np.int16]) -> Results:
    names: tuple[Lead, ...] = ("II", "V1")
    engine = FastEngine()
    ids = (UUID(int=1), UUID(int=2))
    samples = np.stack(leads)
    block = SampleBlock(*ids, 0, 0, RATE_HZ, names[: len(leads)], (UV_PER_LSB,) * len(leads), samples)
    step = engine.step([block], engine.new_state())
    return step.results


def flags(of: Results, lead: int, second: int) -> set[Flag]:
    bits = int(of.metrics["lead_flags"][second, lead])
    return {flag for k, flag in enumerate(FLAGS) if bits >> k & 1}


def test_a_clean_lead_has_no_flag_and_full_quality() -> None:
    of = results(heart())
    assert not of.metrics["lead_flags"].any()
    assert (of.metrics["lead_quality"][4:, 0] > 0.9).all()
    assert np.isnan(of.metrics["lead_quality"][:, 1:]).all()


@pytest.mark.parametrize(
    ("value", "flag"), [(0, "flat"), (1234, "flat"), (32767, "saturated"), (-32767, "saturated"), (MISSING, "missing")]
)
def test_a_lead_that_stands_still_is_named_and_soon_called_off(value: int, flag: Flag) -> None:
    second_lead = heart()
    second_lead[10 * RATE_HZ :] = value
    of = results(heart(), second_lead)
    assert flag in flags(of, 1, 12)
    assert "lead_off" not in flags(of, 1, 10)
    assert "lead_off" in flags(of, 1, 14)
    assert not flags(of, 0, 14)


def test_noise_without_beats_is_named() -> None:
    second_lead = heart()
    second_lead[10 * RATE_HZ :] = np.random.default_rng(5).normal(0, 300, 10 * RATE_HZ).astype(np.int16)
    of = results(heart(), second_lead)
    assert "noise" in flags(of, 1, 13)


def test_quality_and_rows_follow_the_lead_that_can_be_read() -> None:
    first_lead = heart()
    first_lead[6 * RATE_HZ :] = 0
    of = results(first_lead, heart())
    assert of.metrics["main_lead"][2] == 0
    assert of.metrics["main_lead"][-1] == 1
    assert of.metrics["quality"][-1] > 0.9
    assert of.metrics["heart_rate_bpm"][-1] == pytest.approx(72, abs=1)
