"""The same tables as a good engineer would map them in an afternoon; run in the peers' environment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):  # type: ignore[misc]  # the peers' environment has its types, ours has not
    """Every moment knows its zone."""

    type_annotation_map = {datetime: DateTime(timezone=True), Decimal: Numeric(5, 2)}  # noqa: RUF012  # SQLAlchemy's way


class User(Base):
    """A person."""

    __tablename__ = "users"
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    email: Mapped[str | None]
    full_name: Mapped[str | None]
    age: Mapped[int | None]
    gender: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    serial_number: Mapped[str | None]
    role: Mapped[str]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_login: Mapped[datetime | None]


class Care(Base):
    """Who looks after whom."""

    __tablename__ = "care_assignments"
    doctor_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    assigned_at: Mapped[datetime] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime | None]


class Device(Base):
    """A device."""

    __tablename__ = "devices"
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    device_type: Mapped[str]
    device_serial: Mapped[str | None]
    device_name: Mapped[str | None]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    firmware_version: Mapped[str | None]
    is_active: Mapped[bool]
    registered_at: Mapped[datetime]
    last_seen: Mapped[datetime | None]


class Report(Base):
    """A report."""

    __tablename__ = "ecg_reports"
    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None]
    filename: Mapped[str]
    file_path_s3: Mapped[str | None]
    file_size: Mapped[int | None]
    file_type: Mapped[str]
    heart_rate: Mapped[int | None]
    pr_interval: Mapped[int | None]
    qrs_duration: Mapped[int | None]
    qtc_interval: Mapped[int | None]
    st_segment: Mapped[str | None]
    qrs_axis: Mapped[str | None]
    patient_name: Mapped[str | None]
    patient_age: Mapped[int | None]
    report_date: Mapped[datetime | None]
    machine_serial: Mapped[str | None]
    upload_status: Mapped[str]
    cloud_service: Mapped[str | None]
    cloud_url: Mapped[str | None]
    created_at: Mapped[datetime]
    uploaded_at: Mapped[datetime | None]


class Metric(Base):
    """One row of metrics."""

    __tablename__ = "ecg_metrics"
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)
    metric_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    recording_id: Mapped[UUID | None]
    heart_rate: Mapped[int | None]
    pr_interval: Mapped[int | None]
    qrs_duration: Mapped[int | None]
    qtc_interval: Mapped[int | None]
    st_segment: Mapped[str | None]
    qrs_axis: Mapped[str | None]
    arrhythmia_type: Mapped[str | None]
    arrhythmia_confidence: Mapped[Decimal | None]
    raw_data_s3_path: Mapped[str | None]
    rr_ms: Mapped[float | None]
    qt_ms: Mapped[float | None]
    qtc_ms: Mapped[float | None]
    st_mv: Mapped[float | None]
    qrs_axis_deg: Mapped[float | None]
    quality: Mapped[float | None]
    engine_version: Mapped[str | None]


class Recording(Base):
    """A recording."""

    __tablename__ = "recordings"
    recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    rate_hz: Mapped[float]


class Beat(Base):
    """A beat."""

    __tablename__ = "ecg_beats"
    recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    r_index: Mapped[int] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(primary_key=True)
    device_id: Mapped[UUID]
    beat_class: Mapped[str]
    confidence: Mapped[float]
    rr_ms: Mapped[float | None]
    pr_ms: Mapped[float | None]
    qrs_ms: Mapped[float | None]
    qt_ms: Mapped[float | None]
    st_mv: Mapped[float | None]
    engine_version: Mapped[str]


class Rhythm(Base):
    """An episode."""

    __tablename__ = "ecg_rhythms"
    recording_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_r_index: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    device_id: Mapped[UUID]
    state: Mapped[str]
    ended_at: Mapped[datetime]
    confidence: Mapped[float]
    engine_version: Mapped[str]


class Hrv(Base):
    """Five minutes."""

    __tablename__ = "ecg_hrv"
    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    stretch_start: Mapped[datetime] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    beats: Mapped[int]
    nn_count: Mapped[int]
    nn_share: Mapped[float]
    reason: Mapped[str | None]
    mean_nn_ms: Mapped[float | None]
    sdnn_ms: Mapped[float | None]
    rmssd_ms: Mapped[float | None]
    hrv_version: Mapped[str]


class Alarm(Base):
    """An alarm."""

    __tablename__ = "ecg_alarms"
    alarm_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID]
    recording_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    kind: Mapped[str]
    priority: Mapped[str]
    category: Mapped[str]
    began_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    value: Mapped[float | None]
    confidence: Mapped[float | None]
