"""Columns become the bytes that the protobuf library makes of the same values, or reads the same values from."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas import ecg_pb2 as pb
from schemas.columnar import beside, chosen, floats, joined, sized, split, varints, with_size, zigzags

POSITIONS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5)
MOMENTS = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=5)


@given(POSITIONS)
def test_integers_are_the_librarys_varints(values: list[int]) -> None:
    made = split(varints(2, np.array(values)), range(len(values)))
    assert [pb.Fiducials.FromString(row).p_peak for row in made] == values
    assert made == [pb.Fiducials(p_peak=value).SerializeToString() for value in values]


@given(MOMENTS)
def test_integers_of_any_sign_are_the_librarys_zigzags(values: list[int]) -> None:
    made = split(zigzags(2, np.array(values)), range(len(values)))
    assert [pb.Beat.FromString(row).at_us for row in made] == values


def test_what_is_absent_takes_no_bytes() -> None:
    rr_ms = np.array([800.0, np.nan], np.float32)
    first, second = split(floats(5, rr_ms, np.isnan(rr_ms)), [0, 1])
    assert (first, second) == (pb.Beat(rr_ms=800.0).SerializeToString(), b"")


def test_a_message_in_a_message_has_the_size_of_its_own_row() -> None:
    marks = [varints(1, np.array([5, 300])), varints(2, np.array([6, 0]), np.array([False, True]))]
    first, second = split(sized(11, beside(marks)), [0, 1])
    assert first == pb.Beat(fiducials=pb.Fiducials(p_onset=5, p_peak=6)).SerializeToString()
    assert second == pb.Beat(fiducials=pb.Fiducials(p_onset=300)).SerializeToString()


def test_each_row_has_the_bytes_it_chose() -> None:
    assert joined(chosen([b"one", b"three", b""], np.array([1, 0, -1, 1]))) == b"threeonethree"


@given(st.binary(max_size=40_000))
def test_a_size_is_the_librarys(data: bytes) -> None:
    assert with_size(8, data) == (pb.SampleBlock(samples=data).SerializeToString() or b"\x42\x00")
