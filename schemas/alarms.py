"""Alarms: what wants a look, how urgently, and what may be set for a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid5

from schemas import rhythms

Priority = Literal["low", "medium", "high"]
Category = Literal["physiological", "technical"]
AlarmState = Literal["raised", "acknowledged", "cleared"]
Cause = Literal["rhythm", "rate", "signal", "silence"]

PRIORITIES: Final[tuple[Priority, ...]] = ("low", "medium", "high")
CATEGORIES: Final[tuple[Category, ...]] = ("physiological", "technical")
STATES: Final[tuple[AlarmState, ...]] = ("raised", "acknowledged", "cleared")

NOTICE: Final = "Research use: not for primary alarms."

EXTREME_BRADYCARDIA: Final = "Extreme Bradycardia"
EXTREME_TACHYCARDIA: Final = "Extreme Tachycardia"
NO_DATA: Final = "No Data"

_IDENTITIES: Final = UUID("0c9f2a8e-5a57-4f0e-9b1d-3f8f3a3f7a54")  # any fixed namespace: ids are made of identities


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """One alarm condition, in the words of IEC 60601-1-8.

    A rhythm's kind has the name of its label (schemas/rhythms.py) and is raised when the engine states it, rates after
    the patient's own `delay_s`, a bad signal after `raise_after_s`. A condition must be absent for `clear_after_s`
    before its alarm ends. A latching alarm stays active after its condition until somebody acknowledges it. What is
    `vital` can't be turned off for a patient. `settle_s` is how long after its end the engine may state an episode.
    """

    name: str
    cause: Cause
    priority: Priority
    latching: bool = False
    raise_after_s: int = 0
    clear_after_s: int = 10
    vital: bool = False
    settle_s: int = 5

    @property
    def category(self) -> Category:
        return "technical" if self.cause in ("signal", "silence") else "physiological"


def _beside(name: str, priority: Priority) -> AlarmKind:
    """A condition beside the rhythm: the engine waits up to 30 s before it says that one is over."""
    return AlarmKind(name, "rhythm", priority, settle_s=35)


def _vital(name: str) -> AlarmKind:
    return AlarmKind(name, "rhythm", "high", latching=True, clear_after_s=5, vital=True)


KINDS: Final = (
    _vital(rhythms.ASYSTOLE),
    _vital(rhythms.VENTRICULAR_FIBRILLATION),
    _vital(rhythms.VENTRICULAR_FLUTTER),
    _vital(rhythms.SUSTAINED_TACHYCARDIA),
    AlarmKind(EXTREME_BRADYCARDIA, "rate", "high", latching=True),
    AlarmKind(EXTREME_TACHYCARDIA, "rate", "high", latching=True),
    AlarmKind(rhythms.PAUSE, "rhythm", "medium", latching=True),
    AlarmKind(rhythms.NON_SUSTAINED_TACHYCARDIA, "rhythm", "medium", latching=True),
    AlarmKind(rhythms.ATRIAL_FIBRILLATION, "rhythm", "medium"),
    AlarmKind(rhythms.ATRIAL_FLUTTER, "rhythm", "medium"),
    AlarmKind(rhythms.SUPRAVENTRICULAR_TACHYCARDIA, "rhythm", "medium"),
    AlarmKind(rhythms.IDIOVENTRICULAR, "rhythm", "medium"),
    _beside(rhythms.SECOND_DEGREE_BLOCK, "medium"),
    _beside(rhythms.ST_ELEVATION, "medium"),
    _beside(rhythms.ST_DEPRESSION, "low"),
    _beside(rhythms.PROLONGED_QT, "low"),
    _beside(rhythms.BIGEMINY, "low"),
    _beside(rhythms.TRIGEMINY, "low"),
    _beside(rhythms.COUPLET, "low"),
    AlarmKind(rhythms.LEAD_OFF, "signal", "medium", raise_after_s=3, clear_after_s=3),
    AlarmKind(rhythms.NOISE, "signal", "low", raise_after_s=3, clear_after_s=3),
    AlarmKind(NO_DATA, "silence", "low", clear_after_s=0),
)
"""Every alarm there is; docs/alarms.md tells of each, and a test compares the two."""

KIND_BY_NAME: Final = {kind.name: kind for kind in KINDS}
CAN_BE_OFF: Final = tuple(kind.name for kind in KINDS if not kind.vital)

LOWEST_BPM: Final = 15
HIGHEST_BPM: Final = 300
LONGEST_DELAY_S: Final = 60
UNREADABLE: Final = 0.25
"""The engine's own limit (processors/ecg/quality.py): a second of less quality raises no physiological alarm."""
RATE_MARGIN_BPM: Final = 5
"""A rate alarm ends only this far inside its limit, so that a rate on the limit is one alarm and not many."""


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """What may be set for a patient: a rate up to `low_bpm` or from `high_bpm` on, for `delay_s` seconds, is an alarm.

    `off` names the kinds that are turned off (AF for a patient who is always in it).
    """

    low_bpm: int = 40
    high_bpm: int = 150
    delay_s: int = 3
    off: tuple[str, ...] = ()


DEFAULT_LIMITS: Final = AlarmLimits()


def problem_with(limits: AlarmLimits) -> str | None:
    """What is wrong with limits, and what to send instead; None when they are good."""
    low, high = limits.low_bpm, limits.high_bpm
    if not LOWEST_BPM <= low < high <= HIGHEST_BPM or high - low < 4 * RATE_MARGIN_BPM:
        return (
            f"low_bpm is {low} and high_bpm {high}; send {LOWEST_BPM} to {HIGHEST_BPM}, "
            f"the high one at least {4 * RATE_MARGIN_BPM} above the low one"
        )
    if not 0 <= limits.delay_s <= LONGEST_DELAY_S:
        return f"delay_s is {limits.delay_s}; send 0 to {LONGEST_DELAY_S} seconds"
    wrong = [name for name in limits.off if name not in CAN_BE_OFF]
    if wrong:
        return f"{wrong[0]!r} can't be turned off; name only {', '.join(CAN_BE_OFF)}"
    return None


@dataclass(frozen=True, slots=True)
class PatientLimits:
    """A patient's limits, and who set them when; `is_default` when nobody did."""

    user_id: UUID
    low_bpm: int
    high_bpm: int
    delay_s: int
    off: Sequence[str]
    is_default: bool
    changed_at: datetime | None
    changed_by: UUID | None


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """An alarm as it stands; identity (device_id, kind, began_at_us), which `alarm_id` is made of.

    `began_at_us` is when its condition began, `raised_at_us` when that was sure, `ended_at_us` when the condition was
    over. `acknowledged_at_us` is when a person took note. Moments are only ever added, so of two events of one alarm
    take what either knows. `value` is the rate that raised a rate alarm, `limit` what it went past, both in bpm;
    `confidence` (0 to 100) is the rhythm's. `user_id` is the patient, None before the alarm is stored.
    """

    alarm_id: UUID
    device_id: UUID
    recording_id: UUID
    user_id: UUID | None
    kind: str
    priority: Priority
    category: Category
    latching: bool
    state: AlarmState
    began_at_us: int
    raised_at_us: int
    ended_at_us: int | None
    acknowledged_at_us: int | None
    acknowledged_by: UUID | None
    value: float | None
    limit: float | None
    confidence: float | None


def alarm_id(device_id: UUID, kind: str, began_at_us: int) -> UUID:
    """The same for the same identity, whoever makes it."""
    return uuid5(_IDENTITIES, f"{device_id} {kind} {began_at_us}")


def state_of(*, latching: bool, ended: bool, acknowledged: bool) -> AlarmState:
    """Latched: cleared once it is both over and acknowledged. Otherwise cleared once it is over."""
    if ended and (acknowledged or not latching):
        return "cleared"
    return "acknowledged" if acknowledged else "raised"


def is_active(state: AlarmState) -> bool:
    return state != "cleared"
