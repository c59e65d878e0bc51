"""Statistics: what an admin wants to know of everybody at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.accounts import User


@dataclass(frozen=True, slots=True)
class Share:
    """How many there are of one kind; None is "not stated"."""

    name: str | None
    count: int


@dataclass(frozen=True, slots=True)
class UserStatistics:
    """Users who are not deleted, but for `deleted`; days are of 24 hours, back from now."""

    total: int
    active: int
    deleted: int
    by_role: list[Share]
    new_1d: int
    new_7d: int
    new_30d: int
    logged_in_1d: int
    logged_in_7d: int
    logged_in_30d: int
    never_logged_in: int
    open_sessions: int
    patients_in_care: int


@dataclass(frozen=True, slots=True)
class DeviceStatistics:
    """Devices that are not deleted, but for `deleted`; `live` were heard of in the last minute."""

    total: int
    active: int
    deleted: int
    live: int
    seen_1d: int
    seen_7d: int
    never_seen: int
    without_owner: int
    by_type: list[Share]


@dataclass(frozen=True, slots=True)
class ReportStatistics:
    """Reports; `by_service` counts those that are uploaded by where they rest, `bytes` their files."""

    total: int
    new_1d: int
    new_7d: int
    new_30d: int
    bytes: int
    by_status: list[Share]
    by_service: list[Share]


@dataclass(frozen=True, slots=True)
class ActivityPoint:
    """One hour or day from `at` on: people and devices that recorded, for how long, and what was counted."""

    at: datetime
    active_users: int
    active_devices: int
    recorded_hours: float
    heart_rate_mean: float | None
    heart_rate_min: float | None
    heart_rate_max: float | None
    quality_mean: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Who recorded anything in a period, each counted once."""

    users: int
    devices: int
    hours: float


@dataclass(frozen=True, slots=True)
class BeatPoint:
    """The beats of one hour or day from `at` on."""

    at: datetime
    beats: int
    supraventricular: int
    ventricular: int


@dataclass(frozen=True, slots=True)
class LabelHours:
    """For how long a label stood in all; None is "nothing could be said"."""

    label: str | None
    hours: float


@dataclass(frozen=True, slots=True)
class RateShare:
    """For how many hours, of those that had a heart rate, an hour's mean lay in [from_bpm, to_bpm)."""

    from_bpm: int
    to_bpm: int | None
    hours: float


@dataclass(frozen=True, slots=True)
class UserPoint:
    """Users of one hour or day from `at` on."""

    at: datetime
    new_users: int
    logins: int
    active_users: int


@dataclass(frozen=True, slots=True)
class Recorder:
    """A user and how much they recorded."""

    user_id: UUID
    username: str
    hours: float


@dataclass(frozen=True, slots=True)
class ReportPoint:
    """Reports asked for or uploaded in one hour or day from `at` on."""

    at: datetime
    reports: int
    uploaded: int
    failed: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DevicePoint:
    """Devices of one hour or day from `at` on."""

    at: datetime
    new_devices: int
    active_devices: int
    recorded_hours: float


@dataclass(frozen=True, slots=True)
class ManagedUser(User):
    """A user as admins see one: also when they were deleted."""

    deleted_at: datetime | None
