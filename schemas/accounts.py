"""Accounts: people, their devices, and the caller of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["user", "doctor", "admin"]
DeviceType = Literal["ecg", "cpap", "bipap", "oxygen"]


@dataclass(frozen=True, slots=True)
class User:
    """A row of users, without its password hash."""

    user_id: UUID
    username: str
    email: str | None
    full_name: str | None
    age: int | None
    gender: str | None
    phone: str | None
    address: str | None
    serial_number: str | None
    role: Role
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class Device:
    """A row of devices, without its token hash."""

    device_id: UUID
    user_id: UUID | None
    device_type: DeviceType
    device_serial: str | None
    device_name: str | None
    manufacturer: str | None
    model: str | None
    firmware_version: str | None
    is_active: bool
    registered_at: datetime
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a person with a role."""

    user_id: UUID
    username: str
    role: Role
    session_id: UUID


@dataclass(frozen=True, slots=True)
class DeviceCaller:
    """A device that makes a request with its token."""

    device_id: UUID
    user_id: UUID | None
