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
    count: int
    at: int


def encode_blocks(blocks: Sequence[NDArray[np.int16]]) -> list[bytes]:
    """The bytes of each block, int16 of shape (leads, count)."""
    from storage.waveform_codec import encoding  # noqa: PLC0415  # imports numba, 0.3 s that a start must not wait for

    samples = np.concatenate([np.empty(0, np.int16), *(block.ravel() for block in blocks)])
    shapes = [block.shape for block in blocks]
    leads = np.zeros(sum(leads for leads, _ in shapes), encoding.LEAD)
    leads["count"] = np.repeat([count for _, count in shapes], [leads for leads, _ in shapes])
    leads["at"] = np.cumsum(leads["count"]) - leads["count"]
    leads["to"] = 2 * leads["at"]
    out = np.empty(2 * len(samples), np.uint8)
    tables = writing()
    encoding.compiled()(samples, leads, tables.widths, tables.places, tables.states, tables.classes, out)
    parts = iter([out[to : to + size].tobytes() for _, _, to, size in leads.tolist()])
    return [_packed([next(parts) for _ in range(leads)], leads, count) for leads, count in shapes]


def decode_blocks(rows: Sequence[bytes], leads: int, counts: Sequence[int]) -> NDArray[np.int16]:
    """The samples of all rows one after another, int16 of shape (leads, sum of counts).

    Raises ValueError when a row is damaged or of another shape.
    """
    from storage.waveform_codec import decoding  # noqa: PLC0415  # imports numba, 0.3 s that a start must not wait for

    samples = np.empty((leads, sum(counts)), np.int16)
    joined = b"".join([*rows, bytes(decoding.PADDING)])
    data = np.frombuffer(joined, np.uint8)
    coded = [part for part in _parts(rows, leads, counts) if not _is_plain(part, data, samples)]
    streams = np.array(coded, decoding.STREAM)
    tables = reading()
    bad = np.full(1, -1)
    decoding.compiled()(data, streams, tables.entries, tables.classes, samples.ravel(), bad)
    if bad[0] >= 0:
        raise _damaged(leads, coded[bad[0]].count, "the bits of a lead don't end where it does")
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


def _parts(rows: Sequence[bytes], leads: int, counts: Sequence[int]) -> Iterable[_Part]:
    total, begun, at = sum(counts), 0, 0
    for row, count in zip(rows, counts, strict=True):
        place, sizes = _head(row, leads, count)
        for lead, size in enumerate(sizes):
            yield _Part(begun + place, begun + place + size, count, lead * total + at)
            place += size
        begun += len(row)
        at += count


def _head(row: bytes, leads: int, count: int) -> tuple[int, list[int]]:
    """Where the first lead begins, and the size of each; they fill the row."""
    if len(row) < _CHECKSUM.size or _checksum(memoryview(row)[4:], leads, count) != _CHECKSUM.unpack_from(row)[0]:
        raise _damaged(leads, count, "its checksum differs")
    place, sizes = _CHECKSUM.size, []
    for _ in range(leads):
        size = shift = 0
        more = True
        while more:
            if place == len(row):
                raise _damaged(leads, count, "it ends too early")
            size |= (row[place] & 127) << shift
            more = row[place] > 127
            shift += 7
            place += 1
        sizes.append(size)
    if place + sum(sizes) != len(row):
        raise _damaged(leads, count, "its leads don't fill it")
    return place, sizes


def _is_plain(part: _Part, data: NDArray[np.uint8], samples: NDArray[np.int16]) -> bool:
    """Whether a lead needs no decoding, being as it was or one value throughout; its samples are filled in then."""
    size = part.end - part.begin
    lead = samples.reshape(-1)[part.at : part.at + part.count]
    if size in {2 * part.count, _CONSTANT}:
        lead[:] = data[part.begin : part.end].view("<i2")
        return True
    if not _SMALLEST_CODED <= size < 2 * part.count:
        raise _damaged(len(samples), part.count, f"a lead of it takes {size} bytes")
    return False


def _checksum(told: bytes | memoryview, leads: int, count: int) -> int:
    return crc32(told, crc32(_SHAPE.pack(leads, count)))


def _damaged(leads: int, count: int, why: str) -> ValueError:
    shape = f"{leads} leads of {count} samples"
    return ValueError(f"a waveform row is damaged, or not of {shape} ({why}); restore the row from a backup")
