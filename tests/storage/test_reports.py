"""A report goes from pending to uploaded or failed, and no way back."""

from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.pages import PageRequest
from schemas.reports import Report
from storage.access import everything
from storage.reports import FinishedReport, fail_report, finish_report, list_reports, report, request_report
from tests.storage.made import START_US, Patient, a_patient, a_user, access_of

NOW = to_datetime(START_US)
FINISHED = FinishedReport(
    key="reports/x.pdf",
    size=12_345,
    cloud_service="local",
    heart_rate=72,
    pr_interval=None,
    qrs_duration=96,
    qtc_interval=410,
    st_segment=None,
    qrs_axis="47°",
    report_date=NOW,
    uploaded_at=NOW,
)


async def requested(conn: AsyncConnection, patient: Patient, report_id: UUID) -> Report:
    owner = (patient.device.device_id, patient.user.user_id)
    return await request_report(conn, report_id, *owner, "x.pdf", "Ada L.", 36, "SN-1", NOW)


async def test_a_requested_report_is_pending_and_asked_for_once(conn: AsyncConnection) -> None:
    patient, report_id = await a_patient(conn), uuid4()
    made = await requested(conn, patient, report_id)
    assert (made.upload_status, made.patient_name, made.created_at) == ("pending", "Ada L.", NOW)
    assert await requested(conn, patient, report_id) == made
    assert await report(conn, patient.access, report_id) == made


async def test_a_finished_report_carries_its_figures_and_stays(conn: AsyncConnection) -> None:
    patient, report_id = await a_patient(conn), uuid4()
    await requested(conn, patient, report_id)
    await finish_report(conn, report_id, FINISHED)
    done = await report(conn, everything(), report_id)
    assert (done.upload_status, done.file_path_s3, done.file_size) == ("uploaded", "reports/x.pdf", 12_345)
    assert (done.heart_rate, done.qrs_axis, done.uploaded_at) == (72, "47°", NOW)
    await finish_report(conn, report_id, FINISHED)
    await fail_report(conn, report_id, NOW)
    assert await report(conn, everything(), report_id) == done


async def test_a_failed_report_can_still_be_finished(conn: AsyncConnection) -> None:
    patient, report_id = await a_patient(conn), uuid4()
    await requested(conn, patient, report_id)
    await fail_report(conn, report_id, NOW)
    assert (await report(conn, everything(), report_id)).upload_status == "failed"
    await finish_report(conn, report_id, FINISHED)
    assert (await report(conn, everything(), report_id)).upload_status == "uploaded"


async def test_a_report_that_was_never_asked_for_is_not_found(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound):
        await finish_report(conn, uuid4(), FINISHED)


async def test_reports_are_listed_to_whom_they_belong(conn: AsyncConnection) -> None:
    patient, other = await a_patient(conn), await a_patient(conn)
    mine, theirs = [await requested(conn, whose, uuid4()) for whose in (patient, other)]
    assert (await list_reports(conn, patient.access, PageRequest())).items == [mine]
    assert (await list_reports(conn, everything(), PageRequest(), user_id=other.user.user_id)).items == [theirs]
    assert (await list_reports(conn, everything(), PageRequest(), device_id=patient.device.device_id)).items == [mine]
    with pytest.raises(NotFound):
        await report(conn, access_of(await a_user(conn)), mine.report_id)
