"""Waveforms at rest: int16 samples of several leads to bytes and back, without loss."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.waveform_codec import blocks

DELTA_ZLIB: Final = 1
"""Codec 1: first differences along each lead (modulo 2**16), their low bytes then their high bytes, zlib.

It is read, and no longer written: 5.34 bits per sample on mitdb in blocks of 10 s.
"""

PREDICTED: Final = 2
"""Codec 2: see docs/waveform-codec.md; 3.7 bits per sample on the same."""

CODEC: Final = PREDICTED
"""What is written; everything above stays readable."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Samples at rest: the codec's number, and its bytes."""

    codec: int
    data: bytes


def encode(samples: NDArray[np.int16]) -> Encoded:
    """Bytes of `samples`, int16 of shape (leads, count)."""
    return encode_many([samples])[0]


def encode_many(many: Sequence[NDArray[np.int16]]) -> list[Encoded]:
    """Each block of `many`, int16 of shape (leads, count), as `encode` gives it: eight leads are coded at a time."""
    return [Encoded(CODEC, data) for data in blocks.encode_blocks(many)]


def decode(encoded: Encoded, leads: int, count: int) -> NDArray[np.int16]:
    """The samples, int16 of shape (leads, count).

    Raises ValueError for an unknown codec, or bytes that aren't of `leads` times `count` samples.
    """
    return decode_many([encoded], leads, [count])


def decode_many(rows: Sequence[Encoded], leads: int, counts: Sequence[int]) -> NDArray[np.int16]:
    """The samples of `rows` one after another, int16 of shape (leads, sum of counts); `counts` is theirs, row by row.

    Eight leads are decoded at a time, of whichever rows. Raises ValueError as `decode` does: all come back, or none.
    """
    for unknown in {row.codec for row in rows} - {DELTA_ZLIB, PREDICTED}:
        raise ValueError(f"waveform codec {unknown} is unknown here; upgrade Leadwire to read this row")
    if all(row.codec == PREDICTED for row in rows):
        return blocks.decode_blocks([row.data for row in rows], leads, counts)
    apart = [_decode_one(row, leads, count) for row, count in zip(rows, counts, strict=True)]
    return np.concatenate(apart, axis=1)


def _decode_one(row: Encoded, leads: int, count: int) -> NDArray[np.int16]:
    if row.codec == PREDICTED:
        return blocks.decode_blocks([row.data], leads, [count])
    planes = np.frombuffer(_inflate(row.data), np.uint8)
    if planes.size != 2 * leads * count:
        raise ValueError(f"{planes.size} bytes are not {leads} leads of {count} samples; restore the row from a backup")
    steps = np.ascontiguousarray(planes.reshape(2, -1).T).view("<i2").reshape(leads, count)
    return np.cumsum(steps, axis=1, dtype=np.int16)


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"a waveform row is damaged ({error}); restore it from a backup") from error
