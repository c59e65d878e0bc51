"""Blocks of samples to bytes and back: the checksum, the sizes of the leads, and which of them are coded."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from storage.waveform_codec.tables import reading, writing

_SHAPE: Final = struct.Struct("<QQ")
_CHECKSUM: Final = struct.Struct("<I")
_CONSTANT: Final = 2
"""Bytes of a lead whose samples are all the same: the first of them."""

_SMALLEST_CODED: Final = 4
"""Bytes: the first sample, and the mark and the first state."""


class _Part(NamedTuple):
    """A lead's bytes within the data of all rows, and the place of its samples among all that are made."""

    begin: int
    end: int
    length: int
    at: int


def encode_blocks(blocks: Sequence[NDArray[np.int16]]) -> list[bytes]:
    """The bytes of each block, int16 of shape (leads, count)."""
    from storage.waveform_codec import encoding  # noqa: PLC0415  # imports numba, 0.3 s that a start must not wait for

    plain = [np.empty(0, np.int16), *(block.ravel() for block in blocks)]
    samples = np.concatenate(plain, dtype=np.int16, casting="safe")
    shapes = [block.shape for block in blocks]
    leads = np.zeros(sum(leads for leads, _ in shapes), encoding.LEAD)
    leads["count"] = np.repeat([count for _, count in shapes], [leads for leads, _ in shapes])
    leads["at"] = np.cumsum(leads["count"]) - leads["count"]
    leads["to"] = 2 * leads["at"]
    out = np.empty(2 * len(samples), np.uint8)
    tables = writing()
    longest = max((count for _, count in shapes), default=0)
    words = np.empty(longest + encoding.SPARE_WORDS, np.uint32)
    kernel, told = encoding.compiled(), (tables.widths, tables.places, tables.states, tables.classes)
    kernel(samples, leads, *told, longest, words, words.view(np.uint8), out)
    parts = iter([out[to : to + size].tobytes() for _, _, to, size in leads.tolist()])
    return [_packed([next(parts) for _ in range(leads)], leads, count) for leads, count in shapes]


def decode_blocks(rows: Sequence[bytes], leads: int, counts: Sequence[int]) -> NDArray[np.int16]:
    """The samples of all rows one after another, int16 of shape (leads, sum of counts).

    Raises ValueError when a row is damaged or of another shape.
    """
    from storage.waveform_codec import decoding  # noqa: PLC0415  # imports numba, 0.3 s that a start must not wait for

    samples = np.empty((leads, sum(counts)), np.int16)
    data = np.frombuffer(b"".join([*rows, bytes(decoding.PADDING)]), np.uint8)
    parts = _parts(rows, leads, counts)
    coded = [part for part in parts if _SMALLEST_CODED <= part.end - part.begin < 2 * part.length]
    if len(coded) < len(parts):
        _fill_plain(parts, data, samples)
    streams = np.array(coded, decoding.STREAM)
    tables = reading()
    bad = np.full(1, -1)
    decoding.compiled()(data, streams, tables.entries, tables.classes, samples.reshape(-1), bad)
    if bad[0] >= 0:
        raise _damaged(leads, coded[bad[0]].length, "the bits of a lead don't end where it does")
    return samples


def _packed(parts: list[bytes], leads: int, count: int) -> bytes:
    told = b"".join([*(_size_bytes(len(part)) for part in parts), *parts])
    return _CHECKSUM.pack(_checksum(told, leads, count)) + told


def _size_bytes(size: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have their highest bit set."""
    told = bytearray()
    while size > 127:
        told.append(size & 127 | 128)
        size >>= 7
    told.append(size)
    return bytes(told)


def _parts(rows: Sequence[bytes], leads: int, counts: Sequence[int]) -> list[_Part]:
    """The leads of all rows."""
    parts = []
    total, begun, at = sum(counts), 0, 0
    for row, count in zip(rows, counts, strict=True):
        place, sizes = _head(row, leads, count)
        place += begun
        for lead, size in enumerate(sizes):
            parts.append(_Part(place, place + size, count, lead * total + at))
            place += size
        begun += len(row)
        at += count
    return parts


def _head(row: bytes, leads: int, count: int) -> tuple[int, list[int]]:
    """Where the first lead begins, and the size of each; they fill the row."""
    if len(row) < _CHECKSUM.size or _checksum(memoryview(row)[4:], leads, count) != _CHECKSUM.unpack_from(row)[0]:
        raise _damaged(leads, count, "its checksum differs")
    place, sizes = _CHECKSUM.size, []
    try:
        for _ in range(leads):
            size, place, shift = row[place] & 127, place + 1, 7
            while row[place - 1] > 127:
                size, place, shift = size | (row[place] & 127) << shift, place + 1, shift + 7
            sizes.append(size)
    except IndexError as error:
        raise _damaged(leads, count, "it ends too early") from error
    if place + sum(sizes) != len(row):
        raise _damaged(leads, count, "its leads don't fill it")
    return place, sizes


def _fill_plain(parts: Iterable[_Part], data: NDArray[np.uint8], samples: NDArray[np.int16]) -> None:
    """Fill in the leads that need no decoding: as they were, or one sample for all."""
    every = samples.reshape(-1)
    for part in parts:
        size = part.end - part.begin
        if size in {2 * part.length, _CONSTANT}:
            every[part.at : part.at + part.length] = data[part.begin : part.end].view("<i2")
        elif not _SMALLEST_CODED <= size < 2 * part.length:
            raise _damaged(len(samples), part.length, f"a lead of it takes {size} bytes")


def _checksum(told: bytes | memoryview, leads: int, count: int) -> int:
    return crc32(told, crc32(_SHAPE.pack(leads, count)))


def _damaged(leads: int, count: int, why: str) -> ValueError:
    shape = f"{leads} leads of {count} samples"
    return ValueError(f"a waveform row is damaged, or not of {shape} ({why}); restore the row from a backup")
