"""Burden of a record: its ectopic beats by the hour, from the beats of an engine; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from schemas.beats import Beat, BeatClass
from schemas.burden import EctopicGroups, Ectopy, HourBurden, percent
from schemas.clock import to_datetime

_HOUR_US: Final = 3_600_000_000


@dataclass(slots=True)
class _Group:
    """Beats of one class in a row."""

    beat_class: BeatClass
    began_us: int
    length: int = 1


def ectopy(beats: Sequence[Beat]) -> Ectopy:
    """What of the beats, of one recording and in order, was ectopic. A gap (no RR) ends a group."""
    return _ectopy(beats, _groups(beats))


def hourly_burden(beats: Sequence[Beat]) -> list[HourBurden]:
    """The same of each whole hour since 1970 that has beats; a group belongs to the hour it begins in."""
    groups = _groups(beats)
    hours = []
    for hour, members in groupby(beats, lambda beat: beat.at_us // _HOUR_US):
        begun = [group for group in groups if group.began_us // _HOUR_US == hour]
        hours.append(HourBurden(to_datetime(hour * _HOUR_US), _ectopy(list(members), begun)))
    return hours


def _groups(beats: Sequence[Beat]) -> list[_Group]:
    groups: list[_Group] = []
    for beat in beats:
        if groups and beat.rr_ms is not None and groups[-1].beat_class == beat.beat_class:
            groups[-1].length += 1
        else:
            groups.append(_Group(beat.beat_class, beat.at_us))
    return groups


def _ectopy(beats: Sequence[Beat], groups: Sequence[_Group]) -> Ectopy:
    count = Counter(beat.beat_class for beat in beats)
    return Ectopy(
        beats=len(beats),
        supraventricular=count["S"],
        ventricular=count["V"],
        fusion=count["F"],
        unknown=count["Q"],
        supraventricular_groups=_counted(groups, "S"),
        ventricular_groups=_counted(groups, "V"),
        supraventricular_percent=percent(count["S"], len(beats)),
        ventricular_percent=percent(count["V"], len(beats)),
    )


def _counted(groups: Sequence[_Group], name: BeatClass) -> EctopicGroups:
    lengths = [group.length for group in groups if group.beat_class == name]
    return EctopicGroups(lengths.count(2), sum(length > 2 for length in lengths))
