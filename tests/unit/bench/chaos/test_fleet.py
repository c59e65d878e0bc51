"""The fleet sends the same bytes each time, with the gaps it should have."""

from __future__ import annotations

import numpy as np
import pytest

from bench.chaos.fleet import RATE_HZ, Fleet

STRIPS = (np.arange(2 * 7 * RATE_HZ, dtype=np.int16).reshape(2, -1),)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(STRIPS, count=10, seconds=12, begun_us=1_700_000_000_000_000)


def test_two_fleets_of_the_same_numbers_send_the_same(fleet: Fleet) -> None:
    twin = Fleet(STRIPS, fleet.count, fleet.seconds, fleet.begun_us)
    for mine, its in zip(fleet.bedsides, twin.bedsides, strict=True):
        assert mine == its
        for block, other in zip(fleet.blocks(mine), twin.blocks(its), strict=True):
            assert np.array_equal(block.samples, other.samples)
            assert (block.first_index, block.started_at_us) == (other.first_index, other.started_at_us)


def test_indices_and_the_devices_clock_agree(fleet: Fleet) -> None:
    for bedside in fleet.bedsides:
        starts = {b.recording_started_at_us for b in fleet.blocks(bedside) if b.recording_id == bedside.recording_id}
        assert len(starts) == 1


def test_one_device_in_five_has_one_gap(fleet: Fleet) -> None:
    counts = [len(fleet.blocks(bedside)) for bedside in fleet.bedsides]
    assert counts == [13, 13, 13, 13, 12, 13, 13, 13, 13, 12]


def test_blocks_are_due_in_the_order_they_are_sent(fleet: Fleet) -> None:
    for bedside in fleet.bedsides:
        due = [fleet.due_s(block, bedside) for block in fleet.blocks(bedside)]
        assert due == sorted(due)


def test_each_device_ends_with_a_block_of_another_recording(fleet: Fleet) -> None:
    for bedside in fleet.bedsides:
        *_, last = fleet.blocks(bedside)
        assert (last.recording_id, last.first_index) == (bedside.last_recording_id, 0)
