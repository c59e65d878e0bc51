"""Metrics: a device's vital figures, once a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import After, Paging, Rooms, Witness
from api.moments import Moment, Period, period
from schemas import clock
from schemas.errors import Malformed
from schemas.pages import MAX_LIMIT, Cursor, Page, PageRequest
from storage import metrics, metrics_latest, percentiles, summaries
from storage.access import for_caller
from storage.metrics import MetricsFilter
from storage.metrics_latest import LatestFilter
from storage.metrics_rows import MetricsRow
from storage.percentiles import PercentilePoint, Percentiles
from storage.summaries import TrendPoint
from web.callers import Person
from web.problems import documented

router = APIRouter(prefix="/ecg/metrics", tags=["Metrics"])

_LIVE_S: Final = 60


@dataclass(frozen=True, slots=True)
class LatestMetrics:
    """The newest metrics of each device, newest first; `next` is the cursor of further devices, if there are any."""

    items: list[MetricsRow]
    next: Cursor = None


@router.get("", summary="Metrics, newest first")
async def list_metrics(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    arrhythmia_type: Annotated[str | None, Query(pattern=r"^[^\x00]{1,100}$", examples=["Sinus Tachycardia"])] = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> Page[MetricsRow]:
    wanted = MetricsFilter(
        user_id=user_id,
        device_id=device_id,
        arrhythmia_type=arrhythmia_type,
        start=None if start is None else clock.to_datetime(start),
        end=None if end is None else clock.to_datetime(end),
    )
    async with rooms.database.transaction() as conn:
        found = await metrics.list_metrics(conn, for_caller(caller), wanted, page)
    if found.items:
        witness.saw(caller, "metrics.read", device_id or user_id or "all", user_id)
    return found


@router.get(
    "/latest",
    summary="The newest metrics of each device",
    description=f"Of any age for one user or device; else of the last {_LIVE_S} s, unless `since` says otherwise.",
)
async def latest(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Devices per answer")] = 50,
    after: After = None,
) -> LatestMetrics:
    oldest = None if since is None else clock.to_datetime(since)
    if oldest is None and user_id is None and device_id is None:
        oldest = clock.now() - timedelta(seconds=_LIVE_S)
    async with rooms.database.transaction() as conn:
        wanted = LatestFilter(user_id, device_id, oldest)
        found = await metrics_latest.latest_page(conn, for_caller(caller), wanted, PageRequest(1, limit, after))
    if found.items:
        witness.saw(caller, "metrics.read", device_id or user_id or "all", user_id)
    return LatestMetrics(found.items, found.next)


@dataclass(frozen=True, slots=True)
class Trend:
    """Buckets with metrics, in order of time."""

    items: list[TrendPoint]


@dataclass(frozen=True, slots=True)
class PercentileTrend:
    """Of the whole period (null without the figure in it), and of each hour or day that begins in it."""

    whole: Percentiles | None
    items: list[PercentilePoint]


_LONGEST: Final[dict[summaries.Step, timedelta]] = {
    "1min": timedelta(days=1), "1h": timedelta(days=31), "1day": timedelta(days=366),
}  # fmt: skip
"""Up to some thousand points: what a chart can show, and the database adds up in a few milliseconds."""


@router.get(
    "/trend",
    summary="Heart rate and quality of each minute, hour or day that begins in [start, end)",
    description="By minutes of up to a day, by hours of up to 31, by days of up to 366.",
)
async def list_trend(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    device_id: UUID,
    start: Moment,
    end: Moment,
    step: summaries.Step = "1h",
) -> Trend:
    span = _no_longer_than(period(start, end), step)
    async with rooms.database.transaction() as conn:
        found = await summaries.trend(conn, for_caller(caller), device_id, span.start_us, span.end_us, step)
    if found:
        witness.saw(caller, "metrics.read", device_id)
    return Trend(found)


@router.get(
    "/percentiles",
    summary="5th, 25th, 50th, 75th and 95th percentile of heart rate or QTc in [start, end)",
    description="Right to 1/min (heart rate) and 5 ms (QTc). By hours of up to 31 days, by days of up to 366.",
)
async def list_percentiles(
    caller: Person,
    rooms: Rooms,
    witness: Witness,
    device_id: UUID,
    start: Moment,
    end: Moment,
    figure: percentiles.Figure = "heart_rate",
    step: percentiles.Step = "1h",
) -> PercentileTrend:
    span = _no_longer_than(period(start, end), step)
    asked = for_caller(caller), device_id, span.start_us, span.end_us, figure
    async with rooms.database.transaction() as conn:
        whole = await percentiles.percentiles(conn, *asked)
        points = await percentiles.percentile_trend(conn, *asked, step)
    if whole is not None:
        witness.saw(caller, "metrics.read", device_id)
    return PercentileTrend(whole, points)


def _no_longer_than(span: Period, step: summaries.Step) -> Period:
    longest = _LONGEST[step]
    if span.end_us - span.start_us > longest // timedelta(microseconds=1):
        raise Malformed(
            f"the period is over {longest.days} days, too long by {step}; ask for a shorter one, or by longer steps"
        )
    return span


@router.get("/{metric_id}", summary="The metrics of one second", responses=documented(404))
async def metric(metric_id: UUID, caller: Person, rooms: Rooms, witness: Witness) -> MetricsRow:
    async with rooms.database.transaction() as conn:
        found = await metrics.metric(conn, for_caller(caller), metric_id)
    witness.saw(caller, "metrics.read", found.device_id, found.user_id)
    return found
