"""Waveforms at rest: int16 samples of several leads to bytes and back, without loss."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DELTA_ZLIB: Final = 1
"""Codec 1: first differences along each lead (modulo 2**16), their low bytes then their high bytes, zlib.

Neighbouring ECG samples differ by little, so the high bytes are nearly all 0 or 255 and cost next to nothing.
"""

CODEC: Final = DELTA_ZLIB
"""What is written; everything above stays readable."""

_ZLIB_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class Encoded:
    """Samples at rest: the codec's number, and its bytes."""

    codec: int
    data: bytes


def encode(samples: NDArray[np.int16]) -> Encoded:
    """Bytes of `samples`, int16 of shape (leads, count), at least one of each."""
    steps = np.diff(samples.astype("<i2"), axis=1, prepend=np.zeros((len(samples), 1), "<i2"))
    planes = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T
    return Encoded(CODEC, zlib.compress(planes.tobytes(), _ZLIB_LEVEL))


def decode(encoded: Encoded, leads: int, count: int) -> NDArray[np.int16]:
    """The samples, int16 of shape (leads, count).

    Raises ValueError for an unknown codec, or bytes that aren't of `leads` times `count` samples.
    """
    if encoded.codec != DELTA_ZLIB:
        raise ValueError(f"waveform codec {encoded.codec} is unknown here; upgrade Leadwire to read this row")
    planes = np.frombuffer(_inflate(encoded.data), np.uint8)
    if planes.size != 2 * leads * count:
        raise ValueError(f"{planes.size} bytes are not {leads} leads of {count} samples; restore the row from a backup")
    steps = np.ascontiguousarray(planes.reshape(2, -1).T).view("<i2").reshape(leads, count)
    return np.cumsum(steps, axis=1, dtype=np.int16)


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"a waveform row is damaged ({error}); restore it from a backup") from error
