"""The table of alarms, and what may be set of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from schemas import rhythms
from schemas.alarms import (
    CAN_BE_OFF,
    DEFAULT_LIMITS,
    KIND_BY_NAME,
    KINDS,
    AlarmLimits,
    AlarmState,
    alarm_id,
    is_active,
    problem_with,
    state_of,
)

VITAL = {
    rhythms.ASYSTOLE, rhythms.VENTRICULAR_FIBRILLATION, rhythms.VENTRICULAR_FLUTTER, rhythms.SUSTAINED_TACHYCARDIA
}  # fmt: skip


def test_every_kind_is_there_once_and_a_rhythm_s_has_the_name_of_its_label() -> None:
    assert len(KIND_BY_NAME) == len(KINDS)
    assert {kind.name for kind in KINDS if kind.cause in ("rhythm", "signal")} <= set(rhythms.LABELS)


def test_what_kills_is_high_latches_is_raised_at_once_and_can_not_be_off() -> None:
    assert {kind.name for kind in KINDS if kind.vital} == VITAL
    vital = [kind for kind in KINDS if kind.vital]
    assert all((kind.priority, kind.latching, kind.raise_after_s) == ("high", True, 0) for kind in vital)
    assert not VITAL & set(CAN_BE_OFF)


def test_high_ones_are_physiological_and_all_technical_ones_go_by_themselves() -> None:
    assert {kind.category for kind in KINDS if kind.priority == "high"} == {"physiological"}
    assert not any(kind.latching for kind in KINDS if kind.category == "technical")


def test_what_only_follows_the_sinus_node_or_noise_is_no_alarm() -> None:
    calm = (rhythms.NORMAL, rhythms.BRADYCARDIA, rhythms.TACHYCARDIA, rhythms.SINUS_ARRHYTHMIA, rhythms.PACED)
    assert not set(calm) & KIND_BY_NAME.keys()


@pytest.mark.parametrize(
    ("latching", "ended", "acknowledged", "state"),
    [
        (True, False, False, "raised"), (True, True, False, "raised"), (True, False, True, "acknowledged"),
        (True, True, True, "cleared"), (False, False, False, "raised"), (False, False, True, "acknowledged"),
        (False, True, False, "cleared"), (False, True, True, "cleared"),
    ],
)  # fmt: skip
def test_an_alarm_s_state_follows_from_what_happened(
    latching: bool, ended: bool, acknowledged: bool, state: AlarmState
) -> None:
    assert state_of(latching=latching, ended=ended, acknowledged=acknowledged) == state
    assert is_active(state) == (state != "cleared")


def test_an_id_is_made_of_the_identity() -> None:
    device = UUID(int=1)
    assert alarm_id(device, "Asystole", 5) == alarm_id(UUID(int=1), "Asystole", 5)
    assert len({alarm_id(device, "Asystole", 5), alarm_id(device, "Pause", 5), alarm_id(device, "Asystole", 6)}) == 3


def test_the_default_limits_are_good_ones() -> None:
    assert problem_with(DEFAULT_LIMITS) is None
    assert problem_with(replace(DEFAULT_LIMITS, off=CAN_BE_OFF)) is None


@pytest.mark.parametrize(
    "limits",
    [
        AlarmLimits(low_bpm=14), AlarmLimits(high_bpm=301), AlarmLimits(90, 80), AlarmLimits(80, 99),
        AlarmLimits(delay_s=-1), AlarmLimits(delay_s=61), AlarmLimits(off=("Asystole",)), AlarmLimits(off=("Nothing",)),
    ],
)  # fmt: skip
def test_limits_that_are_not_say_what_to_send(limits: AlarmLimits) -> None:
    said = problem_with(limits) or ""
    assert "; send " in said or "; name only " in said
