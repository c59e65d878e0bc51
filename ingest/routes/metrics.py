"""metrics: the figures that a desktop app or a device measured itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from ingest.people import Text
from ingest.rooms import Rooms, WriteRooms, address_of
from schemas import clock
from schemas.accounts import Caller, Device, DeviceCaller
from schemas.errors import Forbidden, Malformed
from storage import accounts, audit, metrics_posted
from storage.access import everything, for_caller
from storage.database import Connection
from storage.metrics_posted import PostedMetrics
from storage.metrics_rows import MetricsRow
from web.callers import Sender
from web.problems import documented

router = APIRouter(prefix="/ecg/metrics", tags=["Metrics"])

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _as_text(value: object) -> object:
    """Old clients send a level or an axis as a number."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


_Rate = Annotated[FiniteFloat, Field(ge=0, le=1000, description="Per minute")]
_Interval = Annotated[FiniteFloat, Field(ge=0, le=10_000, description="ms")]
_Said = Annotated[Text, BeforeValidator(_as_text)]


class NewMetrics(BaseModel):
    """Figures of one moment, under the seed system's names; fields that are not known are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user_id: UUID | None = Field(None, description="Whose they are: yourself if not given; doctors: a patient")
    device_id: UUID | None = Field(
        None, description="Without it the only ECG device there is, else one that is made for the desktop app"
    )
    heart_rate: _Rate | None = None
    pr_interval: _Interval | None = None
    qrs_duration: _Interval | None = None
    qtc_interval: _Interval | None = None
    st_segment: Annotated[_Said, Field(max_length=50)] | None = None
    qrs_axis: Annotated[_Said, Field(max_length=20)] | None = None
    arrhythmia_type: Annotated[Text, Field(max_length=100)] | None = None
    arrhythmia_confidence: Annotated[FiniteFloat, Field(ge=0, le=100)] | None = None
    raw_data_s3_path: Annotated[Text, Field(max_length=500)] | None = None
    recorded_at: AwareDatetime | None = Field(None, description="With a time zone; now if not given")

    def posted(self, at: datetime, max_clock_skew_s: float) -> PostedMetrics:
        """What is to be stored. Raises Malformed for a moment that can't be."""
        recorded_at = self.recorded_at or at
        if not _EARLIEST <= recorded_at <= at + timedelta(seconds=max_clock_skew_s):
            raise Malformed(
                f"recorded_at {recorded_at.isoformat()} is before 1970 or further ahead of our clock than "
                f"{max_clock_skew_s:g} s; set the clock, or leave recorded_at out"
            )
        told = self.model_dump(exclude={"user_id", "device_id", "recorded_at"})
        return PostedMetrics(recorded_at=recorded_at, **told)


@router.post("", status_code=201, summary="Store metrics of one moment", responses=documented(401, 403, 404, 422, 503))
async def post_metrics(body: NewMetrics, caller: Sender, request: Request, rooms: Rooms) -> MetricsRow:
    """For yourself, as a doctor or admin for a patient, as a device for itself. Again changes nothing."""
    at = clock.now()
    posted = body.posted(at, rooms.http.max_clock_skew_s)
    if isinstance(caller, DeviceCaller):
        return await _of_device(body, posted, caller, rooms, at)
    async with rooms.database.transaction() as conn:
        device = await _device(conn, body, caller, at)
        written = await metrics_posted.write_posted(conn, device.device_id, device.user_id, posted, at)
        if written.is_new and device.user_id != caller.user_id:
            # Of one's own, a line each second would say nothing that the row doesn't.
            await audit.append(
                conn, str(caller.user_id), "metrics.create", str(written.row.metric_id), address_of(request), at,
                patient_id=device.user_id,
            )  # fmt: skip
    return written.row


async def _of_device(
    body: NewMetrics, posted: PostedMetrics, caller: DeviceCaller, rooms: WriteRooms, at: datetime
) -> MetricsRow:
    if body.device_id not in (None, caller.device_id) or body.user_id not in (None, caller.user_id):
        raise Forbidden(f"this token is device {caller.device_id}'s, which sends for itself only; leave both ids out")
    async with rooms.database.transaction() as conn:
        device = await metrics_posted.device_named(conn, everything(), caller.device_id, None)
        written = await metrics_posted.write_posted(conn, device.device_id, device.user_id, posted, at)
    return written.row


async def _device(conn: Connection, body: NewMetrics, caller: Caller, at: datetime) -> Device:
    access = for_caller(caller)
    if body.device_id is not None:
        return await metrics_posted.device_named(conn, access, body.device_id, body.user_id)
    user_id = body.user_id or caller.user_id
    await accounts.user(conn, access, user_id)
    return await metrics_posted.device_for(conn, user_id, at)
