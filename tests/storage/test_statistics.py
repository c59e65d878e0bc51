"""Statistics count everybody once, and a period's figures are those of its rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import AsyncConnection

from schemas.clock import now, to_datetime
from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from schemas.statistics import Share
from storage import statistics, statistics_activity, statistics_people
from storage.account_changes import delete_user
from storage.devices import touch
from storage.reports import FinishedReport, fail_report, finish_report, request_report
from storage.statistics_activity import Span, Step
from tests.storage import made
from tests.storage.made import (
    Patient,
    a_beat,
    a_device,
    a_patient,
    a_user,
    metrics_at,
    write_beats,
    write_metrics,
)

START_US = made.START_US + 90 * 86_400_000_000
"""A time of its own: what counts everybody must meet no row that another test left."""
START = to_datetime(START_US)
HOURS = Span(START, START + timedelta(days=1), "hour")
DAYS = Span(START, START + timedelta(days=7), "day")


async def _recorded(conn: AsyncConnection) -> Patient:
    """Two seconds of one hour at 60 and 90 per minute, and one of the next, in fibrillation at 120."""
    patient = await a_patient(conn, START_US)
    rates = {0: 60.0, 1: 90.0, 3600: 120.0}
    rows = [metrics_at(patient.recording, second, heart_rate_bpm=rate) for second, rate in rates.items()]
    rows[2] = metrics_at(patient.recording, 3600, heart_rate_bpm=120.0, arrhythmia_type=ATRIAL_FIBRILLATION)
    await write_metrics(conn, rows, patient.owner)
    await write_beats(conn, [a_beat(patient.recording, 100), a_beat(patient.recording, 200, "V")])
    return patient


async def test_users_are_counted_by_what_they_are(conn: AsyncConnection) -> None:
    before = await statistics.user_statistics(conn, now())
    gone = await a_user(conn)
    for role in ("doctor", "user"):
        await a_user(conn, role)
    await delete_user(conn, gone.user_id, now())
    after = await statistics.user_statistics(conn, now() + timedelta(hours=1))
    assert (after.total - before.total, after.deleted - before.deleted, after.new_7d - before.new_7d) == (2, 1, 2)
    assert sum(share.count for share in after.by_role) == after.total
    assert after.new_1d >= 2


async def test_devices_are_live_for_a_minute(conn: AsyncConnection) -> None:
    at = now()
    before = await statistics.device_statistics(conn, at)
    devices = [await a_device(conn, None) for _ in range(3)]
    seen = {devices[0].device_id: at, devices[1].device_id: at - timedelta(minutes=2)}
    await touch(conn, seen)
    after = await statistics.device_statistics(conn, at)
    assert (after.live - before.live, after.seen_1d - before.seen_1d, after.never_seen - before.never_seen) == (1, 2, 1)
    assert after.without_owner - before.without_owner == 3


async def test_reports_are_counted_by_status_and_service(conn: AsyncConnection) -> None:
    patient = await a_patient(conn, START_US)
    ids = [patient.recording.recording_id, patient.device.device_id, patient.user.user_id]
    for report_id in ids:
        await request_report(
            conn, report_id, patient.device.device_id, patient.user.user_id, "r.pdf", None, None, None, START
        )
    done = FinishedReport("k", 1234, "s3", 72, None, None, None, None, None, START, START)
    await finish_report(conn, ids[0], done)
    await fail_report(conn, ids[1], START)
    [point] = await statistics_people.report_points(conn, DAYS)
    assert (point.at, point.reports, point.uploaded, point.failed, point.bytes) == (START, 3, 1, 1, 1234)
    by_status = await statistics_people.reports_by(conn, DAYS, "upload_status")
    assert sorted(by_status, key=str) == [Share("failed", 1), Share("pending", 1), Share("uploaded", 1)]
    told = await statistics.report_statistics(conn, START)
    assert Share("s3", 1) in told.by_service
    assert told.bytes >= 1234


@pytest.mark.parametrize("span", [HOURS, DAYS], ids=["hour", "day"])
async def test_a_period_adds_up(conn: AsyncConnection, span: Span) -> None:
    await _recorded(conn)
    reach = await statistics_activity.reach(conn, span)
    assert (reach.users, reach.devices) == (1, 1)
    assert reach.hours == pytest.approx(3 / 3600)
    points = await statistics_activity.activity(conn, span)
    assert sum(point.recorded_hours for point in points) == pytest.approx(reach.hours)
    assert (points[0].heart_rate_min, points[-1].heart_rate_max) == (60.0, 120.0)
    assert [label.label for label in await statistics_activity.labels(conn, span)] == [NORMAL, ATRIAL_FIBRILLATION]
    spread = await statistics_activity.rate_spread(conn, span)
    assert sum(band.hours for band in spread) == pytest.approx(reach.hours)
    beats = await statistics_activity.beats(conn, span)
    assert [(point.at, point.beats, point.ventricular) for point in beats] == [(START, 2, 1)]


@pytest.mark.parametrize(("first", "end", "devices"), [(0, 1, 1), (1, 2, 1), (2, 24, 0), (-200, 0, 0), (-200, 1, 1)])
async def test_who_recorded_in_other_hours_is_not_counted(
    conn: AsyncConnection, first: int, end: int, devices: int
) -> None:
    await _recorded(conn)
    span = Span(START + timedelta(hours=first), START + timedelta(hours=end), "hour")
    reach = await statistics_activity.reach(conn, span)
    assert (reach.users, reach.devices) == (devices, devices)


async def test_nobody_recorded_in_no_time(conn: AsyncConnection) -> None:
    reach = await statistics_activity.reach(conn, Span(START, START, "day"))
    assert (reach.users, reach.devices, reach.hours) == (0, 0, 0.0)


@pytest.mark.parametrize(("step", "expected"), [("hour", [75.0, 120.0]), ("day", [90.0])])
async def test_means_weigh_every_second_alike(conn: AsyncConnection, step: Step, expected: list[float]) -> None:
    await _recorded(conn)
    points = await statistics_activity.activity(conn, Span(START, START + timedelta(days=1), step))
    assert [point.heart_rate_mean for point in points] == expected


async def test_who_recorded_most_comes_first_and_deleted_users_not_at_all(conn: AsyncConnection) -> None:
    most, gone = await _recorded(conn), await _recorded(conn)
    await write_metrics(conn, [metrics_at(most.recording, 2)], most.owner)
    assert [r.user_id for r in await statistics_activity.top_recorders(conn, DAYS)] == [
        most.user.user_id, gone.user.user_id,
    ]  # fmt: skip
    await delete_user(conn, gone.user.user_id, now())
    assert [r.user_id for r in await statistics_activity.top_recorders(conn, DAYS)] == [most.user.user_id]


async def test_hours_in_which_anything_happened_are_told(conn: AsyncConnection) -> None:
    patient = await _recorded(conn)
    await conn.execute("UPDATE users SET created_at = %s WHERE user_id = %s", [START, patient.user.user_id])
    later = START + timedelta(hours=2, minutes=5)
    await conn.execute("UPDATE devices SET registered_at = %s WHERE user_id = %s", [later, patient.user.user_id])
    users = await statistics_people.user_points(conn, HOURS)
    assert [(point.at.hour, point.new_users, point.active_users, point.logins) for point in users] == [
        (0, 1, 1, 0), (1, 0, 1, 0),
    ]  # fmt: skip
    devices = await statistics_activity.device_points(conn, HOURS)
    assert [(point.at.hour, point.new_devices, point.active_devices) for point in devices] == [
        (0, 0, 1), (1, 0, 1), (2, 1, 0),
    ]  # fmt: skip
