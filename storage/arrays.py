"""Columns as PostgreSQL arrays in the server's binary format, made by numpy without a call for each value."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER: Final = struct.Struct("!iiIii")  # dimensions, whether some are NULL, type of the elements, length, first index
_SIZE: Final = struct.Struct("!i")
_NULL: Final = _SIZE.pack(-1)
_EPOCH_US: Final = 946_684_800_000_000
"""PostgreSQL counts microseconds from the year 2000."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of PostgreSQL: its number, its array's, and how an element is stored (None: as long as each one is)."""

    oid: int
    array_oid: int
    stored: np.dtype[Any] | None


SMALLINT: Final = Kind(21, 1005, np.dtype(">i2"))
INTEGER: Final = Kind(23, 1007, np.dtype(">i4"))
BIGINT: Final = Kind(20, 1016, np.dtype(">i8"))
FLOAT8: Final = Kind(701, 1022, np.dtype(">f8"))
UUIDS: Final = Kind(2950, 2951, np.dtype("V16"))
TIMESTAMPTZ: Final = Kind(1184, 1185, np.dtype(">i8"))
TEXT: Final = Kind(25, 1009, None)
BYTEA: Final = Kind(17, 1001, None)


@dataclass(frozen=True, slots=True)
class Column:
    """A parameter that the driver sends as an array: `values`, NULL where `absent`.

    Texts and bytes come as a list, in which None is NULL; everything else as a numpy array.
    """

    kind: Kind
    values: Sequence[Any] | NDArray[Any]
    absent: NDArray[np.bool_] | None = None


def figures(values: NDArray[Any]) -> Column:
    """Floats, NaN as NULL."""
    return Column(FLOAT8, values, np.isnan(values))


def whole(values: NDArray[Any]) -> Column:
    """Floats rounded to integers (half to even), NaN as NULL."""
    absent = np.isnan(values)
    return Column(INTEGER, np.rint(np.where(absent, 0, values)), absent)


def positions(values: NDArray[Any]) -> Column:
    """Sample positions, -1 as NULL."""
    return Column(BIGINT, values, values < 0)


def moments(at_us: NDArray[Any]) -> Column:
    """Microseconds since 1970 as timestamptz."""
    return Column(TIMESTAMPTZ, np.asarray(at_us, np.int64) - _EPOCH_US)


def uuids(values: Sequence[bytes | None]) -> NDArray[Any]:
    """16 bytes each, as an array to index and to sort by; None becomes zeros."""
    return np.frombuffer(b"".join([value or bytes(16) for value in values]), "V16")


def encoded(column: Column) -> bytes:
    """The array as PostgreSQL sends and receives it (array_recv; the same in every version since 7.4)."""
    count = len(column.values)
    if not count:
        return _HEADER.pack(0, 0, column.kind.oid, 0, 0)[:12]
    body, has_null = _of_any_size(column) if column.kind.stored is None else _of_one_size(column, column.kind.stored)
    return _HEADER.pack(1, has_null, column.kind.oid, count, 1) + body


def _of_one_size(column: Column, stored: np.dtype[Any]) -> tuple[bytes, bool]:
    rows = np.empty(len(column.values), [("size", ">i4"), ("value", stored)])
    rows["size"], rows["value"] = stored.itemsize, column.values
    absent = column.absent
    if absent is None or not absent.any():
        return rows.tobytes(), False
    rows["size"][absent] = -1
    flat = rows.view(np.uint8).reshape(len(rows), -1)
    sent = np.ones(flat.shape, np.bool_)
    sent[absent, _SIZE.size :] = False
    return flat[sent].tobytes(), True


def _of_any_size(column: Column) -> tuple[bytes, bool]:
    element = _text if column.kind is TEXT else _bytes
    return b"".join(map(element, column.values)), None in column.values


@lru_cache(maxsize=16_384)
def _text(value: str | None) -> bytes:
    return _NULL if value is None else _bytes(value.encode())


def _bytes(value: bytes) -> bytes:
    return _SIZE.pack(len(value)) + value


class _ColumnDumper(Dumper):
    """Told to psycopg once: a Column is sent in binary, as the array type of its kind."""

    format = Format.BINARY

    def get_key(self, obj: Column, format: Any) -> Any:  # noqa: A002  # psycopg's name; its key's type knows only types, and takes anything hashable
        return (self.cls, obj.kind.array_oid)

    def upgrade(self, obj: Column, format: Any) -> _ColumnDumper:  # noqa: A002  # as above
        dumper = _ColumnDumper(self.cls)
        dumper.oid = obj.kind.array_oid
        return dumper

    def dump(self, obj: Column) -> Buffer:
        return encoded(obj)


psycopg.adapters.register_dumper(Column, _ColumnDumper)
