"""Reports: PDF pages about a period of a device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ReportState = Literal["requested", "ready", "failed"]
UploadStatus = Literal["pending", "uploaded", "failed"]


@dataclass(frozen=True, slots=True)
class ReportEvent:
    """Something happened to a report; identity (report_id, state). The period is half-open, UTC microseconds."""

    report_id: UUID
    device_id: UUID
    state: ReportState
    period_start_us: int
    period_end_us: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A row of ecg_reports, under the seed system's names."""

    report_id: UUID
    user_id: UUID | None
    device_id: UUID | None
    filename: str
    file_path_s3: str | None
    file_size: int | None
    file_type: str
    heart_rate: int | None
    pr_interval: int | None
    qrs_duration: int | None
    qtc_interval: int | None
    st_segment: str | None
    qrs_axis: str | None
    patient_name: str | None
    patient_age: int | None
    report_date: datetime | None
    machine_serial: str | None
    upload_status: UploadStatus
    cloud_service: str | None
    cloud_url: str | None
    created_at: datetime
    uploaded_at: datetime | None
    sha256: str | None
