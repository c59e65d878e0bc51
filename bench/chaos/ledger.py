"""The books of each device: what was acknowledged, beside what the store holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.samples import SampleBlock, WaveformStretch


@dataclass(slots=True)
class Ledger:
    """Blocks that were acknowledged, by recording; each once, however often it was sent."""

    blocks: dict[UUID, dict[int, SampleBlock]] = field(default_factory=dict)

    def acknowledge(self, blocks: Iterable[SampleBlock]) -> None:
        for block in blocks:
            self.blocks.setdefault(block.recording_id, {})[block.first_index] = block

    @property
    def samples(self) -> int:
        """Samples acknowledged, all leads together."""
        return sum(block.samples.size for blocks in self.blocks.values() for block in blocks.values())


@dataclass(frozen=True, slots=True)
class Balance:
    """Samples of all leads: acknowledged; of them not in the store bit for bit; stored twice; stored but never sent."""

    acknowledged: int
    lost: int
    doubled: int
    invented: int

    @property
    def is_even(self) -> bool:
        return self.lost == self.doubled == self.invented == 0


def balance(ledger: Ledger, stored: Mapping[UUID, Sequence[WaveformStretch]]) -> Balance:
    """Compare the books with all stretches that the store holds, recording by recording."""
    names = ledger.blocks.keys() | stored.keys()
    each = [_of_recording(ledger.blocks.get(name, {}), stored.get(name, ())) for name in names]
    return Balance(
        acknowledged=sum(one.acknowledged for one in each),
        lost=sum(one.lost for one in each),
        doubled=sum(one.doubled for one in each),
        invented=sum(one.invented for one in each),
    )


def _of_recording(blocks: Mapping[int, SampleBlock], stretches: Sequence[WaveformStretch]) -> Balance:
    leads = max([len(block.leads) for block in blocks.values()] + [len(stretch.leads) for stretch in stretches])
    ends = [block.end_index for block in blocks.values()] + [_end(stretch) for stretch in stretches]
    length = max(ends)
    sent, is_sent = _laid_out(((block.first_index, block.samples) for block in blocks.values()), leads, length)
    held, times = _laid_out(((stretch.first_index, stretch.samples) for stretch in stretches), leads, length)
    same = (times > 0)[np.newaxis] & (held == sent)
    wanted = is_sent > 0
    return Balance(
        acknowledged=int(wanted.sum()) * leads,
        lost=int((~same & wanted[np.newaxis]).sum()),
        doubled=int(np.maximum(times - 1, 0).sum()) * leads,
        invented=int(((times > 0) & ~wanted).sum()) * leads,
    )


def _laid_out(
    pieces: Iterable[tuple[int, NDArray[np.int16]]], leads: int, length: int
) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """The pieces side by side as (leads, length), and how many pieces tell of each index."""
    samples, times = np.zeros((leads, length), np.int16), np.zeros(length, np.int32)
    for first, piece in pieces:
        samples[:, first : first + piece.shape[1]] = piece
        times[first : first + piece.shape[1]] += 1
    return samples, times


def _end(stretch: WaveformStretch) -> int:
    return stretch.first_index + int(stretch.samples.shape[1])
