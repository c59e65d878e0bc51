from __future__ import annotations

from uuid import UUID

from bench.pipeline.ledger import Ledger, StoredRange, balance

A, B = UUID(int=1), UUID(int=2)


def test_what_was_acknowledged_and_is_not_there_is_lost() -> None:
    assert balance({A: 500, B: 250}, [StoredRange(A, 0, 250)]) == Ledger(750, 500, 0)


def test_what_is_there_and_was_never_acknowledged_makes_up_for_nothing() -> None:
    rows = [StoredRange(A, 0, 250), StoredRange(B, 0, 900)]
    assert balance({A: 500, B: 250}, rows) == Ledger(750, 250, 0)


def test_samples_in_two_rows_are_doubled_and_count_once() -> None:
    rows = [StoredRange(A, 0, 400), StoredRange(A, 250, 500)]
    assert balance({A: 500}, rows) == Ledger(500, 0, 150)


def test_a_hole_is_lost_though_the_end_is_there() -> None:
    assert balance({A: 500}, [StoredRange(A, 0, 100), StoredRange(A, 200, 500)]) == Ledger(500, 100, 0)
