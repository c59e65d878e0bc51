"""Admin: how many there are of everything now; up to five minutes old, `as_of` tells of when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import APIRouter
from pydantic import TypeAdapter

from api.dependencies import ReadRooms, Rooms
from schemas import clock
from schemas.statistics import DeviceStatistics, ReportStatistics, UserStatistics
from storage import statistics
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/stats", tags=["Admin"], responses=documented(403))


@dataclass(frozen=True, slots=True)
class Stats:
    """Everything."""

    as_of: datetime
    users: UserStatistics
    devices: DeviceStatistics
    reports: ReportStatistics


@dataclass(frozen=True, slots=True)
class UserStats:
    """Users."""

    as_of: datetime
    users: UserStatistics


@dataclass(frozen=True, slots=True)
class DeviceStats:
    """Devices."""

    as_of: datetime
    devices: DeviceStatistics


@dataclass(frozen=True, slots=True)
class ReportStats:
    """Reports."""

    as_of: datetime
    reports: ReportStatistics


_STATS: Final = TypeAdapter(Stats)


@router.get("", summary="Overall statistics")
async def stats(caller: Admin, rooms: Rooms) -> Stats:
    return await _stats(rooms)


@router.get("/users", summary="User statistics")
async def user_stats(caller: Admin, rooms: Rooms) -> UserStats:
    all_stats = await _stats(rooms)
    return UserStats(all_stats.as_of, all_stats.users)


@router.get("/devices", summary="Device statistics")
async def device_stats(caller: Admin, rooms: Rooms) -> DeviceStats:
    all_stats = await _stats(rooms)
    return DeviceStats(all_stats.as_of, all_stats.devices)


@router.get("/reports", summary="Report statistics")
async def report_stats(caller: Admin, rooms: Rooms) -> ReportStats:
    all_stats = await _stats(rooms)
    return ReportStats(all_stats.as_of, all_stats.reports)


async def _stats(rooms: ReadRooms) -> Stats:
    """All four routes tell parts of one answer, so that their figures agree."""

    async def make() -> Stats:
        at = clock.now()
        async with rooms.database.transaction() as conn:
            return Stats(
                at,
                await statistics.user_statistics(conn, at),
                await statistics.device_statistics(conn, at),
                await statistics.report_statistics(conn, at),
            )

    return await rooms.answers.get("statistics:stats", _STATS, make)
