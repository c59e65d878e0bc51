"""Ectopic beats of a record, by the hour and in groups."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from processors.burden import ectopy, hourly_burden
from schemas.beats import Beat, BeatClass
from schemas.burden import EctopicGroups

HOUR_US = 3_600_000_000


def rhythm(letters: str, *, from_us: int = 0) -> list[Beat]:
    """Beats of these classes, 800 ms from one to the next; x is a gap as long as a beat."""
    beats = []
    for number, letter in enumerate(letters):
        if letter != "x":
            rr_ms = None if number == 0 or letters[number - 1] == "x" else 800.0
            at_us = from_us + number * 800_000
            beats.append(
                Beat(UUID(int=1), UUID(int=2), number, at_us, cast("BeatClass", letter), 90.0, "e-1", rr_ms=rr_ms)
            )
    return beats


def test_beats_are_counted_by_kind_and_in_per_cent() -> None:
    told = ectopy(rhythm("NNNVNNSNFQ"))
    assert (told.beats, told.supraventricular, told.ventricular, told.fusion, told.unknown) == (10, 1, 1, 1, 1)
    assert (told.supraventricular_percent, told.ventricular_percent) == (10.0, 10.0)


def test_two_in_a_row_are_a_couplet_and_more_a_run() -> None:
    told = ectopy(rhythm("NVVNVVVNSSSSNVNVNSVVS"))
    assert told.ventricular_groups == EctopicGroups(couplets=2, runs=1)
    assert told.supraventricular_groups == EctopicGroups(couplets=0, runs=1)


def test_a_gap_ends_a_group() -> None:
    assert ectopy(rhythm("NVxVN")).ventricular_groups == EctopicGroups()


def test_a_group_belongs_to_the_hour_it_begins_in() -> None:
    one, two = hourly_burden(rhythm("NVVVN", from_us=HOUR_US - 2_000_000))
    assert (one.ectopy.ventricular, one.ectopy.ventricular_groups.runs) == (2, 1)
    assert (two.ectopy.ventricular, two.ectopy.ventricular_groups.runs) == (1, 0)


def test_no_beats_have_no_share() -> None:
    assert (ectopy([]).beats, ectopy([]).ventricular_percent, hourly_burden([])) == (0, None, [])
