"""Rows out of the old system's entries: whom, which upload, which report; ids are made of the old identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final
from uuid import UUID, uuid5

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from leadwire.import_fields import Entry
from schemas.accounts import Role

NAMESPACE: Final = UUID("8d0f7a0e-7c0f-5f0a-9a53-6c6561647769")
"""The same old identity gives the same id in every import; never change it."""

_ROLES: Final[dict[str, Role]] = {
    "user": "user", "patient": "user", "doctor": "doctor", "physician": "doctor", "clinician": "doctor",
    "admin": "admin", "administrator": "admin",
}  # fmt: skip
_SERVICES: Final = {"s3": "s3", "aws": "s3", "awss3": "s3", "amazons3": "s3", "azure": "azure", "azureblob": "azure",
                    "gcs": "gcs", "gcp": "gcs", "google": "gcs", "googlecloud": "gcs", "local": "local"}  # fmt: skip
_KINDS: Final = {"report": "report", "reports": "report", "ecgreport": "report", "pdf": "report", "metric": "metric",
                 "metrics": "metric", "usersignup": "user_signup", "signup": "user_signup"}  # fmt: skip
_OUTCOMES: Final = {
    "success": "success", "successful": "success", "uploaded": "success", "ok": "success", "done": "success",
    "true": "success", "completed": "success", "failed": "failed", "failure": "failed", "error": "failed",
    "false": "failed", "duplicate": "duplicate", "alreadyuploaded": "duplicate",
}  # fmt: skip
_STATUSES: Final = {"success": "uploaded", "failed": "failed", "duplicate": "uploaded"}
_WHO: Final = ("username", "user_name", "user", "login", "uploaded_by", "owner")
_SERIALS: Final = (
    "machine_serial",
    "machine_serial_id",
    "machine_serial_number",
    "serial_number",
    "serial_id",
    "serial",
)


class Unusable(Exception):
    """An entry that can't become a row; says why and what to do."""


@dataclass(frozen=True, slots=True)
class OldUser:
    """A row of users to be; `password_hash` is None when the old one can't be used here."""

    user_id: UUID
    username: str
    password_hash: str | None
    role: Role
    email: str | None
    full_name: str | None
    age: int | None
    gender: str | None
    phone: str | None
    address: str | None
    serial_number: str | None
    is_active: bool
    created_at: datetime | None
    last_login: datetime | None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OldUpload:
    """A row of upload_logs to be, of the user of that name or serial number."""

    log_id: UUID
    username: str | None
    serial_number: str | None
    file_path: str
    filename: str
    file_type: str | None
    cloud_service: str | None
    cloud_url: str | None
    upload_status: str | None
    error_message: str | None
    uploaded_at: datetime
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OldReport:
    """A row of ecg_reports to be, of the user of that name or serial number; its file may lie beside the metadata."""

    report_id: UUID
    username: str | None
    filename: str
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
    upload_status: str | None
    cloud_service: str | None
    cloud_url: str | None
    created_at: datetime | None
    uploaded_at: datetime | None
    notes: list[str] = field(default_factory=list)


def user_of(entry: Entry) -> OldUser:
    """A user. Raises Unusable for one without a name that users can have."""
    username = entry.text(300, "username", "user_name", "login", "user", "user_id", "id")
    if username is None:
        raise Unusable("it has no username; add one to the file, and import again")
    if len(username) > 50:
        raise Unusable(f"its username has {len(username)} characters, and 50 is the limit; shorten it in the file")
    email = entry.text(255, "email", "mail", "email_address")
    return OldUser(
        user_id=uuid5(NAMESPACE, f"user:{username.lower()}"),
        username=username,
        password_hash=_usable_hash(entry),
        role=_role(entry),
        email=email if email is None or "@" in email else None,
        full_name=entry.text(255, "full_name", "name", "display_name", "patient_name"),
        age=entry.whole(0, 150, "age"),
        gender=entry.text(10, "gender", "sex"),
        phone=entry.text(20, "phone", "phone_number", "contact", "mobile"),
        address=entry.text(1000, "address"),
        serial_number=entry.text(100, *_SERIALS),
        is_active=entry.flag("is_active", "active", "status") is not False,
        created_at=entry.moment("created_at", "registered_at", "signup_date", "signup_at", "date_created"),
        last_login=entry.moment("last_login", "last_login_at"),
        notes=entry.notes,
    )


def _role(entry: Entry) -> Role:
    told = entry.choice(_ROLES, "role", "user_type")
    return _ROLES[told] if told is not None else "user"


def _usable_hash(entry: Entry) -> str | None:
    """The old hash if it is Argon2's; a plain password is not taken over, since others may have read the file."""
    told = entry.raw("password_hash", "hashed_password", "password", "hash")
    if not isinstance(told, str) or not told.startswith("$argon2id$") or len(told) > 255:
        return None
    try:
        extract_parameters(told)
    except (InvalidHashError, ValueError):
        return None
    return told


def upload_of(entry: Entry) -> OldUpload:
    """A line of the upload log. Raises Unusable for one that names no file or no moment."""
    path = entry.text(
        500, "file_path", "path", "local_path", "filepath", "file", "filename", "file_name", "name", "key"
    )
    filename = _name_of(entry.text(255, "filename", "file_name", "name") or path)
    uploaded_at = entry.moment("uploaded_at", "upload_time", "upload_date", "timestamp", "time", "date", "created_at")
    if filename is None or path is None:
        raise Unusable("it names no file; add its filename, and import again")
    if uploaded_at is None:
        raise Unusable(f"{filename} has no moment of its upload; add uploaded_at, and import again")
    username = entry.text(50, *_WHO)
    serial = entry.text(100, *_SERIALS)
    outcome = entry.choice(_OUTCOMES, "upload_status", "status", "result", "success", "uploaded")
    return OldUpload(
        log_id=uuid5(NAMESPACE, f"upload:{(username or serial or '').lower()}:{path}:{uploaded_at.isoformat()}"),
        username=username,
        serial_number=serial,
        file_path=path,
        filename=filename,
        file_type=entry.choice(_KINDS, "file_type", "type", "category", "kind"),
        cloud_service=entry.choice(_SERVICES, "cloud_service", "service", "provider", "storage"),
        cloud_url=entry.text(4000, "cloud_url", "url", "s3_url", "link"),
        upload_status=outcome,
        error_message=entry.text(4000, "error_message", "error", "reason"),
        uploaded_at=uploaded_at,
        notes=entry.notes,
    )


def report_of(entry: Entry, stem: str | None = None) -> OldReport:
    """A report. `stem` is the name of a metadata file of its own. Raises Unusable for one that names no file."""
    named = entry.text(500, "filename", "file_name", "file", "pdf", "pdf_path", "report_file", "file_path", "path")
    filename = _name_of(named) or (f"{stem}.pdf" if stem else None)
    if filename is None:
        raise Unusable("it names no file; add its filename, and import again")
    username = entry.text(50, *_WHO)
    dated = entry.moment("report_date", "date", "date_time", "timestamp", "recorded_at", "time", "generated_at")
    outcome = entry.choice(_OUTCOMES, "upload_status", "status")
    serial, patient = entry.text(100, *_SERIALS), entry.text(255, "patient_name", "full_name", "name")
    whose = username.lower() if username else f"{serial or ''}:{patient or ''}"
    identity = f"report:{whose}:{filename}:{dated.isoformat() if dated else ''}"
    return OldReport(
        report_id=uuid5(NAMESPACE, identity),
        username=username,
        filename=filename[:255],
        file_type=(PurePosixPath(filename).suffix.lstrip(".").lower() or "pdf")[:10],
        heart_rate=entry.whole(0, 1000, "heart_rate", "hr", "bpm", "heart_rate_bpm", "hr_bpm", "avg_hr"),
        pr_interval=entry.whole(0, 10_000, "pr_interval", "pr", "pr_ms", "pr_interval_ms"),
        qrs_duration=entry.whole(0, 10_000, "qrs_duration", "qrs", "qrs_ms", "qrs_duration_ms"),
        qtc_interval=entry.whole(0, 10_000, "qtc_interval", "qtc", "qtc_ms", "qtc_interval_ms"),
        st_segment=entry.text(50, "st_segment", "st", "st_mv"),
        qrs_axis=entry.text(20, "qrs_axis", "axis"),
        patient_name=patient,
        patient_age=entry.whole(0, 150, "patient_age", "age"),
        report_date=dated,
        machine_serial=serial,
        upload_status=_STATUSES.get(outcome or ""),
        cloud_service=entry.choice(_SERVICES, "cloud_service", "service", "provider"),
        cloud_url=entry.text(4000, "cloud_url", "url", "s3_url"),
        created_at=entry.moment("created_at"),
        uploaded_at=entry.moment("uploaded_at", "upload_time"),
        notes=entry.notes,
    )


def _name_of(path: str | None) -> str | None:
    """The last part of a path of either kind; never one that leads anywhere."""
    name = PureWindowsPath(path).name if path else ""
    return name if name.strip(". ") else None
