"""A second of metrics is one row, in the seed system's columns."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.metrics import FIGURES
from schemas.pages import PageRequest
from schemas.quality import LeadQuality
from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from storage.access import everything
from storage.live import live_devices
from storage.metrics import MetricsFilter, list_metrics, metric
from storage.metrics_rows import MetricsRow
from tests.columns import metric_id
from tests.storage.made import (
    START_US,
    Patient,
    a_patient,
    a_user,
    access_of,
    latest_metrics,
    metrics_at,
    write_metrics,
)


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
    assert (row.rr_ms, row.st_mv, row.quality, row.arrhythmia_confidence) == (796.5, 0.125, 0.875, 95.5)
    assert (row.recorded_at, row.user_id) == (to_datetime(START_US), patient.user.user_id)


async def test_every_figure_comes_back_as_measured(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    names = (*(name for name in FIGURES if name not in ("heart_rate_bpm", "pr_ms", "qrs_ms")), "quality")
    figures = {name: 100.0625 + number for number, name in enumerate(names)}
    await write_metrics(conn, [metrics_at(patient.recording, 0, **figures)], patient.owner)
    [row] = await latest_metrics(conn, patient.access)
    assert {name: getattr(row, name) for name in names} == figures


async def test_each_lead_keeps_its_quality_and_what_was_wrong_with_it(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    leads = (LeadQuality("MLII", 0.98), LeadQuality("V1", 0.125, ("saturated", "noise")))
    await write_metrics(conn, [metrics_at(patient.recording, 0, leads=leads, main_lead="MLII")], patient.owner)
    [row] = await latest_metrics(conn, patient.access)
    assert (row.main_lead, row.leads) == ("MLII", list(leads))


async def test_a_row_from_before_leads_were_told_apart_tells_none(conn: AsyncConnection) -> None:
    patient = await with_seconds(conn, 0)
    await conn.execute("UPDATE ecg_metrics SET lead_quality = NULL, lead_flags = NULL WHERE user_id = %s", [
        patient.user.user_id,
    ])  # fmt: skip
    [row] = await latest_metrics(conn, patient.access)
    assert (row.leads, row.main_lead, row.seconds) == ([], None, 1)


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


async def every_ten(conn: AsyncConnection, patient: Patient, *seconds: int) -> list[tuple[int, int]]:
    """Write these seconds, one in ten to be kept; what is kept then, newest first, and for how many each stands."""
    await write_metrics(conn, [metrics_at(patient.recording, s) for s in seconds], patient.owner, every_s=10)
    kept = await list_metrics(conn, patient.access, MetricsFilter(), PageRequest())
    return [(second_of(row), row.seconds) for row in kept.items]


def second_of(row: MetricsRow) -> int:
    return int((row.recorded_at - to_datetime(START_US)).total_seconds())


async def test_one_second_in_so_many_is_kept_and_stands_for_them(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    assert await every_ten(conn, patient, *range(3, 26)) == [(20, 10), (10, 10)]


async def test_which_seconds_are_kept_does_not_hang_on_when_they_are_written(conn: AsyncConnection) -> None:
    patient, other = await a_patient(conn), await a_patient(conn)
    for second in range(3, 26):
        kept = await every_ten(conn, patient, second)
    assert kept == await every_ten(conn, other, *range(25, 2, -1))


async def test_seconds_that_begin_between_two_of_the_clock_are_kept_too(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    late = replace(patient, recording=replace(patient.recording, started_at_us=START_US + 730_000))
    assert await every_ten(conn, late, *range(25)) == [(20, 10), (10, 10), (0, 10)]


async def test_the_latest_second_is_known_though_it_is_not_kept(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    shown = []
    for second in (9, 10, 12, 11, 19, 20):
        await every_ten(conn, patient, second)
        [latest] = await latest_metrics(conn, patient.access)
        [live] = (await live_devices(conn, patient.access, to_datetime(START_US))).items
        assert (live.recorded_at, live.heart_rate) == (latest.recorded_at, 75)
        assert await metric(conn, patient.access, latest.metric_id) == latest
        shown.append((second_of(latest), latest.seconds))
    assert shown == [(9, 1), (10, 10), (12, 1), (12, 1), (19, 1), (20, 10)]


async def test_the_latest_second_of_another_stays_theirs(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), access_of(await a_user(conn))
    await every_ten(conn, patient, 11)
    [latest] = await latest_metrics(conn, patient.access)
    assert await latest_metrics(conn, stranger) == []
    with pytest.raises(NotFound):
        await metric(conn, stranger, latest.metric_id)


async def test_no_metrics_are_no_work(conn: AsyncConnection) -> None:
    await write_metrics(conn, [], {})
