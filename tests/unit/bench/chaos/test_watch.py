"""Catching up is counted from a fault's end until all that was due then is stored."""

from __future__ import annotations

import pytest

from bench.chaos.scenes import Injected
from bench.chaos.watch import STALL_S, USUAL_LAG_S, Seen, Stalls, longest_catch_up_s

BEGUN_S, SECONDS, SETTLED_S = 1000.0, 100.0, 1120.0


def test_it_ends_with_the_first_look_that_sees_everything() -> None:
    faults = [Injected("away", 1020.0, 1050.0)]
    seen = [Seen(1051.0, 18.0), Seen(1055.0, 40.0), Seen(1058.0, 50.0 - USUAL_LAG_S), Seen(1060.0, 60.0)]
    assert longest_catch_up_s(faults, seen, BEGUN_S, SECONDS, SETTLED_S) == pytest.approx(8.0)


def test_what_was_seen_before_the_fault_ended_does_not_count() -> None:
    faults = [Injected("away", 1020.0, 1050.0)]
    seen = [Seen(1049.0, 90.0), Seen(1052.0, 90.0)]
    assert longest_catch_up_s(faults, seen, BEGUN_S, SECONDS, SETTLED_S) == pytest.approx(2.0)


def test_the_longest_counts_and_one_never_seen_lasts_until_all_was_stored() -> None:
    faults = [Injected("kill", 1010.0, 1010.0), Injected("kill", 1090.0, 1090.0)]
    seen = [Seen(1011.0, 20.0)]
    assert longest_catch_up_s(faults, seen, BEGUN_S, SECONDS, SETTLED_S) == pytest.approx(30.0)


def test_without_faults_there_is_nothing_to_catch_up() -> None:
    assert longest_catch_up_s([], [], BEGUN_S, SECONDS, SETTLED_S) is None


def test_a_machine_that_stood_still_is_told_and_a_little_delay_is_not() -> None:
    stalls = Stalls()
    stalls.note(STALL_S / 2)
    assert not stalls.in_words()
    stalls.note(40.0)
    stalls.note(5.0)
    assert stalls.in_words() == "; the machine stood still 40 s"
