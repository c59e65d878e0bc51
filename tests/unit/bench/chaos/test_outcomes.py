"""The table tells every figure, and nothing that is wrong passes for good."""

from __future__ import annotations

from dataclasses import replace

from bench.chaos.differences import Differences
from bench.chaos.ledger import Balance
from bench.chaos.outcomes import Outcome, joined, rows, rows_of, table

NONE_DIFFERS = {"ecg_beats": Differences(200, 0), "ecg_metrics": Differences(180, 0)}
GOOD = Outcome("worker killed", "kafka", "17 × kill", "", Balance(1000, 0, 0, 0), NONE_DIFFERS, 17, (), 7.25)


def test_a_run_without_any_difference_is_good() -> None:
    assert GOOD.is_good


def test_anything_lost_doubled_invented_different_or_broken_is_not_good() -> None:
    for wrong in (Balance(1000, 1, 0, 0), Balance(1000, 0, 1, 0), Balance(1000, 0, 0, 1)):
        assert not replace(GOOD, balance=wrong).is_good
    assert not replace(GOOD, tables=NONE_DIFFERS | {"ecg_metrics": Differences(180, 1)}).is_good
    assert not replace(GOOD, broken=("a report was not made",)).is_good


def test_a_row_tells_the_figures_in_the_order_of_the_head() -> None:
    row = table(rows([GOOD])).splitlines()[2]
    assert row == "| worker killed | kafka | 17 × kill | 1000 | 0 | 0 | 200 | 0 | 0 | 17 | 7.2 |"


def test_what_can_not_be_had_stands_in_the_table_with_its_reason() -> None:
    outcome = Outcome("broker killed", "embedded", told="does not apply: all in memory")
    assert outcome.is_good
    assert "does not apply: all in memory" in table(rows([outcome]))


def test_a_table_is_read_back_from_a_page_as_it_was_written() -> None:
    wanted = rows([GOOD, Outcome("broker killed", "embedded", told="does not apply: all in memory")])
    assert rows_of(f"# Page\n\n| other | table |\n\n{table(wanted)}\nmore") == wanted


def test_new_rows_replace_those_of_the_same_scenario_and_stack_only() -> None:
    known = rows([replace(GOOD, stack="embedded"), replace(GOOD, restarts=3)])
    new = rows([GOOD, replace(GOOD, scenario="calm")])
    assert joined(known, new, ["calm", "worker killed"]) == [new[1], known[0], new[0]]
