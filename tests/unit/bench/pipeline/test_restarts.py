from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.pipeline.restarts import KINDS, planned


@given(st.integers(0, 1000))
def test_every_life_is_calm_for_long_enough_to_be_judged(seed: int) -> None:
    moments = [0.0, *(restart.at_s for restart in planned(1800, 200, KINDS, seed)), 1800.0]
    assert all(after - before >= 199.9 for before, after in pairwise(moments))


@given(st.integers(0, 1000))
def test_every_kind_comes_before_any_comes_again(seed: int) -> None:
    kinds = [restart.kind for restart in planned(1800, 200, KINDS, seed)]
    assert len(set(kinds[: len(KINDS)])) == min(len(kinds), len(KINDS))


def test_a_seed_always_makes_the_same_plan() -> None:
    assert planned(1800, 200, KINDS, 3) == planned(1800, 200, KINDS, 3)
