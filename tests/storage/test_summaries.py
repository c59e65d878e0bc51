"""A summary is exact, and a trend adds up to it."""

import pytest
from psycopg import AsyncConnection

from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from storage.access import everything
from storage.summaries import LabelShare, Step, summarise, trend
from tests.storage.made import START_US, Patient, a_patient, a_user, access_of, metrics_at, write_metrics

SECOND = 1_000_000


async def with_two_minutes(conn: AsyncConnection) -> Patient:
    """90 s at 60 per minute, then 30 s of fibrillation at 120 with the axis on the other side of 180°."""
    patient = await a_patient(conn)
    calm = [metrics_at(patient.recording, s, heart_rate_bpm=60, qrs_axis_deg=170, pr_ms=160) for s in range(90)]
    wild: dict[str, float | str] = {
        "heart_rate_bpm": 120, "arrhythmia_type": ATRIAL_FIBRILLATION, "qrs_axis_deg": -170,
    }  # fmt: skip
    await write_metrics(
        conn,
        calm + [metrics_at(patient.recording, s, **wild) for s in range(90, 120)],
        patient.owner,
    )
    return patient


async def test_a_summary_weighs_every_second_alike(conn: AsyncConnection) -> None:
    patient = await with_two_minutes(conn)
    found = await summarise(conn, patient.access, patient.device.device_id, START_US, START_US + 120 * SECOND)
    assert (found.means.heart_rate_mean, found.means.heart_rate_min, found.means.heart_rate_max) == (75, 60, 120)
    assert (found.means.pr_mean_ms, found.means.qt_mean_ms, found.means.seconds) == (160, None, 120)
    assert found.labels == [LabelShare(NORMAL, 90), LabelShare(ATRIAL_FIBRILLATION, 30)]


async def test_the_mean_axis_goes_the_short_way_round(conn: AsyncConnection) -> None:
    patient = await with_two_minutes(conn)
    found = await summarise(
        conn, everything(), patient.device.device_id, START_US + 60 * SECOND, START_US + 120 * SECOND
    )
    assert found.means.qrs_axis_deg is not None
    assert abs(found.means.qrs_axis_deg) == pytest.approx(180)


async def test_a_period_without_metrics_has_no_figures(conn: AsyncConnection) -> None:
    patient = await with_two_minutes(conn)
    found = await summarise(conn, everything(), patient.device.device_id, 0, SECOND)
    assert (found.means.heart_rate_mean, found.means.qrs_axis_deg, found.means.seconds, found.labels) == (
        None,
        None,
        0,
        [],
    )


async def every_minute(conn: AsyncConnection) -> Patient:
    """An hour at 60 per minute, then half an hour at 120, one second in 60 kept."""
    patient = await a_patient(conn)
    rows = [metrics_at(patient.recording, s, heart_rate_bpm=60 if s < 3600 else 120) for s in range(0, 5400, 60)]
    await write_metrics(conn, rows, patient.owner, every_s=60)
    return patient


@pytest.mark.parametrize(
    ("first", "end", "seconds", "mean"),
    [
        (0, 5400, 5400, 80),
        (0, 6000, 5400, 80),
        (30, 5370, 5340, pytest.approx(79.9, abs=0.5)),
        (90, 100, 10, None),  # there was a signal, but no figure of just then was kept
        (3540, 3630, 90, 80),
        (-100, 0, 0, None),
    ],
)
async def test_rows_count_for_the_seconds_they_stand_for(
    conn: AsyncConnection, first: int, end: int, seconds: int, mean: float | None
) -> None:
    patient = await every_minute(conn)
    period = (patient.device.device_id, START_US + first * SECOND, START_US + end * SECOND)
    found = await summarise(conn, patient.access, *period)
    assert (found.means.seconds, found.means.heart_rate_mean) == (seconds, mean)


async def test_seconds_kept_at_two_paces_weigh_alike(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    fast = [metrics_at(patient.recording, s, heart_rate_bpm=120, qrs_axis_deg=90, qtc_hodges_ms=400) for s in range(60)]
    slow = [metrics_at(patient.recording, s, heart_rate_bpm=60, qrs_axis_deg=0, st80_mv=0.5) for s in range(60, 240)]
    await write_metrics(conn, fast, patient.owner)
    await write_metrics(conn, slow, patient.owner, every_s=30)
    found = await summarise(conn, patient.access, patient.device.device_id, START_US, START_US + 240 * SECOND)
    assert (found.means.seconds, found.means.heart_rate_mean) == (240, 75)
    assert (found.means.qtc_hodges_mean_ms, found.means.st80_mv) == (400, 0.5)
    assert found.means.qrs_axis_deg == pytest.approx(18.43, abs=0.01)  # atan 1/3
    assert found.labels == [LabelShare(NORMAL, 240)]
    [hour] = await trend(conn, patient.access, patient.device.device_id, START_US, START_US + 1, "1h")
    assert (hour.seconds, hour.heart_rate_mean) == (240, 75)


@pytest.mark.parametrize(("step", "seconds"), [("1min", [60] * 90), ("1h", [3600, 1800]), ("1day", [5400])])
async def test_a_trend_counts_seconds_and_not_rows(conn: AsyncConnection, step: Step, seconds: list[int]) -> None:
    patient = await every_minute(conn)
    points = await trend(conn, patient.access, patient.device.device_id, START_US, START_US + 5400 * SECOND, step)
    assert [point.seconds for point in points] == seconds


async def test_no_bucket_is_longer_than_it_is(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_metrics(conn, [metrics_at(patient.recording, 0)], patient.owner, every_s=3600)
    [minute] = await trend(conn, patient.access, patient.device.device_id, START_US, START_US + SECOND, "1min")
    assert minute.seconds == 60


@pytest.mark.parametrize(("step", "rates"), [("1min", [60, 90]), ("1h", [75]), ("1day", [75])])
async def test_a_trend_sums_before_it_divides(conn: AsyncConnection, step: Step, rates: list[float]) -> None:
    patient = await with_two_minutes(conn)
    points = await trend(conn, patient.access, patient.device.device_id, START_US, START_US + 120 * SECOND, step)
    assert [point.heart_rate_mean for point in points] == rates
    assert sum(point.seconds for point in points) == 120
    assert points[-1].heart_rate_max == 120


async def test_the_figures_of_another_count_for_nothing(conn: AsyncConnection) -> None:
    patient, stranger = await with_two_minutes(conn), access_of(await a_user(conn))
    period = (patient.device.device_id, START_US, START_US + 120 * SECOND)
    assert (await summarise(conn, stranger, *period)).means.seconds == 0
    assert await trend(conn, stranger, *period, "1min") == []
