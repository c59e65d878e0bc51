"""One row for each file of a user, whatever happens on its way; one line in the log for each try."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.errors import NotFound
from schemas.files import UploadedFile
from schemas.pages import PageRequest
from storage import cloud_files, object_removals, report_uploads
from storage.access import everything
from storage.report_uploads import ReportFigures
from storage.reports import FinishedReport, delete_report, finish_report, list_reports, report, request_report
from storage.uploads import Claim, UploadLine, log
from tests.storage.made import START_US, a_patient, a_user, access_of

NOW = to_datetime(START_US)


@pytest.fixture(autouse=True)
async def _nothing_to_remove(conn: AsyncConnection) -> None:
    """Of what other tests have left; undone with the rest."""
    await conn.execute("DELETE FROM object_removals")


def a_file(user_id: UUID) -> UploadedFile:
    digest = hashlib.sha256(uuid4().bytes).digest()
    return UploadedFile(user_id, user_id, "x.pdf", "pdf", 123, digest)


async def claimed(conn: AsyncConnection, file: UploadedFile, **figures: object) -> Claim:
    return await report_uploads.claim(conn, uuid4(), file, ReportFigures(**figures), NOW)  # type: ignore[arg-type]  # a test names what it sets


async def put_down(conn: AsyncConnection) -> list[str]:
    return await object_removals.take(conn, NOW, 100)


async def test_a_claimed_report_is_pending_until_it_is_finished_once(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    claim = await claimed(conn, a_file(user.user_id), heart_rate=72, patient_name="Ada")
    assert (await report(conn, access_of(user), claim.row_id)).upload_status == "pending"
    done = await report_uploads.finish(conn, claim.row_id, "local", "s3://b/k", NOW)
    assert done is not None
    assert (done.upload_status, done.heart_rate, done.cloud_url, done.uploaded_at) == ("uploaded", 72, "s3://b/k", NOW)
    assert await report_uploads.finish(conn, claim.row_id, "local", "s3://b/k", NOW) is None
    assert await put_down(conn) == []


async def test_the_same_file_claims_the_same_row_until_it_is_done(conn: AsyncConnection) -> None:
    file = a_file((await a_user(conn)).user_id)
    first = await claimed(conn, file)
    await report_uploads.fail(conn, first.row_id)
    assert (await report(conn, everything(), first.row_id)).upload_status == "failed"
    again = await claimed(conn, replace(file, filename="y.pdf"), heart_rate=61)
    assert again == first
    row = await report(conn, everything(), first.row_id)
    assert (row.upload_status, row.filename, row.heart_rate) == ("pending", "y.pdf", 61)
    await report_uploads.finish(conn, first.row_id, "local", "", NOW)
    assert await claimed(conn, file) == replace(first, is_done=True)
    await report_uploads.fail(conn, first.row_id)
    assert (await report(conn, everything(), first.row_id)).upload_status == "uploaded"


async def test_a_deleted_report_is_nowhere_and_its_file_may_come_again(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    file = a_file(user.user_id)
    claim = await claimed(conn, file)
    await report_uploads.finish(conn, claim.row_id, "local", "", NOW)
    await delete_report(conn, access_of(user), claim.row_id, NOW)
    assert await put_down(conn) == [claim.key]
    assert (await list_reports(conn, access_of(user), PageRequest())).total == 0
    for asked in (report(conn, everything(), claim.row_id), delete_report(conn, everything(), claim.row_id, NOW)):
        with pytest.raises(NotFound):
            await asked
    assert (await claimed(conn, file)).row_id != claim.row_id


async def test_what_is_deleted_while_it_comes_in_leaves_no_object(conn: AsyncConnection) -> None:
    claim = await claimed(conn, a_file((await a_user(conn)).user_id))
    await delete_report(conn, everything(), claim.row_id, NOW)
    await object_removals.done(conn, claim.key)
    assert await report_uploads.finish(conn, claim.row_id, "local", "", NOW) is None
    assert await put_down(conn) == [claim.key]


async def test_a_worker_that_finishes_a_deleted_report_leaves_no_object(conn: AsyncConnection) -> None:
    patient, report_id = await a_patient(conn), uuid4()
    owner = (patient.device.device_id, patient.user.user_id)
    await request_report(conn, report_id, *owner, "x.pdf", None, None, None, NOW)
    await delete_report(conn, everything(), report_id, NOW)
    assert await put_down(conn) == []
    finished = FinishedReport("reports/x.pdf", 1, "local", None, None, None, None, None, None, NOW, NOW)
    await finish_report(conn, report_id, finished)
    assert await put_down(conn) == ["reports/x.pdf"]


async def test_two_reports_of_a_worker_may_be_the_same_to_the_byte(conn: AsyncConnection) -> None:
    patient, same = await a_patient(conn), hashlib.sha256(b"pdf").digest()
    owner = (patient.device.device_id, patient.user.user_id)
    for key in ("reports/1.pdf", "reports/2.pdf"):
        report_id = uuid4()
        await request_report(conn, report_id, *owner, "x.pdf", None, None, None, NOW)
        finished = FinishedReport(
            key, 1, "local", None, None, None, None, None, None, NOW, NOW, cloud_url="s3://b/k", sha256=same
        )
        await finish_report(conn, report_id, finished)
        found = await report(conn, everything(), report_id)
        assert (found.sha256, found.cloud_url) == (same.hex(), "s3://b/k")


async def test_a_file_is_listed_once_it_rests_and_until_it_is_deleted(conn: AsyncConnection) -> None:
    user, other = await a_user(conn), await a_user(conn)
    claim = await cloud_files.claim(conn, uuid4(), "file", "cloud/x.pdf", a_file(user.user_id), NOW)
    mine = access_of(user)
    assert (await cloud_files.list_files(conn, mine, PageRequest())).items == []
    done = await cloud_files.finish(conn, claim.row_id, "local", "", NOW)
    assert (await cloud_files.list_files(conn, mine, PageRequest())).items == [done]
    assert await cloud_files.cloud_file(conn, mine, claim.row_id) == done
    with pytest.raises(NotFound):
        await cloud_files.cloud_file(conn, access_of(other), claim.row_id)
    await cloud_files.delete_file(conn, claim.row_id, NOW)
    assert (await cloud_files.list_files(conn, mine, PageRequest())).total == 0
    assert await put_down(conn) == ["cloud/x.pdf"]


async def test_reports_and_files_are_one_list_newest_first(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    claim = await claimed(conn, a_file(user.user_id))
    await report_uploads.finish(conn, claim.row_id, "local", "", NOW)
    other = await cloud_files.claim(
        conn, uuid4(), "file", "cloud/y.pdf", a_file(user.user_id), to_datetime(START_US + 1)
    )
    await cloud_files.finish(conn, other.row_id, "local", "", NOW)
    page = await cloud_files.list_files(conn, access_of(user), PageRequest(limit=1))
    assert ([item.file_id for item in page.items], page.total) == ([other.row_id], 2)
    reports = await cloud_files.list_files(conn, everything(), PageRequest(), user_id=user.user_id, kind="report")
    assert [item.file_id for item in reports.items] == [claim.row_id]


async def test_a_signup_record_is_one_for_each_user(conn: AsyncConnection) -> None:
    user_id = (await a_user(conn)).user_id
    first = await cloud_files.claim(conn, uuid4(), "user_signup", "signups/1", a_file(user_id), NOW)
    again = await cloud_files.claim(conn, uuid4(), "user_signup", "signups/2", a_file(user_id), NOW)
    assert again == first
    await cloud_files.fail(conn, first.row_id)
    await cloud_files.finish(conn, first.row_id, "local", "", NOW)
    done = await cloud_files.claim(conn, uuid4(), "user_signup", "signups/3", a_file(user_id), NOW)
    assert done == replace(first, is_done=True)


async def test_two_lines_of_one_name_and_moment_are_two_lines(conn: AsyncConnection) -> None:
    user_id = (await a_user(conn)).user_id
    for outcome in ("failed", "duplicate", "success"):
        await log(conn, UploadLine(user_id, "x.pdf", "report", outcome, NOW))
    query = "SELECT upload_status FROM upload_logs WHERE user_id = %s ORDER BY uploaded_at"
    rows = await (await conn.execute(query, [user_id])).fetchall()
    assert [status for (status,) in rows] == ["failed", "duplicate", "success"]


async def test_a_removal_that_failed_waits_longer_each_time(conn: AsyncConnection) -> None:
    await object_removals.add(conn, "a/b")
    await object_removals.add(conn, "a/b")
    assert await put_down(conn) == ["a/b"]
    await object_removals.put_off(conn, "a/b", NOW)
    await object_removals.put_off(conn, "a/b", NOW)
    for minutes, due in ((3, []), (4, ["a/b"])):
        assert await object_removals.take(conn, to_datetime(START_US + minutes * 60_000_000), 9) == due
    await object_removals.done(conn, "a/b")
    assert await object_removals.take(conn, to_datetime(START_US + 10**10), 9) == []
