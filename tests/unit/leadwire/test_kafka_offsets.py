"""Whatever comes back beside whatever Kafka, nothing is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwire.kafka_offsets import Mended, Place

OFFSETS = st.integers(0, 1000)


def test_a_group_that_stands_at_its_checkpoint_is_well() -> None:
    assert Place(0, 0, 100, 50, 50).problem is None


def test_a_group_that_a_crash_left_behind_its_checkpoint_is_well() -> None:
    assert Place(0, 0, 100, 40, 50).problem is None


def test_a_partition_without_a_checkpoint_is_well() -> None:
    assert Place(0, 0, 100, 40, None).problem is None


def test_an_older_database_under_a_group_that_went_on_is_told() -> None:
    assert "has read up to 90 and the database up to 50" in (Place(3, 0, 100, 90, 50).problem or "")


def test_a_checkpoint_past_the_end_is_told() -> None:
    assert "ends at 10 and its checkpoint stands at 50" in (Place(3, 0, 10, None, 50).problem or "")


def test_an_older_database_reads_on_at_its_checkpoint() -> None:
    assert Place(0, 0, 100, 90, 50).mended(is_new=False) == Mended(0, 50, None, 0)


def test_what_retention_dropped_is_counted() -> None:
    assert Place(0, 60, 100, 90, 50).mended(is_new=False) == Mended(0, 60, 60, 10)


@pytest.mark.parametrize("place", [Place(0, 0, 10, None, 50), Place(0, 0, 70, None, 50)])
def test_a_new_kafka_is_read_from_its_beginning_by_the_engine_as_it_was(place: Place) -> None:
    assert place.mended(is_new=True) == Mended(0, 0, 0, 0)


def test_a_checkpoint_past_the_end_means_a_new_kafka() -> None:
    assert Place(0, 0, 10, None, 50).mended(is_new=False) == Mended(0, 0, 0, 0)


@given(first=OFFSETS, held=OFFSETS, committed=st.none() | OFFSETS, saved=st.none() | OFFSETS, is_new=st.booleans())
def test_what_was_mended_is_well(first: int, held: int, committed: int | None, saved: int | None, is_new: bool) -> None:
    mended = Place(0, first, first + held, committed, saved).mended(is_new=is_new)
    next_offset = saved if mended.checkpoint is None else mended.checkpoint
    after = Place(0, first, first + held, mended.offset, next_offset)
    assert after.problem is None
    assert first <= mended.offset <= first + held
