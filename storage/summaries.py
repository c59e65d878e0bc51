"""Summaries of a device's metrics: of one period, and bucket by bucket as a trend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from storage.access import Access
from storage.rows import fetch_all

Step = Literal["1min", "1h", "1day"]

_VIEW_BY_STEP: Final[dict[Step, str]] = {"1min": "metrics_1min", "1h": "metrics_1h", "1day": "metrics_1day"}


@dataclass(frozen=True, slots=True)
class LabelShare:
    """For how many seconds a label stood; None is "nothing could be said"."""

    label: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class MetricsSummary:
    """A period's metrics; None = not measurable in it. Rates per minute, intervals ms, axis in [-180, 180) degrees.

    `seconds` counts the seconds with metrics; `labels` are sorted by their share, the largest first.
    """

    heart_rate_mean: float | None
    heart_rate_min: float | None
    heart_rate_max: float | None
    pr_mean_ms: float | None
    qrs_mean_ms: float | None
    qt_mean_ms: float | None
    qtc_mean_ms: float | None
    st_mv: float | None
    qrs_axis_deg: float | None
    quality_mean: float | None
    seconds: int
    labels: list[LabelShare]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One bucket of a trend, from `at` on."""

    at: datetime
    seconds: int
    heart_rate_mean: float | None
    heart_rate_min: float | None
    heart_rate_max: float | None
    quality_mean: float


@dataclass(frozen=True, slots=True)
class _Means:
    heart_rate_mean: float | None
    heart_rate_min: float | None
    heart_rate_max: float | None
    pr_mean_ms: float | None
    qrs_mean_ms: float | None
    qt_mean_ms: float | None
    qtc_mean_ms: float | None
    st_mv: float | None
    qrs_axis_deg: float | None
    quality_mean: float | None
    seconds: int


async def summarise(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> MetricsSummary:
    """The device's metrics of [start_us, end_us), from the rows themselves, so it is exact at once."""
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    means = sql.SQL("""
        SELECT
            avg(m.heart_rate_bpm) AS heart_rate_mean,
            min(m.heart_rate_bpm) AS heart_rate_min,
            max(m.heart_rate_bpm) AS heart_rate_max,
            avg(m.pr_ms) AS pr_mean_ms,
            avg(m.qrs_ms) AS qrs_mean_ms,
            avg(m.qt_ms) AS qt_mean_ms,
            avg(m.qtc_ms) AS qtc_mean_ms,
            avg(m.st_mv) AS st_mv,
            atan2d(avg(sind(m.qrs_axis_deg)), avg(cosd(m.qrs_axis_deg))) AS qrs_axis_deg,
            avg(m.quality) AS quality_mean,
            count(*) AS seconds
        FROM ecg_metrics AS m
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s AND {scope}
    """).format(scope=access.clause("m.user_id"))
    [row] = await fetch_all(conn, _Means, means, params)
    labels = sql.SQL("""
        SELECT m.arrhythmia_type AS label, count(*) AS seconds
        FROM ecg_metrics AS m
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s AND {scope}
        GROUP BY m.arrhythmia_type
        ORDER BY seconds DESC, label
    """).format(scope=access.clause("m.user_id"))
    shares = await fetch_all(conn, LabelShare, labels, params)
    named = {name: getattr(row, name) for name in _Means.__slots__}
    return MetricsSummary(**named, labels=shares)


async def trend(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, step: Step
) -> list[TrendPoint]:
    """Buckets that begin in [start_us, end_us), in order; those without metrics are left out."""
    query = sql.SQL("""
        SELECT
            t.bucket AS at,
            sum(t.seconds)::bigint AS seconds,
            sum(t.heart_rate_sum) / nullif(sum(t.heart_rate_count), 0)::float8 AS heart_rate_mean,
            min(t.heart_rate_min) AS heart_rate_min,
            max(t.heart_rate_max) AS heart_rate_max,
            sum(t.quality_sum) / sum(t.seconds)::float8 AS quality_mean
        FROM {view} AS t
        WHERE t.device_id = %(device_id)s AND t.bucket >= %(start)s AND t.bucket < %(end)s AND {scope}
        GROUP BY t.bucket
        ORDER BY t.bucket
    """).format(view=sql.Identifier(_VIEW_BY_STEP[step]), scope=access.clause("t.user_id"))
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_all(conn, TrendPoint, query, params)
