"""Protobuf messages made from numpy columns: a row is a message, and no Python runs for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Google's "Encoding" page: a field is a tag (number << 3 | type), then a varint (type 0), a size and so many bytes
# (type 2), or four bytes (type 5). Each function gives the bytes that one field has in every row.
_VARINT, _SIZED, _FOUR_BYTES = 0, 2, 5
_LONGEST: Final = 10
"""Bytes of the longest varint: 64 bits, 7 in each."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Bytes of shape (rows, width), of which a row has those where `there` is true."""

    data: NDArray[np.uint8]
    there: NDArray[np.bool_]


def varints(number: int, values: NDArray[Any], absent: NDArray[np.bool_] | None = None) -> Cells:
    """A field of integers, at least 0, as uint32, uint64 or an enum; not there in rows where `absent`."""
    return _unless(absent, _tagged(number, _VARINT, _varints(values.astype(np.uint64))))


def zigzags(number: int, values: NDArray[Any]) -> Cells:
    """A field of integers of any sign, as sint64."""
    signed = values.astype(np.int64)
    return varints(number, ((signed << 1) ^ (signed >> 63)).view(np.uint64))


def floats(number: int, values: NDArray[Any], absent: NDArray[np.bool_] | None = None) -> Cells:
    """A field of floats of 32 bits; not there in rows where `absent`."""
    data = np.ascontiguousarray(values, "<f4").view(np.uint8).reshape(-1, 4)
    return _unless(absent, _tagged(number, _FOUR_BYTES, Cells(data, np.ones(data.shape, np.bool_))))


def sized(number: int, cells: Cells) -> Cells:
    """A field that holds in each row a message, or packed values, of these bytes."""
    return _tagged(number, _SIZED, beside([_varints(cells.there.sum(axis=1, dtype=np.uint64)), cells]))


def chosen(kinds: Sequence[bytes], choice: NDArray[Any]) -> Cells:
    """In each row the fields, encoded already, at its position of `kinds`."""
    width = max(map(len, kinds), default=0)
    padded = np.frombuffer(b"".join(kind.ljust(width, b"\0") for kind in kinds), np.uint8).reshape(-1, width)
    sizes = np.array([len(kind) for kind in kinds])
    return Cells(padded[choice], np.arange(width) < sizes[choice][:, np.newaxis])


def beside(cells: Sequence[Cells]) -> Cells:
    """Fields of the same rows, one after the other."""
    return Cells(
        np.concatenate([each.data for each in cells], axis=1), np.concatenate([each.there for each in cells], axis=1)
    )


def with_size(number: int, data: bytes) -> bytes:
    """The field of one message or string, its tag and size before it."""
    sizes = [number << 3 | _SIZED, len(data)]
    return b"".join(map(_varint, sizes)) + data


def joined(cells: Cells) -> bytes:
    """The rows, one after the other."""
    return cells.data[cells.there].tobytes()


def split(cells: Cells, starts: Sequence[int]) -> list[bytes]:
    """The rows from each of `starts` (the first is 0, in order) up to the next."""
    data = joined(cells)
    ends = np.concatenate([[0], np.cumsum(cells.there.sum(axis=1))])
    cuts = [*ends[list(starts)].tolist(), len(data)]
    return [data[first:end] for first, end in pairwise(cuts)]


def _tagged(number: int, kind: int, cells: Cells) -> Cells:
    tag = np.frombuffer(_varint(number << 3 | kind), np.uint8)
    every = (len(cells.data), tag.size)
    return beside([Cells(np.broadcast_to(tag, every), np.broadcast_to(np.True_, every)), cells])


def _varints(values: NDArray[np.uint64]) -> Cells:
    """Groups of 7 bits, the lowest first; all but the last one of a value have the highest bit set."""
    groups = values[:, np.newaxis] >> np.arange(0, 7 * _LONGEST, 7, dtype=np.uint64)
    there = groups > 0
    there[:, 0] = True
    more = np.zeros(there.shape, np.uint8)
    more[:, :-1] = there[:, 1:] * np.uint8(0x80)
    used = max(1, int(there.any(axis=0).sum()))
    return Cells(((groups & np.uint64(0x7F)).astype(np.uint8) | more)[:, :used], there[:, :used])


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _unless(absent: NDArray[np.bool_] | None, cells: Cells) -> Cells:
    return cells if absent is None else Cells(cells.data, cells.there & ~absent[:, np.newaxis])
