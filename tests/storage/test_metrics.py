"""A second of metrics is one row, in the seed system's columns."""

from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.pages import PageRequest
from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from storage.access import everything
from storage.metrics import MetricsFilter, latest_metrics, list_metrics, metric, metric_id, write_metrics
from tests.storage.made import START_US, Patient, a_patient, a_user, access_of, metrics_at


async def with_seconds(conn: AsyncConnection, *seconds: int) -> Patient:
    patient = await a_patient(conn)
    made = [metrics_at(patient.recording, second) for second in seconds]
    await write_metrics(conn, made, patient.owner)
    return patient


async def test_figures_are_rounded_into_the_seeds_columns(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    figures = {"pr_ms": 159.6, "qrs_ms": 96.4, "qtc_ms": 410.0, "st_mv": 0.125, "qrs_axis_deg": -30.4, "rr_ms": 796.5}
    await write_metrics(conn, [metrics_at(patient.recording, 0, **figures)], patient.owner)
    [row] = await latest_metrics(conn, everything(), device_id=patient.device.device_id)
    assert (row.heart_rate, row.pr_interval, row.qrs_duration, row.qtc_interval) == (75, 160, 96, 410)
    assert (row.st_segment, row.qrs_axis) == ("+0.12 mV", "-30°")
    assert (row.rr_ms, row.st_mv, row.quality, row.arrhythmia_confidence) == (796.5, 0.125, 0.9, 95.5)
    assert (row.recorded_at, row.user_id) == (to_datetime(START_US), patient.user.user_id)


async def test_what_was_not_measurable_stays_so(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    unreadable = metrics_at(patient.recording, 0, heart_rate_bpm=None, arrhythmia_type=None, arrhythmia_confidence=0)
    await write_metrics(conn, [unreadable], patient.owner)
    [row] = await latest_metrics(conn, everything(), device_id=patient.device.device_id)
    assert (row.heart_rate, row.pr_interval, row.st_segment, row.qrs_axis, row.arrhythmia_type) == (None,) * 5


async def test_the_same_metrics_twice_are_the_same_rows(conn: AsyncConnection) -> None:
    patient = await with_seconds(conn, 0, 1)
    wanted = MetricsFilter(device_id=patient.device.device_id)
    before = await list_metrics(conn, everything(), wanted, PageRequest())
    await write_metrics(conn, [metrics_at(patient.recording, 1, heart_rate_bpm=200)] * 2, {})
    assert await list_metrics(conn, everything(), wanted, PageRequest()) == before
    assert before.total == 2


async def test_a_row_is_found_by_its_id(conn: AsyncConnection) -> None:
    patient = await with_seconds(conn, 0, 1)
    wanted = metric_id(patient.device.device_id, START_US + 1_000_000)
    row = await metric(conn, patient.access, wanted)
    assert (row.metric_id, row.recorded_at) == (wanted, to_datetime(START_US + 1_000_000))
    with pytest.raises(NotFound):
        await metric(conn, access_of(await a_user(conn)), wanted)


@pytest.mark.parametrize("unknown", [uuid4(), UUID(int=0), UUID(int=2**128 - 1)])
async def test_any_other_id_is_not_found(conn: AsyncConnection, unknown: UUID) -> None:
    with pytest.raises(NotFound):
        await metric(conn, everything(), unknown)


async def test_filters_narrow_the_list_newest_first(conn: AsyncConnection) -> None:
    patient = await with_seconds(conn, 0, 1, 2)
    await write_metrics(conn, [metrics_at(patient.recording, 3, arrhythmia_type=ATRIAL_FIBRILLATION)], {})

    async def seconds(wanted: MetricsFilter) -> list[int]:
        page = await list_metrics(conn, everything(), wanted, PageRequest())
        return [int((row.recorded_at - to_datetime(START_US)).total_seconds()) for row in page.items]

    device_id, user_id = patient.device.device_id, patient.user.user_id
    assert await seconds(MetricsFilter(device_id=device_id)) == [3, 2, 1, 0]
    assert await seconds(MetricsFilter(user_id=user_id)) == [2, 1, 0]
    assert await seconds(MetricsFilter(device_id=device_id, arrhythmia_type=ATRIAL_FIBRILLATION)) == [3]
    start, end = to_datetime(START_US + 1_000_000), to_datetime(START_US + 3_000_000)
    assert await seconds(MetricsFilter(device_id=device_id, arrhythmia_type=NORMAL, start=start, end=end)) == [2, 1]


async def test_the_latest_is_the_newest_of_each_device(conn: AsyncConnection) -> None:
    first, second = await with_seconds(conn, 0, 5), await with_seconds(conn, 7)
    both = {first.device.device_id, second.device.device_id}
    latest = [row for row in await latest_metrics(conn, everything()) if row.device_id in both]
    assert [row.recorded_at for row in latest] == [to_datetime(START_US + s * 1_000_000) for s in (7, 5)]
    assert [row.device_id for row in await latest_metrics(conn, first.access)] == [first.device.device_id]
    assert await latest_metrics(conn, first.access, since=to_datetime(START_US + 6_000_000)) == []
    assert await latest_metrics(conn, first.access, user_id=second.user.user_id) == []


async def test_a_device_that_changed_hands_shows_its_new_owner_no_old_figures(conn: AsyncConnection) -> None:
    patient, heir = await with_seconds(conn, 0), await a_user(conn)
    moved = [heir.user_id, patient.device.device_id]
    await conn.execute("UPDATE devices SET user_id = %s WHERE device_id = %s", moved)
    assert await latest_metrics(conn, access_of(heir)) == []
    assert (await list_metrics(conn, access_of(heir), MetricsFilter(), PageRequest())).items == []


async def test_no_metrics_are_no_work(conn: AsyncConnection) -> None:
    await write_metrics(conn, [], {})
