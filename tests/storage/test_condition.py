"""What the database tells of itself can be asked of both dialects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from psycopg import AsyncConnection

from schemas.clock import now
from schemas.history import AGGREGATES
from storage import audit, condition, object_removals, reports
from tests.storage import made

AT = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_server_is_told(conn: AsyncConnection, database_url: str) -> None:
    told = await condition.server(conn)
    assert not told.is_standby
    assert abs(told.at - now()) < timedelta(minutes=1)
    assert told.connections <= told.max_connections


async def test_each_aggregate_has_a_job_that_refreshes_it(conn: AsyncConnection) -> None:
    jobs = await condition.jobs(conn)
    is_timescale = (await condition.server(conn)).timescale is not None
    wanted = {aggregate.name for aggregate in AGGREGATES} if is_timescale else set()
    assert {job.table for job in jobs if job.is_refresh} == wanted


async def test_chunks_that_wait_can_be_asked_for(conn: AsyncConnection) -> None:
    assert all(each.waiting > 0 for each in await condition.chunks(conn))


async def test_the_largest_tables_are_told_first(conn: AsyncConnection) -> None:
    sizes = [each.bytes for each in await condition.sizes(conn)]
    assert (len(sizes), sizes) == (condition.LARGEST, sorted(sizes, reverse=True))


async def test_log_and_standbys_can_be_asked_for(conn: AsyncConnection) -> None:
    assert (await condition.log_archive(conn)).mode in ("off", "on", "always")
    assert await condition.standbys(conn) == []


async def test_an_object_that_would_not_go_is_counted(conn: AsyncConnection) -> None:
    before = (await condition.removals(conn)).count
    key = f"x/{uuid4()}"
    await object_removals.add(conn, key)
    assert (await condition.removals(conn)).count == before
    await object_removals.put_off(conn, key, AT)
    assert (await condition.removals(conn)).count == before + 1


async def test_a_report_that_waits_is_counted_with_its_moment(conn: AsyncConnection) -> None:
    patient = await made.a_patient(conn)
    before = await condition.reports_to_write(conn)
    await reports.request_report(
        conn, uuid4(), patient.device.device_id, patient.user.user_id, "r.pdf", None, None, None, AT
    )
    after = await condition.reports_to_write(conn)
    assert (after.count, after.since) == (before.count + 1, min(AT, before.since or AT))


async def test_an_upload_that_did_not_end_is_counted(conn: AsyncConnection) -> None:
    user = await made.a_user(conn)
    before = (await condition.uploads_begun(conn)).count
    await conn.execute(
        """
        INSERT INTO cloud_files (
            file_id, user_id, kind, filename, file_path_s3, file_size, file_type, sha256, uploaded_by
        )
        VALUES (%s, %s, 'file', 'f', 'k', 1, 'bin', sha256('f'), %s)
        """,
        [uuid4(), user.user_id, user.user_id],
    )
    assert (await condition.uploads_begun(conn)).count == before + 1


async def test_the_last_backup_is_known_by_the_log(conn: AsyncConnection) -> None:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    await audit.append(conn, "leadwire backup", "backup.make", "b", None, at)
    assert (await condition.kept(conn)).backed_up_at == at


async def test_an_archive_that_is_not_there_is_none(conn: AsyncConnection) -> None:
    found = await conn.execute("SELECT to_regclass('archive_progress') IS NULL")
    if await found.fetchone() == (True,):
        assert await condition.archive(conn) is None
    else:
        assert (await condition.archive(conn)) is not None
