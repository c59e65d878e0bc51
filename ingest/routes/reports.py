"""ecg/reports: a PDF about a period is asked for, and a worker writes it; any report is deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from fastapi import APIRouter, BackgroundTasks, Request, Response
from pydantic import AwareDatetime, BaseModel, model_validator

from ingest.people import Body
from ingest.rooms import Rooms, WriteRooms, address_of
from ingest.routes.cloud import check_may_delete
from ingest.uploads_sweeper import sweep
from schemas import clock
from schemas.accounts import Caller, Device, User
from schemas.errors import Busy
from schemas.reports import Report, ReportEvent, UploadStatus
from storage import accounts, audit, devices, reports
from storage.access import everything, for_caller
from storage.database import Connection
from web.callers import Admin, Person
from web.problems import documented

router = APIRouter(prefix="/ecg/reports", tags=["Reports"])
admin_router = APIRouter(prefix="/admin/reports", tags=["Admin"])

MAX_PERIOD: Final = timedelta(hours=24)


class ReportRequest(Body):
    """The period [start, end) of a device, at most a day; both moments with a time zone."""

    device_id: UUID
    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _check_period(self) -> ReportRequest:
        if not timedelta(0) < self.end - self.start <= MAX_PERIOD:
            raise ValueError(f"end is {self.end - self.start} after start; send a period of up to 24 hours")
        if not clock.EARLIEST_US <= clock.to_us(self.start) < clock.END_US:
            raise ValueError(f"start is {self.start.isoformat()}; send a period of the years 1900 to 2199")
        return self


class RequestedReport(BaseModel):
    """Read on at GET ecg/reports/{report_id} until upload_status is uploaded or failed."""

    report_id: UUID
    upload_status: UploadStatus


@router.post("", status_code=202, summary="Ask for a report", responses=documented(401, 404, 422, 503))
async def request_report(
    body: ReportRequest, caller: Person, request: Request, response: Response, rooms: Rooms
) -> RequestedReport:
    """Writes the pending row, then tells the workers; 503 means nobody was told, so ask again."""
    report_id, at = uuid4(), clock.now()
    async with rooms.database.transaction() as conn:
        device = await devices.device(conn, for_caller(caller), body.device_id)
        report = await _pending(conn, report_id, device, body, at)
        await audit.append(conn, str(caller.user_id), "report.request", str(report_id), address_of(request), at)
    await _tell_workers(rooms, report_id, body)
    response.headers["Location"] = f"{rooms.http.prefix}/ecg/reports/{report_id}"
    return RequestedReport(report_id=report_id, upload_status=report.upload_status)


async def _pending(conn: Connection, report_id: UUID, device: Device, body: ReportRequest, at: datetime) -> Report:
    patient: User | None = None
    if device.user_id is not None:
        patient = await accounts.user(conn, everything(), device.user_id)  # whose device the caller may see
    return await reports.request_report(
        conn,
        report_id,
        device.device_id,
        device.user_id,
        f"ecg-{device.device_id.hex[:8]}-{body.start.astimezone(UTC):%Y%m%dT%H%M%SZ}.pdf",
        patient.full_name or patient.username if patient else None,
        patient.age if patient else None,
        device.device_serial,
        at,
    )


async def _tell_workers(rooms: WriteRooms, report_id: UUID, body: ReportRequest) -> None:
    start_us, end_us = clock.to_us(body.start), clock.to_us(body.end)
    try:
        await rooms.producer.publish_report_event(ReportEvent(report_id, body.device_id, "requested", start_us, end_us))
    except Busy:
        async with rooms.database.transaction() as conn:
            await reports.fail_report(conn, report_id, clock.now())
        raise


@router.delete(
    "/{report_id}", status_code=204, summary="Delete a report", responses=documented(401, 403, 404, 422, 503)
)
async def delete_report(
    report_id: UUID, caller: Person, request: Request, rooms: Rooms, background: BackgroundTasks
) -> None:
    """For its owner and admins. It is out of every list at once; its row is kept, its file is removed after it."""
    await _delete(rooms, caller, report_id, address_of(request))
    background.add_task(sweep, rooms)


@admin_router.delete(
    "/{report_id}", status_code=204, summary="Delete anyone's report", responses=documented(401, 403, 404, 422, 503)
)
async def delete_anyones_report(
    report_id: UUID, caller: Admin, request: Request, rooms: Rooms, background: BackgroundTasks
) -> None:
    """As DELETE ecg/reports/{report_id}."""
    await _delete(rooms, caller, report_id, address_of(request))
    background.add_task(sweep, rooms)


async def _delete(rooms: WriteRooms, caller: Caller, report_id: UUID, address: str | None) -> None:
    at = clock.now()
    async with rooms.database.transaction() as conn:
        found = await reports.report(conn, for_caller(caller), report_id)
        check_may_delete(caller, found.user_id)
        await reports.delete_report(conn, for_caller(caller), report_id, at)
        actor = str(caller.user_id)
        await audit.append(conn, actor, "report.delete", str(report_id), address, at, patient_id=found.user_id)
