"""Two runs of one signal differ where, and only where, a row does."""

from __future__ import annotations

from bench.chaos.differences import differences

CALM = [{"recording_id": "a", "r_index": str(index), "rr_ms": "800.0", "created_at": "1"} for index in range(3)]
KEY = ("recording_id", "r_index")


def test_equal_rows_in_any_order_do_not_differ() -> None:
    found = differences(KEY, CALM, list(reversed(CALM)))
    assert (found.compared, found.differing) == (3, 0)


def test_when_a_row_was_written_does_not_matter() -> None:
    assert differences(KEY, CALM, [row | {"created_at": "2"} for row in CALM]).differing == 0


def test_a_changed_value_is_told_with_what_it_was() -> None:
    found = differences(KEY, CALM, [*CALM[:2], CALM[2] | {"rr_ms": "801.0"}])
    assert (found.differing, found.examples) == (1, ("('a', '2'): rr_ms 801.0 instead of 800.0",))


def test_missing_additional_and_doubled_rows_differ() -> None:
    assert differences(KEY, CALM, CALM[:2]).differing == 1
    assert differences(KEY, CALM, [*CALM, CALM[0] | {"r_index": "9"}]).differing == 1
    assert differences(KEY, CALM, [*CALM, CALM[0]]).differing == 1
