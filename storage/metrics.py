"""Metrics: a row per device and second, in the seed system's columns with the exact figures beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.metrics import Metrics
from schemas.pages import Page, PageRequest
from storage.access import Access
from storage.rows import as_float, columns, fetch_all, fetch_one, fetch_page

_COLUMNS: Final = sql.SQL("""
    m.metric_id, m.user_id, m.device_id, m.recording_id, m.heart_rate, m.pr_interval, m.qrs_duration, m.qtc_interval,
    m.st_segment, m.qrs_axis, m.arrhythmia_type, m.arrhythmia_confidence::float8 AS arrhythmia_confidence,
    m.raw_data_s3_path, m.recorded_at, m.rr_ms, m.qt_ms, m.st_mv, m.quality, m.engine_version""")

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """A row of ecg_metrics under the seed system's names: intervals in whole ms, confidence 0 to 100."""

    metric_id: UUID
    user_id: UUID | None
    device_id: UUID
    recording_id: UUID
    heart_rate: int | None
    pr_interval: int | None
    qrs_duration: int | None
    qtc_interval: int | None
    st_segment: str | None
    qrs_axis: str | None
    arrhythmia_type: str | None
    arrhythmia_confidence: float
    raw_data_s3_path: str | None
    recorded_at: datetime
    rr_ms: float | None
    qt_ms: float | None
    st_mv: float | None
    quality: float
    engine_version: str


@dataclass(frozen=True, slots=True)
class MetricsFilter:
    """Which metrics to list; None asks for all. The period is half-open."""

    user_id: UUID | None = None
    device_id: UUID | None = None
    arrhythmia_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def metric_id(device_id: UUID, window_start_us: int) -> UUID:
    """The id of a device's second: 48 bits of Unix milliseconds, then a hash of the identity (RFC 9562 version 8).

    Because the id tells the time, a row is found by its id without an index of random keys as large as the table.
    """
    digest = hashlib.blake2b(device_id.bytes + window_start_us.to_bytes(8, "big", signed=True), digest_size=10).digest()
    number = (window_start_us // 1000) % 2**48 << 80 | int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return UUID(int=number & ~(3 << 62) | 2 << 62)


async def write_metrics(conn: AsyncConnection, metrics: Sequence[Metrics], owner: Mapping[UUID, UUID | None]) -> None:
    """Store metrics; a second that is there already stays as it is. `owner` tells the user of each device."""
    if not metrics:
        return
    ordered = sorted(metrics, key=lambda m: (m.device_id.bytes, m.window_start_us))
    query = """
        INSERT INTO ecg_metrics (
            metric_id, user_id, device_id, recording_id, heart_rate, pr_interval, qrs_duration, qtc_interval,
            st_segment, qrs_axis, arrhythmia_type, arrhythmia_confidence, recorded_at,
            heart_rate_bpm, rr_ms, pr_ms, qrs_ms, qt_ms, qtc_ms, st_mv, qrs_axis_deg, quality, engine_version
        )
        SELECT *
        FROM unnest(
            %(metric_id)s::uuid[], %(user_id)s::uuid[], %(device_id)s::uuid[], %(recording_id)s::uuid[],
            %(heart_rate)s::integer[], %(pr_interval)s::integer[], %(qrs_duration)s::integer[],
            %(qtc_interval)s::integer[],
            %(st_segment)s::text[], %(qrs_axis)s::text[], %(arrhythmia_type)s::text[],
            %(arrhythmia_confidence)s::numeric[], %(recorded_at)s::timestamptz[],
            %(heart_rate_bpm)s::float8[], %(rr_ms)s::float8[], %(pr_ms)s::float8[], %(qrs_ms)s::float8[],
            %(qt_ms)s::float8[], %(qtc_ms)s::float8[], %(st_mv)s::float8[], %(qrs_axis_deg)s::float8[],
            %(quality)s::float8[], %(engine_version)s::text[]
        )
        ON CONFLICT (device_id, recorded_at) DO NOTHING
    """
    await conn.execute(query, columns(_metrics_columns(m, owner.get(m.device_id)) for m in ordered))


async def list_metrics(
    conn: AsyncConnection, access: Access, wanted: MetricsFilter, page: PageRequest
) -> Page[MetricsRow]:
    """Metrics, newest first."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_metrics AS m
        WHERE {scope}
            AND (%(user_id)s::uuid IS NULL OR m.user_id = %(user_id)s)
            AND (%(device_id)s::uuid IS NULL OR m.device_id = %(device_id)s)
            AND (%(arrhythmia_type)s::text IS NULL OR m.arrhythmia_type = %(arrhythmia_type)s)
            AND m.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
            AND m.recorded_at < coalesce(%(end)s::timestamptz, 'infinity')
    """).format(columns=_COLUMNS, scope=access.clause("m.user_id"))
    params = {
        **access.params,
        "user_id": wanted.user_id,
        "device_id": wanted.device_id,
        "arrhythmia_type": wanted.arrhythmia_type,
        "start": wanted.start,
        "end": wanted.end,
    }
    return await fetch_page(conn, MetricsRow, query, sql.SQL("m.recorded_at DESC, m.device_id"), page, params)


async def latest_metrics(
    conn: AsyncConnection,
    access: Access,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    since: datetime | None = None,
) -> list[MetricsRow]:
    """The newest metrics of each device that is the caller's to see now, none older than `since`; newest first."""
    query = sql.SQL("""
        SELECT {columns}
        FROM devices AS d
        CROSS JOIN LATERAL (
            SELECT *
            FROM ecg_metrics AS n
            WHERE n.device_id = d.device_id
                AND n.user_id IS NOT DISTINCT FROM d.user_id
                AND n.recorded_at >= coalesce(%(since)s::timestamptz, '-infinity')
            ORDER BY n.recorded_at DESC
            LIMIT 1
        ) AS m
        WHERE {scope}
            AND (%(user_id)s::uuid IS NULL OR d.user_id = %(user_id)s)
            AND (%(device_id)s::uuid IS NULL OR d.device_id = %(device_id)s)
        ORDER BY m.recorded_at DESC, m.device_id
    """).format(columns=_COLUMNS, scope=access.clause("d.user_id"))
    params = {**access.params, "user_id": user_id, "device_id": device_id, "since": since}
    return await fetch_all(conn, MetricsRow, query, params)


async def metric(conn: AsyncConnection, access: Access, metric_id: UUID) -> MetricsRow:
    """One row by its id. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_metrics AS m
        WHERE m.recorded_at >= %(at)s
            AND m.recorded_at < %(at)s + %(millisecond)s
            AND m.metric_id = %(metric_id)s
            AND {scope}
    """).format(columns=_COLUMNS, scope=access.clause("m.user_id"))
    params = {**access.params, "metric_id": metric_id, "at": _time_of(metric_id), "millisecond": _MILLISECOND}
    row = await fetch_one(conn, MetricsRow, query, params)
    if row is None:
        raise NotFound(f"no metrics {metric_id} among those you may see; list them with GET ecg/metrics")
    return row


def _time_of(metric_id: UUID) -> datetime:
    """The millisecond that an id names; an id that isn't ours names some year that no row is of."""
    return to_datetime(min(metric_id.int >> 80, 253_402_300_799_000) * 1000)


def _metrics_columns(metrics: Metrics, user_id: UUID | None) -> dict[str, object]:
    return {
        "metric_id": metric_id(metrics.device_id, metrics.window_start_us),
        "user_id": user_id,
        "device_id": metrics.device_id,
        "recording_id": metrics.recording_id,
        "heart_rate": _whole(metrics.heart_rate_bpm),
        "pr_interval": _whole(metrics.pr_ms),
        "qrs_duration": _whole(metrics.qrs_ms),
        "qtc_interval": _whole(metrics.qtc_ms),
        "st_segment": None if metrics.st_mv is None else f"{metrics.st_mv:+.2f} mV",
        "qrs_axis": None if metrics.qrs_axis_deg is None else f"{metrics.qrs_axis_deg:.0f}°",
        "arrhythmia_type": metrics.arrhythmia_type,
        "arrhythmia_confidence": float(metrics.arrhythmia_confidence),
        "recorded_at": to_datetime(metrics.window_start_us),
        "heart_rate_bpm": as_float(metrics.heart_rate_bpm),
        "rr_ms": as_float(metrics.rr_ms),
        "pr_ms": as_float(metrics.pr_ms),
        "qrs_ms": as_float(metrics.qrs_ms),
        "qt_ms": as_float(metrics.qt_ms),
        "qtc_ms": as_float(metrics.qtc_ms),
        "st_mv": as_float(metrics.st_mv),
        "qrs_axis_deg": as_float(metrics.qrs_axis_deg),
        "quality": float(metrics.quality),
        "engine_version": metrics.engine_version,
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


async def fastest_second(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> MetricsRow | None:
    """The first second of the device's highest heart rate in [start_us, end_us), None where none was measured."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_metrics AS m
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
            AND m.heart_rate_bpm IS NOT NULL AND {scope}
        ORDER BY m.heart_rate_bpm DESC, m.recorded_at
        LIMIT 1
    """).format(columns=_COLUMNS, scope=access.clause("m.user_id"))
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_one(conn, MetricsRow, query, params)
