"""Burden: how many of a patient's beats were ectopic, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EctopicGroups:
    """Ectopic beats of one class that follow each other directly: two are a couplet, three or more a run."""

    couplets: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Ectopy:
    """Beats of a period by kind, and its groups of ectopic beats. Per cent of all its beats, None without a beat."""

    beats: int
    supraventricular: int
    ventricular: int
    fusion: int
    unknown: int
    supraventricular_groups: EctopicGroups
    ventricular_groups: EctopicGroups
    supraventricular_percent: float | None
    ventricular_percent: float | None


@dataclass(frozen=True, slots=True)
class HourBurden:
    """The hour from `at` on. A group belongs to the hour it begins in, a beat to its own."""

    at: datetime
    ectopy: Ectopy


@dataclass(frozen=True, slots=True)
class DayBurden:
    """The day of UTC from `at` on: beats by kind, and per cent of all its beats. Groups are told by the hour only."""

    at: datetime
    beats: int
    supraventricular: int
    ventricular: int
    fusion: int
    unknown: int
    supraventricular_percent: float | None
    ventricular_percent: float | None


def percent(count: int, beats: int) -> float | None:
    """The share of `beats` in per cent, to a thousandth."""
    return round(100 * count / beats, 3) if beats else None
