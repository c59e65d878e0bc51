"""Admin: what happened in each hour or day of a period; up to five minutes old, `as_of` tells of when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter

from api.dependencies import ReadRooms, Rooms
from api.moments import Moment
from schemas import clock
from schemas.errors import Malformed
from schemas.statistics import (
    ActivityPoint,
    BeatPoint,
    DevicePoint,
    LabelHours,
    RateShare,
    Reach,
    Recorder,
    ReportPoint,
    Share,
    UserPoint,
)
from storage import statistics_activity, statistics_people
from storage.database import Connection
from storage.statistics_activity import Span, Step
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/analytics", tags=["Admin"], responses=documented(403))

_LENGTH: Final[dict[Step, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_DEFAULT: Final[dict[Step, timedelta]] = {"hour": timedelta(days=1), "day": timedelta(days=30)}
_LONGEST: Final[dict[Step, timedelta]] = {"hour": timedelta(days=7), "day": timedelta(days=366)}
"""The database adds up a row for each device, hour (day) and label: of 5,000 devices some two million."""


@dataclass(frozen=True, slots=True)
class Period:
    """The hours or days of UTC that begin in [start, end)."""

    as_of: datetime
    start: datetime
    end: datetime
    step: Step


@dataclass(frozen=True, slots=True)
class Overview:
    """What was recorded and found in all, and in each hour or day that has something."""

    period: Period
    recorded: Reach
    activity: list[ActivityPoint]
    beats: list[BeatPoint]
    labels: list[LabelHours]
    heart_rates: list[RateShare]
    users: list[UserPoint]
    reports: list[ReportPoint]


@dataclass(frozen=True, slots=True)
class UserAnalytics:
    """Who came, who logged in, who recorded, and who recorded most."""

    period: Period
    points: list[UserPoint]
    most_recorded: list[Recorder]


@dataclass(frozen=True, slots=True)
class ReportAnalytics:
    """Reports by when they were asked for, their status and where they rest."""

    period: Period
    points: list[ReportPoint]
    by_status: list[Share]
    by_service: list[Share]


@dataclass(frozen=True, slots=True)
class DeviceAnalytics:
    """Which devices recorded for how long, and what."""

    period: Period
    recorded: Reach
    points: list[DevicePoint]
    heart_rates: list[RateShare]
    labels: list[LabelHours]


def _asked(
    start: Annotated[Moment | None, Query(description="Default: a day before `end` by hours, else 30 days")] = None,
    end: Annotated[Moment | None, Query(description="Default: now")] = None,
    step: Annotated[Step, Query(description="hour: of up to 7 days; day: of up to 366")] = "day",
) -> Period:
    """Raises Malformed for a period that is too long or ends before it starts."""
    at = clock.now()
    last = at if end is None else clock.to_datetime(end)
    first = last - _DEFAULT[step] if start is None else clock.to_datetime(start)
    if not timedelta(0) <= last - first <= _LONGEST[step]:
        raise Malformed(
            f"the period ends before it starts, or is over {_LONGEST[step].days} days, too long by {step}s; "
            "ask for a shorter one, or by days"
        )
    return Period(at, _floor(first, step), last, step)


Asked = Annotated[Period, Depends(_asked)]
Answer = TypeVar("Answer")


def _floor(at: datetime, step: Step) -> datetime:
    """The start of the hour or day of UTC that `at` lies in: parts of one have no row of their own."""
    length_us = _LENGTH[step] // timedelta(microseconds=1)
    return clock.to_datetime(clock.to_us(at) // length_us * length_us)


@router.get("/overview", summary="What was recorded and found")
async def overview(caller: Admin, rooms: Rooms, asked: Asked) -> Overview:
    async def make(conn: Connection, span: Span) -> Overview:
        return Overview(
            asked,
            await statistics_activity.reach(conn, span),
            await statistics_activity.activity(conn, span),
            await statistics_activity.beats(conn, span),
            await statistics_activity.labels(conn, span),
            await statistics_activity.rate_spread(conn, span),
            await statistics_people.user_points(conn, span),
            await statistics_people.report_points(conn, span),
        )

    return await _answer(rooms, "overview", asked, _OVERVIEW, make)


@router.get("/users", summary="New and active users")
async def users(caller: Admin, rooms: Rooms, asked: Asked) -> UserAnalytics:
    async def make(conn: Connection, span: Span) -> UserAnalytics:
        points = await statistics_people.user_points(conn, span)
        return UserAnalytics(asked, points, await statistics_activity.top_recorders(conn, span))

    return await _answer(rooms, "users", asked, _USERS, make)


@router.get("/reports", summary="Reports by status and service")
async def reports(caller: Admin, rooms: Rooms, asked: Asked) -> ReportAnalytics:
    async def make(conn: Connection, span: Span) -> ReportAnalytics:
        return ReportAnalytics(
            asked,
            await statistics_people.report_points(conn, span),
            await statistics_people.reports_by(conn, span, "upload_status"),
            await statistics_people.reports_by(conn, span, "cloud_service"),
        )

    return await _answer(rooms, "reports", asked, _REPORTS, make)


@router.get("/devices", summary="Devices, how long they recorded, and what")
async def devices(caller: Admin, rooms: Rooms, asked: Asked) -> DeviceAnalytics:
    async def make(conn: Connection, span: Span) -> DeviceAnalytics:
        return DeviceAnalytics(
            asked,
            await statistics_activity.reach(conn, span),
            await statistics_activity.device_points(conn, span),
            await statistics_activity.rate_spread(conn, span),
            await statistics_activity.labels(conn, span),
        )

    return await _answer(rooms, "devices", asked, _DEVICES, make)


_OVERVIEW: Final = TypeAdapter(Overview)
_USERS: Final = TypeAdapter(UserAnalytics)
_REPORTS: Final = TypeAdapter(ReportAnalytics)
_DEVICES: Final = TypeAdapter(DeviceAnalytics)


async def _answer(
    rooms: ReadRooms,
    name: str,
    asked: Period,
    kind: TypeAdapter[Answer],
    make: Callable[[Connection, Span], Awaitable[Answer]],
) -> Answer:
    async def made() -> Answer:
        async with rooms.database.transaction() as conn:
            return await make(conn, Span(asked.start, asked.end, asked.step))

    # A period that ends now ends a little later each time; by hours or days it is the same one.
    until = _floor(asked.end, asked.step) if asked.end == asked.as_of else asked.end
    key = f"statistics:{name}:{asked.step}:{clock.to_us(asked.start)}:{clock.to_us(until)}"
    return await rooms.answers.get(key, kind, made)
