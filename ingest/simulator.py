"""Virtual patients: endless, deterministic devices with a chosen rhythm."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.strips import RHYTHMS, UV_PER_LSB, Rhythm, Strip, check_rhythms
from ingest.sources import Take, samples_per_block
from schemas.clock import index_to_us
from schemas.errors import Malformed
from schemas.samples import SampleBlock

GAP_EVERY_S: Final = 20.0
GAP_S: Final = 3.0
"""A patient of rhythm `gap` sends nothing for the last GAP_S of every GAP_EVERY_S."""


@dataclass(frozen=True, slots=True)
class VirtualPatient:
    """Plays a shared strip from its own `offset`, for ever. A Source that never ends."""

    name: str
    strip: Strip
    offset: int

    @property
    def rhythm(self) -> Rhythm:
        return self.strip.rhythm

    @property
    def rate_hz(self) -> float:
        return self.strip.rate_hz

    @property
    def count(self) -> None:
        return None

    def blocks(self, take: Take, *, block_s: float = 1.0, first_index: int = 0) -> Iterator[SampleBlock]:
        """Blocks of `block_s` without end; the gaps of rhythm `gap` are blocks that never come."""
        step = samples_per_block(block_s, self.rate_hz)
        for index in itertools.count(first_index, step):
            if self._in_gap(index, index + step):
                continue
            yield SampleBlock(
                device_id=take.device_id,
                recording_id=take.recording_id,
                first_index=index,
                started_at_us=take.started_at_us + index_to_us(index, self.rate_hz),
                rate_hz=self.rate_hz,
                leads=self.strip.leads,
                uv_per_lsb=(UV_PER_LSB,) * len(self.strip.leads),
                samples=self.samples(index, index + step),
            )

    def samples(self, first_index: int, end_index: int) -> NDArray[np.int16]:
        """What the patient's heart does at [first_index, end_index), shape (leads, end - first)."""
        at = (self.offset + first_index) % self.strip.count
        end = at + end_index - first_index
        if end <= self.strip.count:
            return self.strip.samples[:, at:end]
        return np.take(self.strip.samples, range(at, end), axis=1, mode="wrap")

    def r_indices(self, first_index: int, end_index: int) -> NDArray[np.int64]:
        """Where R peaks are in [first_index, end_index), in order: the truth to score a detector against."""
        period = self.strip.count
        laps = range((self.offset + first_index) // period - 1, (self.offset + end_index) // period + 1)
        peaks = np.sort(np.concatenate([self.strip.r_indices + lap * period for lap in laps])) - self.offset
        return peaks[(peaks >= first_index) & (peaks < end_index)]

    def _in_gap(self, first_index: int, end_index: int) -> bool:
        if self.rhythm != "gap":
            return False
        quiet_from = (GAP_EVERY_S - GAP_S) * self.rate_hz
        return max(first_index % (GAP_EVERY_S * self.rate_hz), 0.0) + (end_index - first_index) > quiet_from


def make_patients(
    count: int,
    bank: Mapping[Rhythm, Sequence[Strip]],
    *,
    rhythms: Sequence[Rhythm] = RHYTHMS,
    seed: int = 0,
) -> list[VirtualPatient]:
    """`count` patients, `rhythms` in turn (name one twice to have it more often), each from its own moment.

    Raises Malformed for a rhythm that is not in the bank.
    """
    check_rhythms(rhythms)
    absent = [rhythm for rhythm in rhythms if rhythm not in bank]
    if absent:
        raise Malformed(f"the bank holds no {absent[0]}; make it with every rhythm that is to be played")
    random = np.random.default_rng([seed, count])
    return [_patient(number, bank[rhythms[number % len(rhythms)]], random) for number in range(count)]


def _patient(number: int, strips: Sequence[Strip], random: np.random.Generator) -> VirtualPatient:
    strip = strips[int(random.integers(len(strips)))]
    return VirtualPatient(f"{strip.rhythm}-{number + 1}", strip, int(random.integers(strip.count)))
