from __future__ import annotations

from bench.accuracy.splits import DS1, DS2, PACED, chosen_on, groups


def test_no_record_both_trains_and_tests() -> None:
    assert (len(DS1), len(DS2), len(PACED)) == (22, 22, 4)
    assert len(DS1 | DS2 | PACED) == 48


def test_parameters_are_chosen_on_every_other_record_of_qtdb() -> None:
    assert chosen_on(["d", "a", "c", "b", "e"]) == {"a", "c", "e"}
    assert {g.name: g.records for g in groups("qtdb", ["a", "b", "c"])} == {
        "chosen on": {"a", "c"},
        "held back": {"b"},
        "all": {"a", "b", "c"},
    }
