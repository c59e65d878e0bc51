"""A summary is exact, and a trend adds up to it."""

import pytest
from psycopg import AsyncConnection

from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from storage.access import everything
from storage.metrics import write_metrics
from storage.summaries import LabelShare, Step, summarise, trend
from tests.storage.made import START_US, Patient, a_patient, a_user, access_of, metrics_at

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
    assert (found.heart_rate_mean, found.heart_rate_min, found.heart_rate_max) == (75, 60, 120)
    assert (found.pr_mean_ms, found.qt_mean_ms, found.seconds) == (160, None, 120)
    assert found.labels == [LabelShare(NORMAL, 90), LabelShare(ATRIAL_FIBRILLATION, 30)]


async def test_the_mean_axis_goes_the_short_way_round(conn: AsyncConnection) -> None:
    patient = await with_two_minutes(conn)
    found = await summarise(
        conn, everything(), patient.device.device_id, START_US + 60 * SECOND, START_US + 120 * SECOND
    )
    assert found.qrs_axis_deg is not None
    assert abs(found.qrs_axis_deg) == pytest.approx(180)


async def test_a_period_without_metrics_has_no_figures(conn: AsyncConnection) -> None:
    patient = await with_two_minutes(conn)
    found = await summarise(conn, everything(), patient.device.device_id, 0, SECOND)
    assert (found.heart_rate_mean, found.qrs_axis_deg, found.seconds, found.labels) == (None, None, 0, [])


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
    assert (await summarise(conn, stranger, *period)).seconds == 0
    assert await trend(conn, stranger, *period, "1min") == []
