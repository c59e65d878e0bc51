from __future__ import annotations

from bench.pipeline.lag import Offsets, seconds_behind


def at(at_s: float, end: int, committed: int) -> Offsets:
    return Offsets(at_s, {0: end, 1: 0}, {0: committed, 1: 0})


def test_nothing_is_behind_when_everything_is_committed() -> None:
    assert seconds_behind([at(0, 0, 0), at(5, 100, 100)]) == 0


def test_the_oldest_uncommitted_record_is_as_old_as_the_end_was_there() -> None:
    history = [at(0, 0, 0), at(5, 100, 0), at(10, 200, 50)]
    assert seconds_behind(history) == 7.5
    assert history[-1].records_behind == 150


def test_the_partition_that_is_furthest_behind_is_told() -> None:
    first = Offsets(0, {0: 0, 1: 0}, {})
    assert seconds_behind([first, Offsets(10, {0: 100, 1: 100}, {0: 90, 1: 20})]) == 8.0
