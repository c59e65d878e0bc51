"""Reports: a row from the moment one is asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.errors import NotFound
from schemas.pages import Page, PageRequest
from schemas.reports import Report
from storage import object_removals, pages
from storage.access import Access, everything
from storage.pages import Key, Listing
from storage.rows import fetch_one, given, where

COLUMNS: Final = sql.SQL("""
    p.report_id, p.user_id, p.device_id, p.filename, p.file_path_s3, p.file_size, p.file_type, p.heart_rate,
    p.pr_interval, p.qrs_duration, p.qtc_interval, p.st_segment, p.qrs_axis, p.patient_name, p.patient_age,
    p.report_date, p.machine_serial, p.upload_status, p.cloud_service, p.cloud_url, p.created_at, p.uploaded_at,
    encode(p.sha256, 'hex') AS sha256""")

NEWEST_FIRST: Final = (Key("p.created_at", "timestamptz"), Key("p.report_id", "uuid"))
"""Descending."""


@dataclass(frozen=True, slots=True)
class FinishedReport:
    """What is known once the file rests in the object store; intervals in whole ms."""

    key: str
    size: int
    cloud_service: str
    heart_rate: int | None
    pr_interval: int | None
    qrs_duration: int | None
    qtc_interval: int | None
    st_segment: str | None
    qrs_axis: str | None
    report_date: datetime
    uploaded_at: datetime
    cloud_url: str | None = None
    sha256: bytes | None = None


async def request_report(
    conn: AsyncConnection,
    report_id: UUID,
    device_id: UUID,
    user_id: UUID | None,
    filename: str,
    patient_name: str | None,
    patient_age: int | None,
    machine_serial: str | None,
    at: datetime,
) -> Report:
    """A pending report; asking again with the same id changes nothing and answers with the row there is."""
    await conn.execute(
        """
        INSERT INTO ecg_reports (
            report_id, device_id, user_id, filename, patient_name, patient_age, machine_serial, created_at
        )
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (report_id) DO NOTHING
        """,
        [report_id, device_id, user_id, filename, patient_name, patient_age, machine_serial, at],
    )
    return await report(conn, everything(), report_id)


async def finish_report(conn: AsyncConnection, report_id: UUID, finished: FinishedReport) -> None:
    """Mark a report as uploaded; finishing it again changes nothing. Raises NotFound.

    The file of one that was deleted meanwhile goes again.
    """
    cursor = await conn.execute(
        """
        UPDATE ecg_reports
        SET
            upload_status = 'uploaded',
            file_path_s3 = %(key)s,
            file_size = %(size)s,
            cloud_service = %(cloud_service)s,
            cloud_url = %(cloud_url)s,
            sha256 = %(sha256)s,
            heart_rate = %(heart_rate)s,
            pr_interval = %(pr_interval)s,
            qrs_duration = %(qrs_duration)s,
            qtc_interval = %(qtc_interval)s,
            st_segment = %(st_segment)s,
            qrs_axis = %(qrs_axis)s,
            report_date = %(report_date)s,
            uploaded_at = coalesce(uploaded_at, %(uploaded_at)s)
        WHERE report_id = %(report_id)s
        """,
        {**asdict(finished), "report_id": report_id},
    )
    if cursor.rowcount == 0:
        raise not_found(report_id)
    await object_removals.add_of_deleted_report(conn, report_id)


async def fail_report(conn: AsyncConnection, report_id: UUID, at: datetime) -> None:
    """Mark a pending report as failed at `at`; one that is uploaded stays so."""
    await conn.execute(
        """
        UPDATE ecg_reports
        SET upload_status = 'failed', report_date = %s
        WHERE report_id = %s AND upload_status = 'pending'
        """,
        [at, report_id],
    )


async def report(conn: AsyncConnection, access: Access, report_id: UUID) -> Report:
    """One report. Raises NotFound."""
    query = sql.SQL("""
        SELECT {columns}
        FROM ecg_reports AS p
        WHERE p.report_id = %(report_id)s AND p.deleted_at IS NULL AND {scope}
    """).format(columns=COLUMNS, scope=access.clause("p.user_id"))
    found = await fetch_one(conn, Report, query, {**access.params, "report_id": report_id})
    if found is None:
        raise not_found(report_id)
    return found


async def list_reports(
    conn: AsyncConnection,
    access: Access,
    page: PageRequest,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
) -> Page[Report]:
    """Reports, newest first, of one user or one device if given."""
    listing = Listing(
        columns=COLUMNS,
        source=sql.SQL("ecg_reports AS p"),
        where=where(
            access.clause("p.user_id"),
            sql.SQL("p.deleted_at IS NULL"),
            given(user_id, "p.user_id = %(user_id)s"),
            given(device_id, "p.device_id = %(device_id)s"),
        ),
        order=NEWEST_FIRST,
        descending=True,
    )
    params = {**access.params, "user_id": user_id, "device_id": device_id}
    return await pages.fetch(conn, Report, listing, page, params)


async def delete_report(conn: AsyncConnection, access: Access, report_id: UUID, at: datetime) -> Report:
    """Take a report out of sight at `at` and put its object down for removal; it answers with what there was.

    Raises NotFound.
    """
    found = await report(conn, access, report_id)
    await conn.execute("UPDATE ecg_reports SET deleted_at = %s WHERE report_id = %s", [at, report_id])
    await object_removals.add_of_deleted_report(conn, report_id)
    return found


async def oldest_asked_for(conn: AsyncConnection) -> datetime | None:
    """When the oldest report was asked for that a worker has still to write."""
    cursor = await conn.execute(
        "SELECT min(created_at) FROM ecg_reports WHERE upload_status = 'pending' AND uploaded_by IS NULL"
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def fail_asked_for(conn: AsyncConnection) -> None:
    """Give up the reports that workers have still to write: whoever wants one asks again."""
    await conn.execute(
        "UPDATE ecg_reports SET upload_status = 'failed' WHERE upload_status = 'pending' AND uploaded_by IS NULL"
    )


def not_found(report_id: UUID) -> NotFound:
    """The error of a report that is not there, or not the caller's."""
    return NotFound(f"no report {report_id} among those you may see; list them with GET ecg/reports")
