"""Uploaded reports: a row from the moment a file came in, one for each file of a user."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.files import UploadedFile
from schemas.reports import Report
from storage import object_removals
from storage.object_keys import uploaded_report_key
from storage.reports import COLUMNS
from storage.rows import fetch_one
from storage.uploads import Claim

_CLAIM: Final = """
    INSERT INTO ecg_reports AS p (
        report_id, user_id, uploaded_by, filename, file_path_s3, file_size, file_type, sha256, created_at,
        device_id, patient_name, patient_age, report_date, machine_serial, heart_rate, pr_interval, qrs_duration,
        qtc_interval, st_segment, qrs_axis
    )
    VALUES (
        %(report_id)s, %(user_id)s, %(uploaded_by)s, %(filename)s, %(key)s, %(file_size)s, %(file_type)s,
        %(sha256)s, %(at)s, %(device_id)s, %(patient_name)s, %(patient_age)s, %(report_date)s, %(machine_serial)s,
        %(heart_rate)s, %(pr_interval)s, %(qrs_duration)s, %(qtc_interval)s, %(st_segment)s, %(qrs_axis)s
    )
    ON CONFLICT (user_id, sha256) WHERE uploaded_by IS NOT NULL AND deleted_at IS NULL DO UPDATE
    SET
        upload_status = 'pending',
        uploaded_by = EXCLUDED.uploaded_by,
        filename = EXCLUDED.filename,
        device_id = EXCLUDED.device_id,
        patient_name = EXCLUDED.patient_name,
        patient_age = EXCLUDED.patient_age,
        report_date = EXCLUDED.report_date,
        machine_serial = EXCLUDED.machine_serial,
        heart_rate = EXCLUDED.heart_rate,
        pr_interval = EXCLUDED.pr_interval,
        qrs_duration = EXCLUDED.qrs_duration,
        qtc_interval = EXCLUDED.qtc_interval,
        st_segment = EXCLUDED.st_segment,
        qrs_axis = EXCLUDED.qrs_axis
    WHERE p.upload_status <> 'uploaded'
    RETURNING p.report_id, p.file_path_s3
"""
"""Takes the row of an earlier try over, unless that has its file."""


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """What a client tells of the report it sends, under the seed system's names; intervals in ms."""

    device_id: UUID | None = None
    patient_name: str | None = None
    patient_age: int | None = None
    report_date: datetime | None = None
    machine_serial: str | None = None
    heart_rate: int | None = None
    pr_interval: int | None = None
    qrs_duration: int | None = None
    qtc_interval: int | None = None
    st_segment: str | None = None
    qrs_axis: str | None = None


async def claim(
    conn: AsyncConnection, report_id: UUID, file: UploadedFile, figures: ReportFigures, at: datetime
) -> Claim:
    """A pending row for this file under `report_id`, or the row that the same file of the same user has already.

    A row of an earlier try keeps its id and takes the new figures; one that has its file stays as it is.
    """
    key = uploaded_report_key(file.user_id, report_id, file.file_type)
    cursor = await conn.execute(
        _CLAIM,
        {**asdict(figures), **asdict(file), "report_id": report_id, "key": key, "at": at},
    )
    claimed = await cursor.fetchone()
    return Claim(claimed[0], claimed[1], False) if claimed else await _done(conn, file)


async def _done(conn: AsyncConnection, file: UploadedFile) -> Claim:
    """The row with the same file; nobody can take it away but by deleting it, and then the caller comes again."""
    cursor = await conn.execute(
        """
        SELECT report_id, file_path_s3
        FROM ecg_reports
        WHERE user_id = %s AND sha256 = %s AND uploaded_by IS NOT NULL
        ORDER BY deleted_at DESC NULLS FIRST
        LIMIT 1
        """,
        [file.user_id, file.sha256],
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a row that stood in the way is not there")  # rows are marked as deleted, never removed
    return Claim(row[0], row[1], True)


async def finish(
    conn: AsyncConnection, report_id: UUID, cloud_service: str, cloud_url: str, at: datetime
) -> Report | None:
    """Mark a claimed report as uploaded: its object is there. None if another was quicker, or it was deleted.

    The object of one that was deleted meanwhile is put down for removal.
    """
    query = sql.SQL("""
        UPDATE ecg_reports AS p
        SET
            upload_status = 'uploaded',
            cloud_service = %(cloud_service)s,
            cloud_url = %(cloud_url)s,
            report_date = coalesce(p.report_date, %(at)s),
            uploaded_at = %(at)s
        WHERE p.report_id = %(report_id)s AND p.upload_status <> 'uploaded' AND p.deleted_at IS NULL
        RETURNING {columns}
    """).format(columns=COLUMNS)
    params = {"report_id": report_id, "cloud_service": cloud_service, "cloud_url": cloud_url, "at": at}
    finished = await fetch_one(conn, Report, query, params)
    if finished is None:
        await object_removals.add_of_deleted_report(conn, report_id)
    return finished


async def fail(conn: AsyncConnection, report_id: UUID) -> None:
    """Mark a claimed report as failed; one that is uploaded stays so."""
    await conn.execute(
        "UPDATE ecg_reports SET upload_status = 'failed' WHERE report_id = %s AND upload_status = 'pending'",
        [report_id],
    )
