"""The books find every sample that is lost, doubled or invented."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np

from bench.chaos.ledger import Balance, Ledger, balance
from schemas.samples import SampleBlock, WaveformStretch

BLOCK = SampleBlock(
    uuid4(), uuid4(), 0, 0, 250.0, ("II", "V1"), (2.5, 2.5), np.arange(20, dtype=np.int16).reshape(2, 10)
)
LATER = replace(BLOCK, first_index=10, samples=BLOCK.samples + 100)


def books(*blocks: SampleBlock) -> Ledger:
    ledger = Ledger()
    ledger.acknowledge(blocks)
    return ledger


def stored(*pieces: SampleBlock) -> dict[UUID, list[WaveformStretch]]:
    stretches = [
        WaveformStretch(p.recording_id, p.device_id, p.first_index, 0, p.rate_hz, p.leads, p.uv_per_lsb, p.samples)
        for p in pieces
    ]
    return {BLOCK.recording_id: stretches} if stretches else {}


def test_a_store_that_holds_what_was_acknowledged_is_even() -> None:
    assert balance(books(BLOCK, LATER), stored(BLOCK, LATER)) == Balance(40, 0, 0, 0)


def test_a_block_acknowledged_twice_counts_once() -> None:
    assert balance(books(BLOCK, BLOCK), stored(BLOCK)) == Balance(20, 0, 0, 0)


def test_what_is_not_stored_is_lost() -> None:
    assert balance(books(BLOCK, LATER), stored(BLOCK)).lost == 20
    assert balance(books(BLOCK), stored()).lost == 20


def test_a_sample_with_another_value_is_lost() -> None:
    spoilt = BLOCK.samples.copy()
    spoilt[1, 3] += 1
    assert balance(books(BLOCK), stored(replace(BLOCK, samples=spoilt))).lost == 1


def test_samples_that_two_stretches_hold_are_doubled() -> None:
    tail = replace(BLOCK, first_index=7, samples=BLOCK.samples[:, 7:])
    assert balance(books(BLOCK), stored(BLOCK, tail)) == Balance(20, 0, 6, 0)


def test_samples_nobody_sent_are_invented() -> None:
    assert balance(books(BLOCK), stored(BLOCK, LATER)).invented == 20
