"""Metrics that a client measured itself: one row, in the form that the engine's have."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

import numpy as np
from psycopg import AsyncConnection, sql

from schemas.accounts import Device
from schemas.clock import to_us
from schemas.errors import NotFound
from storage import devices
from storage.access import Access, everything
from storage.arrays import uuids
from storage.devices import COLUMNS
from storage.metrics import metric
from storage.metrics_rows import MetricsRow, metric_ids
from storage.rows import fetch_all

ENGINE_VERSION: Final = "client"
QUALITY: Final = 1.0
"""Nothing is known of the signal, but whoever measured found it good enough."""

DESKTOP_APP: Final = "desktop app"
_RECORDINGS: Final = UUID("6f0a4a4e-6d2c-5a39-9d53-0d0c1c3f2a11")
"""The namespace of the recording_id of such rows, one for each device: there is no recording of that id."""


@dataclass(frozen=True, slots=True)
class PostedMetrics:
    """What a client may say of one moment: rates per minute, intervals in ms, confidence 0 to 100."""

    recorded_at: datetime
    heart_rate: float | None = None
    pr_interval: float | None = None
    qrs_duration: float | None = None
    qtc_interval: float | None = None
    st_segment: str | None = None
    qrs_axis: str | None = None
    arrhythmia_type: str | None = None
    arrhythmia_confidence: float | None = None
    raw_data_s3_path: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The row there is, and whether it was written just now."""

    row: MetricsRow
    is_new: bool


async def write_posted(
    conn: AsyncConnection, device_id: UUID, user_id: UUID | None, posted: PostedMetrics, at: datetime
) -> Written:
    """Store one moment of a device; a moment that is there already, the engine's or a client's, stays as it is.

    The device counts as heard of at `at`.
    """
    metric_id = _metric_id(device_id, posted.recorded_at)
    given = {
        **asdict(posted),
        "metric_id": metric_id,
        "user_id": user_id,
        "device_id": device_id,
        "recording_id": uuid5(_RECORDINGS, str(device_id)),
        "quality": QUALITY,
        "engine_version": ENGINE_VERSION,
    }
    cursor = await conn.execute(_WRITE, given)
    await devices.touch(conn, {device_id: at})
    return Written(await metric(conn, everything(), metric_id), cursor.rowcount == 1)


_WRITE: Final = sql.SQL("""
    INSERT INTO ecg_metrics (
        metric_id, user_id, device_id, recording_id, recorded_at,
        heart_rate, pr_interval, qrs_duration, qtc_interval, st_segment, qrs_axis,
        arrhythmia_type, arrhythmia_confidence, raw_data_s3_path,
        heart_rate_bpm, pr_ms, qrs_ms, qtc_ms, quality, engine_version
    ) VALUES (
        %(metric_id)s, %(user_id)s, %(device_id)s, %(recording_id)s, %(recorded_at)s,
        round(%(heart_rate)s::float8), round(%(pr_interval)s::float8), round(%(qrs_duration)s::float8),
        round(%(qtc_interval)s::float8), %(st_segment)s, %(qrs_axis)s,
        %(arrhythmia_type)s, coalesce(%(arrhythmia_confidence)s::float8, 0), %(raw_data_s3_path)s,
        %(heart_rate)s::float8, %(pr_interval)s::float8, %(qrs_duration)s::float8, %(qtc_interval)s::float8,
        %(quality)s, %(engine_version)s
    )
    ON CONFLICT (device_id, recorded_at) DO NOTHING
""")


def _metric_id(device_id: UUID, recorded_at: datetime) -> UUID:
    at_us = np.array([to_us(recorded_at)], np.int64)
    return UUID(bytes=metric_ids(uuids([device_id.bytes]), at_us)[0].tobytes())


async def device_for(conn: AsyncConnection, user_id: UUID, at: datetime) -> Device:
    """The device of someone who names none: their only active ECG device, else one made for it, once.

    Raises NotFound for a user who is not there.
    """
    found = await _ecg_devices(conn, user_id)
    if len(found) != 1 and not _apps(found):
        # One at a time for each user, and whoever comes second looks again.
        lock = "SELECT FROM users WHERE user_id = %s AND deleted_at IS NULL FOR NO KEY UPDATE"
        if (await conn.execute(lock, [user_id])).rowcount == 0:
            raise NotFound(f"no user {user_id}; name one of GET users, or leave user_id out")
        found = await _ecg_devices(conn, user_id)
    if len(found) == 1:
        return found[0]
    return next(iter(_apps(found)), None) or await _make_app(conn, user_id, at)


async def _ecg_devices(conn: AsyncConnection, user_id: UUID) -> list[Device]:
    query = sql.SQL("""
        SELECT {columns}
        FROM devices AS d
        WHERE d.user_id = %(user_id)s AND d.device_type = 'ecg' AND d.is_active AND d.deleted_at IS NULL
        ORDER BY d.registered_at, d.device_id
    """).format(columns=COLUMNS)
    return await fetch_all(conn, Device, query, {"user_id": user_id})


def _apps(found: list[Device]) -> list[Device]:
    return [device for device in found if device.device_name == DESKTOP_APP]


async def _make_app(conn: AsyncConnection, user_id: UUID, at: datetime) -> Device:
    """Without a token: its user posts for it."""
    query = sql.SQL("""
        INSERT INTO devices AS d (user_id, device_type, device_name, registered_at)
        VALUES (%(user_id)s, 'ecg', %(name)s, %(at)s)
        RETURNING {columns}
    """).format(columns=COLUMNS)
    [made] = await fetch_all(conn, Device, query, {"user_id": user_id, "name": DESKTOP_APP, "at": at})
    return made


async def device_named(conn: AsyncConnection, access: Access, device_id: UUID, user_id: UUID | None) -> Device:
    """An active device that the caller may see, and which is `user_id`'s if that is given. Raises NotFound."""
    device = await devices.device(conn, access, device_id)
    if not device.is_active or (user_id is not None and device.user_id != user_id):
        raise NotFound(
            f"device {device_id} is not an active one of user {user_id or device.user_id}; list theirs with "
            "GET users/{id}/devices, or leave device_id out"
        )
    return device
