"""A block knows its length, its end and when its recording began."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given

from schemas.clock import index_to_us
from schemas.errors import Malformed
from schemas.samples import LEADS, SampleBlock, check_block

from .examples import BLOCK, blocks


@given(blocks())
def test_a_block_that_keeps_the_contract_passes(block: SampleBlock) -> None:
    check_block(block)
    assert block.samples.shape == (len(block.leads), block.count)
    assert block.end_index - block.first_index == block.count


@given(blocks())
def test_a_recording_began_its_first_index_ago(block: SampleBlock) -> None:
    assert block.recording_started_at_us + index_to_us(block.first_index, block.rate_hz) == block.started_at_us


def test_an_index_before_the_recording_is_refused() -> None:
    with pytest.raises(Malformed, match="first_index is -1; count samples from 0"):
        check_block(replace(BLOCK, first_index=-1))


def test_a_block_of_exactly_a_minute_passes() -> None:
    minute = BLOCK.samples[:, :1].repeat(15_000, axis=1)
    check_block(replace(BLOCK, samples=minute))


def test_a_block_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        BLOCK.first_index = 1  # type: ignore[misc]  # what is refused


def test_the_twelve_standard_leads_come_first() -> None:
    assert LEADS[:12] == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
