"""Samples: what a device sends, one block at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, get_args
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.clock import EARLIEST_US, END_US, index_to_us
from schemas.errors import Malformed

Lead = Literal[
    "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6",
    "MLI", "MLII", "MLIII", "CM2", "CM4", "CM5", "D3", "D4", "V3R", "V4R", "V7", "V8", "V9",
    "X", "Y", "Z", "ES", "AS", "AI", "ECG", "ECG1", "ECG2", "ECG3",
]  # fmt: skip

LEADS: Final[tuple[Lead, ...]] = get_args(Lead)

MISSING: Final = -32768
"""The int16 that says a sample was not acquired."""

MIN_RATE_HZ: Final = 100.0
MAX_RATE_HZ: Final = 1000.0
MAX_LEADS: Final = 12
MAX_BLOCK_S: Final = 60.0
"""A block is 40 ms to 60 s; shorter ones are accepted at the end of a recording."""

_MIN_UV_PER_LSB: Final = 1e-6
_MAX_UV_PER_LSB: Final = 1e6
"""A picovolt and a volt a step: products with int16 stay finite."""


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """One stretch of a recording, all leads at once.

    `samples` is int16 of shape (leads, count); MISSING marks a sample not acquired; `uv_per_lsb` has one
    gain per lead, in microvolts. `started_at_us` is the device's clock at the first sample,
    `received_at_us` the gateway's clock (0 before the gateway has seen it).
    """

    device_id: UUID
    recording_id: UUID
    first_index: int
    started_at_us: int
    rate_hz: float
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]
    received_at_us: int = 0

    @property
    def count(self) -> int:
        """Samples per lead."""
        return int(self.samples.shape[1])

    @property
    def end_index(self) -> int:
        """One past the last sample's index."""
        return self.first_index + self.count

    @property
    def recording_started_at_us(self) -> int:
        """Device clock at index 0, as this block tells it."""
        return self.started_at_us - index_to_us(self.first_index, self.rate_hz)


@dataclass(frozen=True, slots=True)
class Recording:
    """One unbroken acquisition with fixed leads, rate and gain."""

    recording_id: UUID
    device_id: UUID
    user_id: UUID | None
    started_at_us: int
    rate_hz: float
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples [first_index, end_index) that never came."""

    recording_id: UUID
    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class WaveformStretch:
    """A stored stretch of a recording: int16 `samples` of shape (leads, count) from `first_index`."""

    recording_id: UUID
    device_id: UUID
    first_index: int
    started_at_us: int
    rate_hz: float
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]


def check_block(block: SampleBlock) -> None:
    """Raise Malformed where a block breaks the wire contract (see schemas/ecg.proto)."""
    _check_acquisition(block.leads, block.rate_hz, block.uv_per_lsb)
    count = block.count
    if count < 1:
        raise Malformed("the block holds no sample; send at least one per lead")
    if count > MAX_BLOCK_S * block.rate_hz:
        seconds = count / block.rate_hz
        raise Malformed(f"the block lasts {seconds:.1f} s; split it into blocks of {MAX_BLOCK_S:g} s or less")
    if block.first_index < 0:
        raise Malformed(f"first_index is {block.first_index}; count samples from 0, the recording's first")
    _check_moments(block)


@lru_cache(maxsize=1024)
def _check_acquisition(leads: tuple[Lead, ...], rate_hz: float, uv_per_lsb: tuple[float, ...]) -> None:
    """Remembered when it is good: every block of a recording says the same."""
    if not 1 <= len(leads) <= MAX_LEADS or len(set(leads)) != len(leads):
        raise Malformed(f"leads are {list(leads)}; name 1 to {MAX_LEADS} different leads")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise Malformed(f"rate_hz is {rate_hz:g}; send {MIN_RATE_HZ:g} to {MAX_RATE_HZ:g}")
    if not all(_MIN_UV_PER_LSB <= gain <= _MAX_UV_PER_LSB for gain in uv_per_lsb):
        raise Malformed(
            f"uv_per_lsb is {list(uv_per_lsb)}; send the positive gain in microvolts per step, "
            f"{_MIN_UV_PER_LSB:g} to {_MAX_UV_PER_LSB:g}"
        )


def _check_moments(block: SampleBlock) -> None:
    if not EARLIEST_US <= block.started_at_us < END_US:
        raise Malformed(
            f"started_at_us is {block.started_at_us}; send microseconds since 1970 UTC, of the years 1900 to 2199"
        )
    if not 0 <= block.received_at_us < END_US:
        raise Malformed(f"received_at_us is {block.received_at_us}; leave it 0, the gateway sets it")
    if block.recording_started_at_us < EARLIEST_US:
        raise Malformed(
            f"first_index {block.first_index} at {block.rate_hz:g} Hz puts the recording's start before 1900; "
            "count samples from 0, the recording's first"
        )
