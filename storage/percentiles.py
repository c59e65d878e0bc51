"""Percentiles of a device's figures, from how many seconds each of their bins was met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from storage.access import Access
from storage.dialects import View, between
from storage.rows import fetch_all

Figure = Literal["heart_rate", "qtc"]
Step = Literal["1h", "1day"]

SHARES: Final = (5, 25, 50, 75, 95)

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US


@dataclass(frozen=True, slots=True)
class _Bins:
    """Where a figure is counted: its column, how wide a bin is, and how a row's is told (as migration 0015 does)."""

    column: str
    width: float
    bin: str
    hours: View
    days: View


_BINS: Final[dict[Figure, _Bins]] = {
    "heart_rate": _Bins("heart_rate_bpm", 1, "floor(m.heart_rate_bpm)", "heart_rate_bins_1h", "heart_rate_bins_1day"),
    "qtc": _Bins("qtc_ms", 5, "floor(m.qtc_ms / 5)", "qtc_bins_1h", "qtc_bins_1day"),
}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What 5, 25, 50, 75 and 95 per cent of `seconds` seconds lay below; right to the width of a bin.

    Heart rate per minute in bins of 1, QTc (Fridericia) ms in bins of 5.
    """

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    seconds: int


@dataclass(frozen=True, slots=True)
class PercentilePoint:
    """One hour or day, from `at` on."""

    at: datetime
    percentiles: Percentiles


@dataclass(frozen=True, slots=True)
class _Count:
    bin: int
    seconds: int


@dataclass(frozen=True, slots=True)
class _Counts:
    at: datetime
    bins: list[int]
    seconds: list[int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a period and where it is read from; None is the rows themselves."""

    start_us: int
    end_us: int
    step: Step | None


def pieces(start_us: int, end_us: int) -> Iterator[Piece]:
    """[start_us, end_us) as whole days (of UTC), the whole hours beside them, and the rows of what is left."""
    yield from _split(start_us, end_us, (("1day", _DAY_US), ("1h", _HOUR_US)))


def _split(start_us: int, end_us: int, steps: Sequence[tuple[Step, int]]) -> Iterator[Piece]:
    if start_us >= end_us:
        return
    if not steps:
        yield Piece(start_us, end_us, None)
        return
    (step, length), *finer = steps
    first, last = -(-start_us // length) * length, end_us // length * length
    if first >= last:
        yield from _split(start_us, end_us, finer)
        return
    yield from _split(start_us, first, finer)
    yield Piece(first, last, step)
    yield from _split(last, end_us, finer)


async def percentiles(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, figure: Figure
) -> Percentiles | None:
    """Of the device's metrics in [start_us, end_us), None without any. A row counts for all its seconds."""
    bins = _BINS[figure]
    parts: list[sql.Composed] = []
    params: dict[str, object] = {**access.params, "device_id": device_id}
    for number, piece in enumerate(pieces(start_us, end_us)):
        names = f"start_{number}", f"end_{number}"
        params |= dict(zip(names, map(to_datetime, (piece.start_us, piece.end_us)), strict=True))
        if piece.step is None:
            parts.append(_of_rows(access, bins, *names))
        else:
            view = bins.hours if piece.step == "1h" else bins.days
            parts.append(_of_buckets(access, await between(conn, view, *names)))
    if not parts:
        return None
    query = sql.SQL("""
        SELECT b.bin, sum(b.seconds)::bigint AS seconds
        FROM (
            {parts}
        ) AS b
        GROUP BY b.bin
        ORDER BY b.bin
    """).format(parts=sql.SQL("\n            UNION ALL\n            ").join(parts))
    found = await fetch_all(conn, _Count, query, params)
    return _percentiles([each.bin for each in found], [each.seconds for each in found], bins.width)


async def percentile_trend(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, figure: Figure, step: Step
) -> list[PercentilePoint]:
    """Of each hour or day that begins in [start_us, end_us), in order; those without the figure are left out."""
    bins = _BINS[figure]
    query = sql.SQL("""
        SELECT
            b.bucket AS at,
            array_agg(b.bin ORDER BY b.bin) AS bins,
            array_agg(b.seconds ORDER BY b.bin) AS seconds
        FROM (
            SELECT b.bucket, b.bin, sum(b.seconds)::bigint AS seconds
            FROM {buckets} AS b
            WHERE b.device_id = %(device_id)s AND {scope}
            GROUP BY b.bucket, b.bin
        ) AS b
        GROUP BY b.bucket
        ORDER BY b.bucket
    """).format(
        buckets=await between(conn, bins.hours if step == "1h" else bins.days), scope=access.clause("b.user_id")
    )
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    found = await fetch_all(conn, _Counts, query, params)
    return [
        PercentilePoint(each.at, made)
        for each in found
        if (made := _percentiles(each.bins, each.seconds, bins.width)) is not None
    ]


def _of_buckets(access: Access, buckets: sql.Composed) -> sql.Composed:
    return sql.SQL("SELECT t.bin, t.seconds FROM {} AS t WHERE t.device_id = %(device_id)s AND {}").format(
        buckets, access.clause("t.user_id")
    )


def _of_rows(access: Access, bins: _Bins, start: str, end: str) -> sql.Composed:
    return sql.SQL("""SELECT least(greatest({bin}, 0), 1000)::integer AS bin, m.seconds::bigint AS seconds
            FROM ecg_metrics AS m
            WHERE m.device_id = %(device_id)s AND m.recorded_at >= {start} AND m.recorded_at < {end}
                AND {column} IS NOT NULL AND {scope}""").format(
        bin=sql.SQL(bins.bin),
        start=sql.Placeholder(start),
        end=sql.Placeholder(end),
        column=sql.Identifier("m", bins.column),
        scope=access.clause("m.user_id"),
    )


def _percentiles(bins: Sequence[int], seconds: Sequence[int], width: float) -> Percentiles | None:
    """As if the seconds of a bin lay in it evenly."""
    if not bins:
        return None
    passed = np.cumsum(np.asarray(seconds, np.int64))
    wanted = np.array(SHARES) / 100 * passed[-1]
    found = np.searchsorted(passed, wanted)
    before = passed[found] - np.asarray(seconds)[found]
    values = (np.asarray(bins)[found] + (wanted - before) / np.asarray(seconds)[found]) * width
    p5, p25, p50, p75, p95 = values.tolist()
    return Percentiles(p5, p25, p50, p75, p95, int(passed[-1]))
