"""Metrics: a row per device and second (or every so many), written and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.pages import Page, PageRequest
from schemas.results import Results
from schemas.rhythms import NORMAL
from storage import pages
from storage.access import PEOPLE, Access
from storage.arrays import uuids
from storage.metrics_rows import VALUE_BY_COLUMN, MetricsRow, metrics_columns, metrics_row
from storage.pages import Key, Late, Listing
from storage.rows import fetch_one, given, where

OWN_COLUMNS: Final = sql.SQL("""
    m.metric_id, m.user_id, m.device_id, m.recording_id, m.heart_rate, m.pr_interval, m.qrs_duration, m.qtc_interval,
    m.st_segment, m.qrs_axis, m.arrhythmia_type, m.arrhythmia_confidence::float8 AS arrhythmia_confidence,
    m.raw_data_s3_path, m.recorded_at, m.rr_ms, m.qt_ms, m.qtc_ms, m.qtc_bazett_ms, m.qtc_framingham_ms,
    m.qtc_hodges_ms, m.st_mv, m.st80_mv, m.p_axis_deg, m.qrs_axis_deg, m.t_axis_deg, m.quality, m.engine_version,
    m.seconds, m.main_lead, m.lead_quality, m.lead_flags""")

_COLUMNS: Final = OWN_COLUMNS + sql.SQL(", r.leads AS recorded_leads")

_LEADS: Final = sql.SQL("LEFT JOIN recordings AS r ON r.recording_id = m.recording_id")

LATE_LEADS: Final = Late(
    columns=sql.SQL("page_rows.*, r.leads AS recorded_leads"),
    join=sql.SQL("LEFT JOIN recordings AS r ON r.recording_id = page_rows.recording_id"),
)

_LATE_ROW: Final = Late(
    columns=_COLUMNS,
    join=sql.SQL("""
        JOIN ecg_metrics AS m ON m.device_id = page_rows.device_id AND m.recorded_at = page_rows.recorded_at
        LEFT JOIN recordings AS r ON r.recording_id = m.recording_id"""),
)
"""Rows that are only walked past need not be read whole."""

_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class MetricsFilter:
    """Which metrics to list; None asks for all. The period is half-open."""

    user_id: UUID | None = None
    device_id: UUID | None = None
    arrhythmia_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None


async def write_metrics(
    conn: AsyncConnection, results: Results, owner: Mapping[UUID, UUID | None], every_s: int = 1
) -> None:
    """Store metrics; a second that is there already stays as it is. `owner` tells the user of each device.

    Of the seconds only those divisible by `every_s` are kept, whichever second came first, so that a replay gives the
    same rows; each stands for `every_s` seconds. A device's newest second that is not kept replaces the one before it.
    """
    if not results.metrics.size:
        return
    chosen = _chosen(results, every_s)
    if chosen.kept.size:
        await conn.execute(_KEEP, metrics_columns(results, chosen.kept, owner, every_s))
    if chosen.passing.size:
        await conn.execute(_REPLACE, metrics_columns(results, chosen.passing, owner, 1))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Positions of metrics."""

    kept: NDArray[Any]
    passing: NDArray[Any]


def _chosen(results: Results, every_s: int) -> _Chosen:
    """Which metrics go into the table, and which only replace a device's newest.

    In one order for all workers, so that two never wait for each other's rows.
    """
    start_us = results.metrics["window_start_us"]
    devices = uuids([source.device_bytes for source in results.sources]).view("S16")
    _, rank = np.unique(devices, return_inverse=True)
    device = rank[results.metrics["source"]]
    order = np.lexsort((start_us, device))
    is_kept = start_us[order] // 1_000_000 % every_s == 0
    is_newest = np.append(device[order][1:] != device[order][:-1], True)[: order.size]
    return _Chosen(order[is_kept], order[is_newest & ~is_kept])


def _inserting(into: str) -> sql.Composed:
    return sql.SQL("""
        INSERT INTO {into} ({names})
        SELECT {values}
        FROM unnest({arrays}) AS made ({given})
        ON CONFLICT """).format(
        into=sql.SQL(into),
        names=_NAMES,
        values=_listed(VALUE_BY_COLUMN.values()),
        arrays=_listed(f"%({name})s" for name in VALUE_BY_COLUMN),
        given=_listed(VALUE_BY_COLUMN),
    )


def _listed(terms: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, terms))


_NAMES: Final = _listed(VALUE_BY_COLUMN)
_KEEP: Final = _inserting("ecg_metrics") + sql.SQL("(device_id, recorded_at) DO NOTHING")
_REPLACE: Final = _inserting("ecg_metrics_latest") + sql.SQL("""(device_id) DO UPDATE
        SET ({names}) = ROW ({values})
        WHERE excluded.recorded_at > ecg_metrics_latest.recorded_at""").format(
    names=_NAMES, values=_listed(f"excluded.{name}" for name in VALUE_BY_COLUMN)
)


async def list_metrics(
    conn: AsyncConnection, access: Access, wanted: MetricsFilter, page: PageRequest
) -> Page[MetricsRow]:
    """The metrics that are kept, newest first."""
    of_many = access.role == "doctor" and wanted.user_id is None and wanted.device_id is None
    by_keys = of_many or page.offset > _WALKED_WHOLE
    listing = Listing(
        columns=sql.SQL("m.device_id, m.recorded_at") if by_keys else OWN_COLUMNS,
        source=_OF_PEOPLE.format(people=PEOPLE, wanted=_wanted(wanted)) if of_many else _TABLE,
        counted=_TABLE,
        where=where(access.clause("m.user_id"), _wanted(wanted)),
        order=(Key("m.recorded_at", "timestamptz"), Key("m.device_id", "uuid")),
        descending=True,
        late=_LATE_ROW if by_keys else LATE_LEADS,
    )
    return await pages.fetch(conn, metrics_row, listing, page, {**access.params, **asdict(wanted)})


_WALKED_WHOLE: Final = 500
"""So many rows are read whole to be walked past; for more it pays to read their keys and find the page's rows again."""

_NOT_NORMAL: Final = sql.SQL("m.arrhythmia_type <> {}").format(sql.Literal(NORMAL))
_TABLE: Final = sql.SQL("ecg_metrics AS m")


def _wanted(wanted: MetricsFilter) -> sql.Composed:
    return where(
        sql.SQL("true"),
        given(wanted.user_id, "m.user_id = %(user_id)s"),
        given(wanted.device_id, "m.device_id = %(device_id)s"),
        given(wanted.arrhythmia_type, "m.arrhythmia_type = %(arrhythmia_type)s"),
        # Said once more, so that the index of all labels but the usual one can be used.
        None if wanted.arrhythmia_type in (None, NORMAL) else _NOT_NORMAL,
        given(wanted.start, "m.recorded_at >= %(start)s"),
        given(wanted.end, "m.recorded_at < %(end)s"),
    )


_OF_PEOPLE: Final = sql.SQL("""unnest({people}) AS person (user_id)
    CROSS JOIN LATERAL (
        SELECT m.user_id, m.device_id, m.recorded_at, m.arrhythmia_type
        FROM ecg_metrics AS m
        WHERE m.user_id = person.user_id AND {wanted}
            AND (m.recorded_at, m.device_id) < (
                coalesce(%(page_after_0)s::timestamptz, 'infinity'),
                coalesce(%(page_after_1)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            )
        ORDER BY m.recorded_at DESC, m.device_id DESC
        LIMIT %(page_reach)s
    ) AS m""")
"""A doctor's list: the newest of each patient, instead of everybody's until enough of them are a patient's."""


async def metric(conn: AsyncConnection, access: Access, metric_id: UUID) -> MetricsRow:
    """One row by its id. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM (
            SELECT * FROM ecg_metrics
            UNION ALL
            SELECT * FROM ecg_metrics_latest
        ) AS m
        {leads}
        WHERE m.recorded_at >= %(at)s
            AND m.recorded_at < %(at)s + %(millisecond)s
            AND m.metric_id = %(metric_id)s
            AND {scope}
    """).format(columns=_COLUMNS, leads=_LEADS, scope=access.clause("m.user_id"))
    params = {**access.params, "metric_id": metric_id, "at": _time_of(metric_id), "millisecond": _MILLISECOND}
    row = await fetch_one(conn, metrics_row, query, params)
    if row is None:
        raise NotFound(f"no metrics {metric_id} among those you may see; list them with GET ecg/metrics")
    return row


def _time_of(metric_id: UUID) -> datetime:
    """The millisecond that an id names; an id that isn't ours names some year that no row is of."""
    return to_datetime(min(metric_id.int >> 80, 253_402_300_799_000) * 1000)


async def fastest_second(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int
) -> MetricsRow | None:
    """The first second of the device's highest heart rate in [start_us, end_us), None where none was measured."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_metrics AS m
        {leads}
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
            AND m.heart_rate_bpm IS NOT NULL AND {scope}
        ORDER BY m.heart_rate_bpm DESC, m.recorded_at
        LIMIT 1
    """).format(columns=_COLUMNS, leads=_LEADS, scope=access.clause("m.user_id"))
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return await fetch_one(conn, metrics_row, query, params)
