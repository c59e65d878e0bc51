from __future__ import annotations

from bench.pipeline.flatness import Series, commit_verdict, lag_verdict, memory_verdict

MOMENTS = [5.0 * n for n in range(121)]


def test_a_lag_that_saws_is_flat_and_one_that_climbs_is_not() -> None:
    sawing = Series(MOMENTS, [2.0 + n % 2 for n in range(121)])
    climbing = Series(MOMENTS, [2.0 + 0.02 * n for n in range(121)])
    assert lag_verdict(sawing).flat
    assert not lag_verdict(climbing).flat


def test_two_moments_say_nothing_of_a_slope() -> None:
    assert lag_verdict(Series([0.0, 5.0], [1.0, 9.0])).flat is None


def test_commits_may_be_a_checkpoint_behind_and_a_little() -> None:
    assert commit_verdict(Series(MOMENTS, [11.0] * 121), 10.0).flat
    assert not commit_verdict(Series(MOMENTS, [11.0] * 120 + [17.0]), 10.0).flat


def test_memory_may_grow_while_it_warms_up_and_then_by_a_twentieth() -> None:
    warming = Series(MOMENTS, [100.0 if at_s < 55 else 200.0 for at_s in MOMENTS])
    leaking = Series(MOMENTS, [100.0 + at_s / 30 for at_s in MOMENTS])
    assert memory_verdict(warming).flat
    assert memory_verdict(leaking).flat is False


def test_a_short_life_is_not_judged() -> None:
    assert memory_verdict(Series(MOMENTS[:30], [1.0] * 30)).flat is None
