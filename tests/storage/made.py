"""People, devices and what they recorded, made for one test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

import numpy as np
from psycopg import AsyncConnection

from schemas.accounts import Caller, Device, Role, User
from schemas.alarms import KIND_BY_NAME, AlarmEvent, alarm_id, state_of
from schemas.beats import Beat, BeatClass, Fiducials
from schemas.clock import index_to_us, to_datetime
from schemas.hrv import STRETCH_S, HrvStretch
from schemas.metrics import Metrics
from schemas.pages import PageRequest
from schemas.rhythms import NORMAL, EpisodeState, RhythmEpisode
from schemas.samples import Recording, WaveformStretch
from storage import beats, metrics
from storage.access import Access, for_caller
from storage.accounts import NewUser, create_user
from storage.devices import NewDevice, register
from storage.metrics_latest import LatestFilter, latest_page
from storage.metrics_rows import MetricsRow
from storage.samples import write_recordings
from tests.columns import as_results

START_US = 1_767_225_600_000_000  # 2026-01-01 00:00 UTC
RATE_HZ = 250.0
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


@dataclass(frozen=True, slots=True)
class Patient:
    """A user with one device and one recording of it."""

    user: User
    device: Device
    recording: Recording

    @property
    def owner(self) -> dict[UUID, UUID | None]:
        """Whose the device is, as write_metrics wants to know it."""
        return {self.device.device_id: self.user.user_id}

    @property
    def access(self) -> Access:
        return access_of(self.user)


async def write_beats(conn: AsyncConnection, made: Sequence[Beat]) -> None:
    """As a worker writes them, in columns."""
    await beats.write_beats(conn, as_results(beats=made))


async def write_metrics(
    conn: AsyncConnection, made: Sequence[Metrics], owner: Mapping[UUID, UUID | None], every_s: int = 1
) -> None:
    """As a worker writes them, in columns."""
    await metrics.write_metrics(conn, as_results(metrics=made), owner, every_s)


async def a_user(conn: AsyncConnection, role: Role = "user") -> User:
    return await create_user(conn, NewUser(f"user-{uuid4()}", HASH, role))


async def a_device(conn: AsyncConnection, user_id: UUID | None) -> Device:
    return await register(conn, NewDevice(user_id), uuid4().bytes)


async def a_patient(conn: AsyncConnection, started_at_us: int = START_US) -> Patient:
    user = await a_user(conn)
    device = await a_device(conn, user.user_id)
    recording = replace(a_recording(device), started_at_us=started_at_us)
    await write_recordings(conn, [recording])
    return Patient(user, device, recording)


def access_of(user: User) -> Access:
    return for_caller(Caller(user.user_id, user.username, user.role, uuid4()))


def a_recording(device: Device, recording_id: UUID | None = None) -> Recording:
    return Recording(
        recording_id=recording_id or uuid4(),
        device_id=device.device_id,
        user_id=device.user_id,
        started_at_us=START_US,
        rate_hz=RATE_HZ,
        leads=("MLII", "V1"),
        uv_per_lsb=(4.882813, 1 / 3),
    )


def a_stretch(recording: Recording, first_index: int, count: int) -> WaveformStretch:
    """Samples whose values tell their index and lead."""
    index = np.arange(first_index, first_index + count)
    return WaveformStretch(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        first_index=first_index,
        started_at_us=recording.started_at_us + index_to_us(first_index, recording.rate_hz),
        rate_hz=recording.rate_hz,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        samples=np.stack([index % 30_000, -(index % 30_000)]).astype(np.int16),
    )


def a_beat(recording: Recording, r_index: int, beat_class: BeatClass = "N") -> Beat:
    return Beat(
        device_id=recording.device_id,
        recording_id=recording.recording_id,
        r_index=r_index,
        at_us=recording.started_at_us + index_to_us(r_index, recording.rate_hz),
        beat_class=beat_class,
        confidence=97.5,
        engine_version="test-1",
        rr_ms=800.25,
        qrs_ms=96,
        fiducials=Fiducials(qrs_onset=r_index - 12, qrs_offset=r_index + 12),
    )


def a_hrv_stretch(recording: Recording, number: int = 0, **figures: object) -> HrvStretch:
    """The recording's five minutes of that number; its last beat is ten seconds into it."""
    start_us = START_US + number * STRETCH_S * 1_000_000
    values: dict[str, object] = {"nn_share": 0.95, "af_share": 0.0, "reason": None, "sdnn_ms": 45.5, "rmssd_ms": 32.25}
    return HrvStretch(
        device_id=recording.device_id,
        stretch_start=to_datetime(start_us),
        user_id=recording.user_id,
        beats=360,
        nn_count=350,
        engine_version="test-1",
        hrv_version="hrv-test",
        last_beat_at=to_datetime(start_us + 10_000_000),
        **(values | figures),  # type: ignore[arg-type]  # the test that calls names real fields
    )


def metrics_at(recording: Recording, second: int, **figures: object) -> Metrics:
    values: dict[str, object] = {
        "heart_rate_bpm": 75.4,
        "quality": 0.875,
        "arrhythmia_type": NORMAL,
        "arrhythmia_confidence": 95.5,
    }
    return Metrics(
        device_id=recording.device_id,
        recording_id=recording.recording_id,
        window_start_us=recording.started_at_us + second * 1_000_000,
        engine_version="test-1",
        **(values | figures),  # type: ignore[arg-type]  # the test that calls names real fields
    )


def an_episode(recording: Recording, state: EpisodeState, seconds: int, first_r_index: int = 100) -> RhythmEpisode:
    started_at_us = recording.started_at_us + index_to_us(first_r_index, recording.rate_hz)
    return RhythmEpisode(
        device_id=recording.device_id,
        recording_id=recording.recording_id,
        first_r_index=first_r_index,
        label=NORMAL,
        state=state,
        started_at_us=started_at_us,
        ended_at_us=started_at_us + seconds * 1_000_000,
        confidence=90.5,
        engine_version="test-1",
    )


def alarm_of(recording: Recording, kind: str, start_us: int, at_s: int = 0, ended_s: int | None = None) -> AlarmEvent:
    """An alarm of the recording's device as the worker tells it, with its patient."""
    told, began_at_us = KIND_BY_NAME[kind], start_us + at_s * 1_000_000
    return AlarmEvent(
        alarm_id=alarm_id(recording.device_id, kind, began_at_us),
        device_id=recording.device_id,
        recording_id=recording.recording_id,
        user_id=recording.user_id,
        kind=kind,
        priority=told.priority,
        category=told.category,
        latching=told.latching,
        state=state_of(latching=told.latching, ended=ended_s is not None, acknowledged=False),
        began_at_us=began_at_us,
        raised_at_us=began_at_us + 1_000_000,
        ended_at_us=None if ended_s is None else start_us + ended_s * 1_000_000,
        acknowledged_at_us=None,
        acknowledged_by=None,
        value=None,
        limit=None,
        confidence=88.0,
    )


async def latest_metrics(
    conn: AsyncConnection,
    access: Access,
    user_id: UUID | None = None,
    device_id: UUID | None = None,
    since: datetime | None = None,
) -> list[MetricsRow]:
    """All pages of the newest metrics at once."""
    wanted = LatestFilter(user_id, device_id, since)
    return (await latest_page(conn, access, wanted, PageRequest(limit=1_000_000))).items
