"""The devices of the bench and every block they will ever send: the same numbers give the same bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Lead, SampleBlock

RATE_HZ: Final = 250
LEADS: Final[tuple[Lead, ...]] = ("II", "V1")
BLOCK_S: Final = 1

_SKIPPING_EVERY: Final = 5
"""One device in so many never sends one of its blocks, so that gaps are compared too."""

_LAST_WORD_AFTER_S: Final = 10
"""A second recording begins this long after the first: then the first is decided to its end, by no clock."""


@dataclass(frozen=True, slots=True)
class Bedside:
    """One device: its number in the fleet, its ids and the token it comes in with."""

    number: int
    device_id: UUID
    token: str
    recording_id: UUID
    last_recording_id: UUID


@dataclass(frozen=True)
class Fleet:
    """`count` devices that record for `seconds` from `begun_us` on, each a strip of `strips` (leads, samples)."""

    strips: Sequence[NDArray[np.int16]]
    count: int
    seconds: int
    begun_us: int

    @cached_property
    def bedsides(self) -> tuple[Bedside, ...]:
        return tuple(self._bedside(number) for number in range(self.count))

    def blocks(self, bedside: Bedside) -> list[SampleBlock]:
        """Everything the device sends, in order; the last block is another recording's."""
        kept = [second for second in range(self.seconds) if second != self.skipped(bedside)]
        last = self._block(bedside, bedside.last_recording_id, 0, self.seconds + _LAST_WORD_AFTER_S)
        return [*(self._block(bedside, bedside.recording_id, second, second) for second in kept), last]

    def skipped(self, bedside: Bedside) -> int | None:
        """The second that this device never sends."""
        if bedside.number % _SKIPPING_EVERY != _SKIPPING_EVERY - 1:
            return None
        return (self.seconds // 3 + bedside.number) % max(1, self.seconds - 4) + 1

    def due_s(self, block: SampleBlock, bedside: Bedside) -> float:
        """Seconds after the load's beginning at which the device has recorded all of the block."""
        if block.recording_id == bedside.last_recording_id:
            return self.seconds + BLOCK_S + bedside.number / self.count
        return block.end_index / RATE_HZ + bedside.number / self.count

    def _bedside(self, number: int) -> Bedside:
        name = f"chaos/{self.begun_us}/{number}"
        ids = [uuid5(NAMESPACE_OID, f"{name}/{part}") for part in ("device", "recording", "last")]
        return Bedside(number, ids[0], f"lwd_chaos_{ids[0].hex}", ids[1], ids[2])

    def _block(self, bedside: Bedside, recording_id: UUID, place: int, second: int) -> SampleBlock:
        """Samples [place, place + 1) s of the recording, taken in second `second` of the device's clock."""
        strip = self.strips[bedside.number % len(self.strips)]
        first = bedside.number * 37 + second * RATE_HZ * BLOCK_S
        started_at_us = self.begun_us + bedside.number * 1_000_000 // self.count + second * BLOCK_S * 1_000_000
        return SampleBlock(
            device_id=bedside.device_id,
            recording_id=recording_id,
            first_index=place * RATE_HZ * BLOCK_S,
            started_at_us=started_at_us,
            rate_hz=float(RATE_HZ),
            leads=LEADS,
            uv_per_lsb=(2.5,) * len(LEADS),
            samples=strip[:, np.arange(first, first + RATE_HZ * BLOCK_S) % strip.shape[1]],
        )
