"""Recordings and stretches for the tests of the api."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from schemas.clock import index_to_us
from schemas.samples import Recording, SampleBlock, WaveformStretch

START_US = 1_790_000_000_000_000


def a_recording(rate_hz: float = 360.0, gains: tuple[float, ...] = (5.0, 2.5)) -> Recording:
    return Recording(uuid4(), uuid4(), None, START_US, rate_hz, ("MLII", "V1")[: len(gains)], gains)  # type: ignore[arg-type]  # leads


def a_stretch(recording: Recording, first_index: int, samples: NDArray[np.int16]) -> WaveformStretch:
    return WaveformStretch(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        first_index=first_index,
        started_at_us=recording.started_at_us + index_to_us(first_index, recording.rate_hz),
        rate_hz=recording.rate_hz,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        samples=samples,
    )


def a_block(recording: Recording, first_index: int, samples: NDArray[np.int16]) -> SampleBlock:
    stretch = a_stretch(recording, first_index, samples)
    return SampleBlock(
        device_id=stretch.device_id,
        recording_id=stretch.recording_id,
        first_index=first_index,
        started_at_us=stretch.started_at_us,
        rate_hz=stretch.rate_hz,
        leads=stretch.leads,
        uv_per_lsb=stretch.uv_per_lsb,
        samples=samples,
    )


def counted(leads: int, first: int, count: int) -> NDArray[np.int16]:
    """Samples that tell their own index."""
    return np.tile(np.arange(first, first + count, dtype=np.int16), (leads, 1))
