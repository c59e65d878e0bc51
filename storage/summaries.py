"""Summaries of a device's metrics: of one period, and bucket by bucket as a trend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from storage.access import Access
from storage.dialects import View, between
from storage.rows import fetch_all

Step = Literal["1min", "1h", "1day"]

_VIEW_BY_STEP: Final[dict[Step, View]] = {"1min": "metrics_1min", "1h": "metrics_1h", "1day": "metrics_1day"}
_LENGTH_BY_STEP_S: Final[dict[Step, int]] = {"1min": 60, "1h": 3600, "1day": 86_400}


@dataclass(frozen=True, slots=True)
class LabelShare:
    """For how many seconds a label stood; None is "nothing could be said"."""

    label: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class PeriodMeans:
    """Means of a period, every second weighing alike; None = not measurable in it.

    Rates per minute, intervals ms, levels mV, axes in [-180, 180] degrees. `seconds` counts the seconds with metrics.
    """

    heart_rate_mean: float | None
    heart_rate_min: float | None
    heart_rate_max: float | None
    pr_mean_ms: float | None
    qrs_mean_ms: float | None
    qt_mean_ms: float | None
    qtc_mean_ms: float | None
    qtc_bazett_mean_ms: float | None
    qtc_framingham_mean_ms: float | None
    qtc_hodges_mean_ms: float | None
    st_mv: float | None
    st80_mv: float | None
    p_axis_deg: float | None
    qrs_axis_deg: float | None
    t_axis_deg: float | None
    quality_mean: float | None
    seconds: int


@dataclass(frozen=True, slots=True)
class MetricsSummary:
    """A period's metrics; `labels` are sorted by their share, the largest first."""

    means: PeriodMeans
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


_COUNTED: Final = sql.SQL("""
            SELECT
                m.*,
                m.recorded_at >= %(start)s AS inside,
                greatest(0, least(m.seconds, ceil(extract(epoch FROM %(end)s - m.recorded_at)))
                    - greatest(0, ceil(extract(epoch FROM %(start)s - m.recorded_at))))::bigint AS weight
            FROM ecg_metrics AS m
            WHERE m.device_id = %(device_id)s
                AND m.recorded_at < %(end)s
                AND m.recorded_at > %(start)s - interval '1 hour' -- no row stands for more
                AND m.recorded_at + m.seconds * interval '1 second' > %(start)s
                AND {scope}""")
"""Rows, and how many of the seconds that each stands for begin in the period.

A row from before the period tells that there was a signal at its start. Its figures are older than the period, so
they are none of it: only those of rows `inside` are.
"""

_COLUMN_BY_MEAN: Final = {
    "heart_rate_mean": "heart_rate_bpm", "pr_mean_ms": "pr_ms", "qrs_mean_ms": "qrs_ms", "qt_mean_ms": "qt_ms",
    "qtc_mean_ms": "qtc_ms", "qtc_bazett_mean_ms": "qtc_bazett_ms", "qtc_framingham_mean_ms": "qtc_framingham_ms",
    "qtc_hodges_mean_ms": "qtc_hodges_ms", "st_mv": "st_mv", "st80_mv": "st80_mv", "quality_mean": "quality",
}  # fmt: skip
_AXES: Final = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")


async def summarise(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> MetricsSummary:
    """The device's metrics of [start_us, end_us), from the rows themselves, so it is exact at once."""
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    counted = _COUNTED.format(scope=access.clause("m.user_id"))
    means = sql.SQL("""
        SELECT
            {means},
            {axes},
            min(c.heart_rate_bpm) FILTER (WHERE c.inside) AS heart_rate_min,
            max(c.heart_rate_bpm) FILTER (WHERE c.inside) AS heart_rate_max,
            coalesce(sum(c.weight), 0)::bigint AS seconds
        FROM ({counted}
        ) AS c
    """).format(
        means=sql.SQL(",\n            ").join(map(_mean, _COLUMN_BY_MEAN)),
        axes=sql.SQL(",\n            ").join(map(_direction, _AXES)),
        counted=counted,
    )
    [row] = await fetch_all(conn, PeriodMeans, means, params)
    labels = sql.SQL("""
        SELECT c.arrhythmia_type AS label, sum(c.weight)::bigint AS seconds
        FROM ({counted}
        ) AS c
        WHERE c.inside
        GROUP BY c.arrhythmia_type
        ORDER BY seconds DESC, label
    """).format(counted=counted)
    return MetricsSummary(row, await fetch_all(conn, LabelShare, labels, params))


def _mean(name: str) -> sql.Composed:
    return sql.SQL("""sum({figure} * c.weight) FILTER (WHERE c.inside)
                / sum(c.weight) FILTER (WHERE c.inside AND {figure} IS NOT NULL)::float8 AS {name}""").format(
        figure=sql.SQL(f"c.{_COLUMN_BY_MEAN[name]}"), name=sql.SQL(name)
    )


def _direction(name: str) -> sql.Composed:
    """A mean that goes the short way round: of 170° and -170° it is 180°."""
    return sql.SQL("""atan2d(
                sum(sind({axis}) * c.weight) FILTER (WHERE c.inside),
                sum(cosd({axis}) * c.weight) FILTER (WHERE c.inside)
            ) AS {name}""").format(axis=sql.SQL(f"c.{name}"), name=sql.SQL(name))


async def trend(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, step: Step
) -> list[TrendPoint]:
    """Buckets that begin in [start_us, end_us), in order; those without metrics are left out.

    A row that stands for more than its bucket has left counts for that bucket alone, and for no more than its length.
    """
    query = sql.SQL("""
        SELECT
            t.bucket AS at,
            least(sum(t.seconds), {length_s})::bigint AS seconds,
            sum(t.heart_rate_sum) / nullif(sum(t.heart_rate_count), 0)::float8 AS heart_rate_mean,
            min(t.heart_rate_min) AS heart_rate_min,
            max(t.heart_rate_max) AS heart_rate_max,
            sum(t.quality_sum) / sum(t.seconds)::float8 AS quality_mean
        FROM {buckets} AS t
        WHERE t.device_id = %(device_id)s AND {scope}
        GROUP BY t.bucket
        ORDER BY t.bucket
    """).format(
        buckets=await between(conn, _VIEW_BY_STEP[step]),
        length_s=_LENGTH_BY_STEP_S[step],
        scope=access.clause("t.user_id"),
    )
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_all(conn, TrendPoint, query, params)
