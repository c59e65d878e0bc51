"""Burden: ectopic beats of each hour or day, and in which groups they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.burden import DayBurden, EctopicGroups, Ectopy, HourBurden, percent
from schemas.clock import to_datetime
from storage.access import Access
from storage.dialects import View, between
from storage.rows import fetch_all

_HOUR_US: Final = 3_600_000_000
_SAME_MS: Final = 20.0
"""An RR reaches back to the ectopic beat before it, or else to a beat between: no two beats are so close."""


@dataclass(frozen=True, slots=True)
class GroupCount:
    """The groups of one class that begin in the hour from `bucket` on."""

    bucket: datetime
    beat_class: Literal["S", "V"]
    couplets: int
    runs: int


@dataclass(frozen=True, slots=True)
class _Counted:
    bucket: datetime
    beats: int
    supraventricular: int
    ventricular: int
    fusion: int
    unknown: int


async def hourly_burden(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[HourBurden]:
    """The device's hours (of UTC) that begin in [start_us, end_us), in order; those without a beat are left out."""
    start_us, end_us = (-(-moment // _HOUR_US) * _HOUR_US for moment in (start_us, end_us))
    hours = await _counted(conn, access, device_id, start_us, end_us, "beats_1h")
    groups = await ectopic_groups(conn, access, device_id, start_us, end_us)
    by_hour = {(group.bucket, group.beat_class): EctopicGroups(group.couplets, group.runs) for group in groups}
    none = EctopicGroups()
    return [
        _burden(hour, by_hour.get((hour.bucket, "S"), none), by_hour.get((hour.bucket, "V"), none)) for hour in hours
    ]


async def daily_burden(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[DayBurden]:
    """The device's days (of UTC) that begin in [start_us, end_us), in order; those without a beat are left out."""
    return [
        DayBurden(
            at=day.bucket,
            beats=day.beats,
            supraventricular=day.supraventricular,
            ventricular=day.ventricular,
            fusion=day.fusion,
            unknown=day.unknown,
            supraventricular_percent=percent(day.supraventricular, day.beats),
            ventricular_percent=percent(day.ventricular, day.beats),
        )
        for day in await _counted(conn, access, device_id, start_us, end_us, "beats_1day")
    ]


async def _counted(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, view: View
) -> list[_Counted]:
    query = sql.SQL("""
        SELECT
            h.bucket,
            sum(h.beats)::bigint AS beats,
            sum(h.supraventricular)::bigint AS supraventricular,
            sum(h.ventricular)::bigint AS ventricular,
            sum(h.fusion)::bigint AS fusion,
            sum(h.unknown)::bigint AS unknown
        FROM {buckets} AS h
        JOIN recordings AS r ON r.recording_id = h.recording_id
        WHERE {scope} AND h.device_id = %(device_id)s
        GROUP BY h.bucket
        ORDER BY h.bucket
    """).format(buckets=await between(conn, view), scope=access.clause("r.user_id"))
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_all(conn, _Counted, query, params)


def _burden(hour: _Counted, supraventricular: EctopicGroups, ventricular: EctopicGroups) -> HourBurden:
    ectopy = Ectopy(
        beats=hour.beats,
        supraventricular=hour.supraventricular,
        ventricular=hour.ventricular,
        fusion=hour.fusion,
        unknown=hour.unknown,
        supraventricular_groups=supraventricular,
        ventricular_groups=ventricular,
        supraventricular_percent=percent(hour.supraventricular, hour.beats),
        ventricular_percent=percent(hour.ventricular, hour.beats),
    )
    return HourBurden(hour.bucket, ectopy)


_GROUPS: Final = sql.SQL("""
    WITH ectopic AS (
        SELECT
            b.recording_id, b.beat_class, b.r_index, b.beat_at,
            (
                b.beat_class = lag(b.beat_class) OVER following
                AND abs((b.r_index - lag(b.r_index) OVER following) * 1000 / r.rate_hz - b.rr_ms) < %(same_ms)s
            ) IS NOT TRUE AS begins
        FROM ecg_beats AS b
        JOIN recordings AS r ON r.recording_id = b.recording_id
        WHERE {scope}
            AND b.device_id = %(device_id)s
            AND b.beat_at >= %(start)s
            AND b.beat_at < %(end)s
            AND b.beat_class IN ('S', 'V')
        WINDOW following AS (PARTITION BY b.recording_id ORDER BY b.r_index)
    ),
    numbered AS (
        SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY recording_id ORDER BY r_index) AS number
        FROM ectopic
    ),
    grouped AS (
        SELECT beat_class, min(beat_at) AS began_at, count(*) AS beats
        FROM numbered
        GROUP BY recording_id, number, beat_class
    )
    SELECT
        date_bin('1 hour', began_at, 'epoch') AS bucket,
        beat_class,
        count(*) FILTER (WHERE beats = 2) AS couplets,
        count(*) FILTER (WHERE beats > 2) AS runs
    FROM grouped
    WHERE beats > 1
    GROUP BY bucket, beat_class
    ORDER BY bucket, beat_class
""")


async def ectopic_groups(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> list[GroupCount]:
    """Couplets and runs among the device's ectopic beats in [start_us, end_us), by hour and class.

    Reads no beat but the ectopic ones: one follows another of its recording directly when its RR reaches back to it.
    """
    query = _GROUPS.format(scope=access.clause("r.user_id"))
    params = {
        **access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us),
        "same_ms": _SAME_MS,
    }  # fmt: skip
    return await fetch_all(conn, GroupCount, query, params)
