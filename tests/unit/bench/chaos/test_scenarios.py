"""Every failure that was asked for is there, and what can't be had says why."""

from __future__ import annotations

import pytest

from bench.chaos.scenarios import SCENARIOS, chosen


def test_all_are_chosen_by_all_and_one_by_how_it_begins() -> None:
    assert chosen("all") == SCENARIOS
    assert [scenario.name for scenario in chosen("database")] == ["database restarted, and away 60 s"]


def test_a_part_is_enough_where_no_name_begins_so() -> None:
    assert len(chosen("killed")) == 3


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match="broker paused 30 s"):
        chosen("meteor")


def test_every_scenario_runs_on_kafka_or_says_why_not() -> None:
    for scenario in SCENARIOS:
        assert not (missing := scenario.missing("kafka")) or "root" in missing


def test_what_does_not_apply_says_why() -> None:
    [killed] = chosen("broker killed")
    assert "Tansu keeps all in memory" in (killed.missing("embedded") or "")
    assert killed.missing("kafka") is None
