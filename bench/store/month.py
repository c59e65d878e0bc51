"""A month of metrics of 5,000 devices: what each question of a dashboard costs, beside the same from the rows."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from bench.accuracy import tables
from bench.api import month as made
from schemas.clock import now, to_datetime, to_us
from schemas.history import AGGREGATES
from schemas.pages import PageRequest
from schemas.settings_store import DatabaseSettings
from storage import (
    alarms,
    burden,
    hrv,
    live,
    metrics,
    metrics_latest,
    percentiles,
    reports,
    rhythms,
    statistics,
    statistics_activity,
    statistics_people,
    summaries,
)
from storage.access import Access
from storage.alarms import AlarmFilter
from storage.database import reader, writer
from storage.metrics import MetricsFilter
from storage.metrics_latest import LatestFilter
from storage.migrate import migrate
from storage.policies import COLUMNSTORE
from storage.statistics_activity import Span

LIMIT_MS: Final = 20.0
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_FLEET_REPEATS: Final = 15
_RAW_REPEATS: Final = 5

Question = Callable[[AsyncConnection, "Asked"], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a question is about: a device and the doctor of its ward; `at` is when it is asked."""

    device_id: UUID
    doctor_id: UUID
    at: datetime

    def last(self, length: timedelta) -> tuple[UUID, int, int]:
        """The device and the period that ends now."""
        return self.device_id, to_us(self.at - length), to_us(self.at)

    @property
    def doctor(self) -> Access:
        return Access(self.doctor_id, "doctor")


@dataclass(frozen=True, slots=True)
class Cost:
    """How long a question took, over all the times it was asked."""

    question: str
    p50_ms: float
    p95_ms: float
    asked: int


_FIRST: Final = PageRequest(1, 30)
_OF_DEVICE: Final[dict[str, Question]] = {
    "the ward's newest seconds": lambda c, a: metrics_latest.latest_page(
        c, a.doctor, LatestFilter(since=a.at - _HOUR), PageRequest(1, 50)
    ),
    "the ward's live devices": lambda c, a: live.live_devices(c, a.doctor, a.at - _HOUR),
    "a device's newest second": lambda c, a: metrics_latest.latest_page(
        c, a.doctor, LatestFilter(device_id=a.device_id), PageRequest(1, 50)
    ),
    "seconds of the last hour": lambda c, a: metrics.list_metrics(
        c, a.doctor, MetricsFilter(device_id=a.device_id, start=a.at - _HOUR, end=a.at), PageRequest(1, 1000)
    ),
    "episodes": lambda c, a: rhythms.list_rhythms(c, a.doctor, *a.last(_DAY), _FIRST),
    "active alarms": lambda c, a: alarms.list_alarms(c, a.doctor, AlarmFilter(active=True), _FIRST),
    "reports": lambda c, a: reports.list_reports(c, a.doctor, _FIRST, device_id=a.device_id),
    "variability": lambda c, a: hrv.list_hrv(c, a.doctor, *a.last(_DAY), _FIRST),
    "a day by minutes": lambda c, a: summaries.trend(c, a.doctor, *a.last(_DAY), "1min"),
    "a week by hours": lambda c, a: summaries.trend(c, a.doctor, *a.last(7 * _DAY), "1h"),
    "a month by hours": lambda c, a: summaries.trend(c, a.doctor, *a.last(30 * _DAY), "1h"),
    "a month by days": lambda c, a: summaries.trend(c, a.doctor, *a.last(30 * _DAY), "1day"),
    "percentiles of a day": lambda c, a: percentiles.percentiles(c, a.doctor, *a.last(_DAY), "heart_rate"),
    "percentiles of a month": lambda c, a: percentiles.percentiles(c, a.doctor, *a.last(30 * _DAY), "heart_rate"),
    "percentiles of QTc, a month": lambda c, a: percentiles.percentiles(c, a.doctor, *a.last(30 * _DAY), "qtc"),
    "percentiles by hours, a day": lambda c, a: percentiles.percentile_trend(
        c, a.doctor, *a.last(_DAY), "heart_rate", "1h"
    ),
    "percentiles by hours, a week": lambda c, a: percentiles.percentile_trend(
        c, a.doctor, *a.last(7 * _DAY), "heart_rate", "1h"
    ),
    "percentiles by days, a month": lambda c, a: percentiles.percentile_trend(
        c, a.doctor, *a.last(30 * _DAY), "heart_rate", "1day"
    ),
    "ectopy by hours, a day": lambda c, a: burden.hourly_burden(c, a.doctor, *a.last(_DAY)),
    "ectopy by days, a month": lambda c, a: burden.daily_burden(c, a.doctor, *a.last(30 * _DAY)),
}
"""What the pages of a ward and of a patient ask."""

_FLEET: Final[dict[str, Callable[[AsyncConnection, Span], Awaitable[object]]]] = {
    "reach": statistics_activity.reach,
    "activity": statistics_activity.activity,
    "beats": statistics_activity.beats,
    "labels": statistics_activity.labels,
    "heart rates": statistics_activity.rate_spread,
    "top recorders": statistics_activity.top_recorders,
    "devices": statistics_activity.device_points,
    "users": statistics_people.user_points,
    "reports": statistics_people.report_points,
}
_COUNTS: Final = {
    "users, counted": statistics.user_statistics,
    "devices, counted": statistics.device_statistics,
    "reports, counted": statistics.report_statistics,
}
"""What the admin's pages ask, of all devices at once."""

_RAW: Final = {
    "a month by hours": b"""
        SELECT date_bin('1 hour', m.recorded_at, 'epoch'), sum(m.seconds), avg(m.heart_rate_bpm), min(m.heart_rate_bpm)
        FROM ecg_metrics AS m
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
        GROUP BY 1
        ORDER BY 1
    """,
    "percentiles of a month": b"""
        SELECT percentile_cont(ARRAY[.05, .25, .5, .75, .95]) WITHIN GROUP (ORDER BY m.heart_rate_bpm)
        FROM ecg_metrics AS m
        WHERE m.device_id = %(device_id)s AND m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
    """,
    "activity, a month by days": b"""
        SELECT
            date_bin('1 day', m.recorded_at, 'epoch'), count(DISTINCT m.user_id), count(DISTINCT m.device_id),
            sum(m.seconds), avg(m.heart_rate_bpm)
        FROM ecg_metrics AS m
        WHERE m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
        GROUP BY 1
        ORDER BY 1
    """,
    "labels, a month by days": b"""
        SELECT m.arrhythmia_type, sum(m.seconds)
        FROM ecg_metrics AS m
        WHERE m.recorded_at >= %(start)s AND m.recorded_at < %(end)s
        GROUP BY 1
    """,
}


async def settle(url: str) -> dict[str, float]:
    """As the policies leave it: compressed at its age, refreshed up to the newest whole bucket. Seconds of each."""
    spent_s: dict[str, float] = {}
    kept = DatabaseSettings.model_validate({}).kept()
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        # A refresh that the server's own jobs are at, too, would fail.
        await conn.execute("SELECT _timescaledb_functions.stop_background_workers()")
        for aggregate in AGGREGATES:
            began = time.perf_counter()
            query = "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz)"
            newest = -aggregate.bucket if aggregate.early else min(aggregate.bucket, _HOUR)
            await conn.execute(query, [aggregate.name, now() - newest])
            spent_s[f"refresh {aggregate.name}"] = round(time.perf_counter() - began, 1)
        for name in (*COLUMNSTORE, *(aggregate.name for aggregate in AGGREGATES)):
            began = time.perf_counter()
            query = "SELECT compress_chunk(c, true) FROM show_chunks(%s::regclass, older_than => %s::timestamptz) AS c"
            await conn.execute(query, [name, now() - (kept[name].compress_after or _DAY)])
            spent_s[f"compress {name}"] = round(time.perf_counter() - began, 1)
        await conn.execute("VACUUM (ANALYZE)")
    return spent_s


async def measure(url: str, month: made.Month, repeats: int) -> dict[str, Any]:
    """Every question as the api asks it, of random devices; the first answer of each is not counted."""
    database = reader(_settings(url))
    await database.open()
    drawn = random.Random(1)  # noqa: S311  # which devices, no secret
    async with database.transaction() as conn:
        at = await _end(conn)
        some = [_someone(month, drawn.randrange(1, month.users + 1), at) for _ in range(repeats + 1)]
        found = [await _cost(conn, name, question, some) for name, question in _OF_DEVICE.items()]
        found += [
            await _cost(conn, name, question, some[: _FLEET_REPEATS + 1]) for name, question in _fleet(at).items()
        ]
        raw = [await _cost(conn, name, _rows(text), some[: _RAW_REPEATS + 1]) for name, text in _RAW.items()]
    await database.close()
    return {"aggregates": [_told(each) for each in found], "rows": [_told(each) for each in raw]}


def _settings(url: str) -> DatabaseSettings:
    return DatabaseSettings.model_validate({"DATABASE_URL": url, "DATABASE_POOL_SIZE": 2, "DATABASE_MAX_OVERFLOW": 0})


def _someone(month: made.Month, number: int, at: datetime) -> Asked:
    doctor = (number - 1) // made.PATIENTS_OF_DOCTOR + 1
    return Asked(made.device_id(number), made.user_id(made.doctor(month, doctor)), at)


def _fleet(at: datetime) -> dict[str, Question]:
    today = datetime(at.year, at.month, at.day, tzinfo=UTC)
    month, day = Span(today - 30 * _DAY, at, "day"), Span(at.replace(minute=0) - _DAY, at, "hour")
    asked: dict[str, Question] = {name: _at_once(question, at) for name, question in _COUNTS.items()}
    for words, span in (("a month by days", month), ("a day by hours", day)):
        asked |= {f"{name}, {words}": _at_once(question, span) for name, question in _FLEET.items()}
    return asked


def _at_once(question: Callable[[AsyncConnection, Any], Awaitable[object]], given: object) -> Question:
    return lambda conn, _: question(conn, given)


def _rows(text: bytes) -> Question:
    async def ask(conn: AsyncConnection, asked: Asked) -> object:
        device_id, start_us, end_us = asked.last(30 * _DAY)
        params = {"device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
        return await (await conn.execute(text, params)).fetchall()

    return ask


async def _cost(conn: AsyncConnection, name: str, question: Question, asked: Sequence[Asked]) -> Cost:
    spent_ms: list[float] = []
    for each in asked:
        began = time.perf_counter()
        await question(conn, each)
        spent_ms.append(1000 * (time.perf_counter() - began))
    counted = sorted(spent_ms[1:])
    cost = Cost(name, counted[len(counted) // 2], counted[int(0.95 * (len(counted) - 1) + 0.5)], len(counted))
    print(f"{name}: p50 {cost.p50_ms:.1f} ms, p95 {cost.p95_ms:.1f} ms", file=sys.stderr)
    return cost


async def _end(conn: AsyncConnection) -> datetime:
    """Just after the newest second, so that a month that was made a while ago still ends now."""
    cursor = await conn.execute("SELECT max(recorded_at) + interval '1 second' FROM ecg_metrics")
    row = await cursor.fetchone()
    return row[0] if row else now()


def _told(cost: Cost) -> dict[str, object]:
    return {
        "question": cost.question, "p50_ms": round(cost.p50_ms, 2), "p95_ms": round(cost.p95_ms, 2),
        "asked": cost.asked, "within_20_ms": cost.p95_ms <= LIMIT_MS,
    }  # fmt: skip


def table(told: dict[str, Any]) -> str:
    """In Markdown: each question with its p50 and p95 in ms, and that of the rows where it was asked of them, too."""
    rows = {each["question"]: f"{each['p50_ms']:g}" for each in told["rows"]}
    found = [
        (each["question"], f"{each['p50_ms']:g}", f"{each['p95_ms']:g}", rows.get(each["question"], ""))
        for each in told["aggregates"]
    ]
    return tables.table(("question", "p50", "p95", "p50 of the rows"), found, 1)


async def run(url: str, month: made.Month, repeats: int) -> dict[str, Any]:
    """Fill an empty TimescaleDB unless an earlier run has, settle it, and ask everything."""
    settings = _settings(url)
    await migrate(url, settings)
    database = writer(settings)
    await database.open()
    async with database.transaction() as conn:
        [(is_filled,)] = await (await conn.execute("SELECT EXISTS (SELECT FROM ecg_metrics)")).fetchall()
    rows = {} if is_filled else (await made.make(database, month)).rows
    await database.close()
    settled_s = await settle(url)
    asked = await measure(url, month, repeats)
    return {"users": month.users, "cadence_s": month.cadence_s, "rows": rows, "settled_s": settled_s, "asked": asked}


def main(arguments: Sequence[str] | None = None) -> None:
    """The JSON object goes to standard output, progress and the table to standard error."""
    parser = argparse.ArgumentParser(prog="python -m bench.store.month", description=__doc__)
    parser.add_argument("url", help="an empty database with TimescaleDB, or one that an earlier run has filled")
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--cadence", type=int, default=600, help="seconds from one row of metrics to the next")
    parser.add_argument("--repeats", type=int, default=200)
    given = parser.parse_args(arguments)
    told = asyncio.run(run(given.url, made.Month(given.users, given.cadence), given.repeats))
    print(table(told["asked"]), file=sys.stderr)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
