"""A flag byte and its flags say the same."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.quality import FLAGS, bits_of, flags_of


@given(st.sets(st.sampled_from(FLAGS)))
def test_flags_come_back_as_they_went(chosen: set[str]) -> None:
    flags = tuple(flag for flag in FLAGS if flag in chosen)
    assert flags_of(bits_of(flags)) == flags


def test_each_bit_stands_for_its_flag() -> None:
    assert [flags_of(1 << k) for k in range(len(FLAGS))] == [(flag,) for flag in FLAGS]


@given(st.integers(0, 255))
def test_a_bit_without_a_flag_says_nothing(bits: int) -> None:
    assert bits_of(flags_of(bits)) == bits & 0b11111
