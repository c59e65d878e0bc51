"""Samples: what a device sends, one block at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.clock import index_to_us

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
