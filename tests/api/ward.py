"""A small ward for the api's tests: four people, three devices, and what one of them recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from schemas import clock
from schemas.accounts import Caller, Device, Role, User
from schemas.alarms import AlarmEvent
from schemas.beats import Beat
from schemas.clock import index_to_us
from schemas.hrv import STRETCH_S, HrvStretch
from schemas.metrics import Metrics
from schemas.quality import LeadQuality
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY, NORMAL, RhythmEpisode
from schemas.samples import MISSING, Gap, Recording, WaveformStretch
from schemas.settings import SecuritySettings, Settings
from storage import accounts, alarms, beats, devices, hrv, metrics, reports, rhythms, samples, sessions
from storage.access import everything
from storage.accounts import NewUser
from storage.database import Connection, Database, writer
from storage.devices import NewDevice
from storage.objects import objects
from storage.reports import FinishedReport
from tests.columns import as_results
from tests.storage.made import alarm_of
from web import tokens

RATE_HZ = 360.0
STRETCH = 3600
COUNT = 20 * STRETCH
HOLE = (7 * STRETCH, 8 * STRETCH)
ENGINE = "test-1"
_ROLES: Final[dict[str, Role]] = {"ada": "user", "bob": "user", "doc": "doctor", "root": "admin"}
PDF = b"%PDF-1.7 not much of a report"


@dataclass(frozen=True, slots=True)
class Person:
    user: User
    token: str
    session_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Ward:
    """`ada` has the data; `bob` has a device and none; `doc` cares for ada; `root` is admin."""

    ada: Person
    bob: Person
    doc: Person
    root: Person
    device: Device
    bobs_device: Device
    silent_device: Device
    recording: Recording
    samples: NDArray[np.int16]
    stretches: list[HrvStretch]
    report_id: UUID
    pending_report_id: UUID
    alarm: AlarmEvent
    database: Database

    def by_name(self, name: str) -> Person:
        person: Person = getattr(self, name)
        return person


async def open_ward(settings: Settings) -> Ward:
    """Write everything through storage, as the gateway and the workers do. The caller closes `database`."""
    database = writer(settings.database)
    await database.open()
    async with database.transaction() as conn:
        people = {name: await _person(conn, settings.security, name, role) for name, role in _ROLES.items()}
        ada, bob = people["ada"].user.user_id, people["bob"].user.user_id
        await _assign(conn, people["doc"].user.user_id, ada)
        device, bobs, silent = [
            await _device(conn, owner, name) for owner, name in ((ada, "H1"), (bob, "H2"), (ada, "H3"))
        ]
        recording = _recording(device)
        signal = await _record(conn, recording)
        await _interpret(conn, recording)
        stretches = await _vary(conn, recording)
        stored = await alarms.write_alarms(conn, _alarms(recording))
        ready, waiting = await _reports(conn, settings, device)
    return Ward(
        **people,
        device=device,
        bobs_device=bobs,
        silent_device=silent,
        recording=recording,
        samples=signal,
        stretches=stretches,
        report_id=ready,
        pending_report_id=waiting,
        alarm=next(event for event in stored if event.kind == ASYSTOLE),
        database=database,
    )


async def _person(conn: Connection, security: SecuritySettings, name: str, role: Role) -> Person:
    user = await accounts.create_user(conn, NewUser(name, "$argon2id$none", role, full_name=f"{name.title()} Example"))
    now, session_id = clock.now(), uuid4()
    token = tokens.issue(Caller(user.user_id, name, role, session_id), security, now)
    await sessions.open_session(
        conn, session_id, user.user_id, tokens.token_hash(token), None, None, now + timedelta(hours=1)
    )
    return Person(user, token, session_id)


async def _assign(conn: Connection, doctor_id: UUID, patient_id: UUID) -> None:
    await conn.execute("INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", [doctor_id, patient_id])


async def _device(conn: Connection, user_id: UUID, name: str) -> Device:
    new = NewDevice(user_id, device_serial=f"SN-{name}", device_name=name)
    return await devices.register(conn, new, tokens.token_hash(tokens.new_device_token()))


def _recording(device: Device) -> Recording:
    started_at_us = clock.now_us() - index_to_us(COUNT, RATE_HZ)
    return Recording(uuid4(), device.device_id, device.user_id, started_at_us, RATE_HZ, ("MLII", "V1"), (5.0, 2.5))


async def _record(conn: Connection, recording: Recording) -> NDArray[np.int16]:
    signal = np.random.default_rng(7).integers(-32767, 32767, (2, COUNT), np.int16)
    signal[0, 100:110] = MISSING
    stretches = [_stretch(recording, first, signal) for first in range(0, COUNT, STRETCH) if first != HOLE[0]]
    await samples.write_recordings(conn, [recording])
    await samples.write_stretches(conn, stretches)
    await samples.write_gaps(conn, [Gap(recording.recording_id, *HOLE)])
    signal[:, HOLE[0] : HOLE[1]] = MISSING
    return signal


def _stretch(recording: Recording, first_index: int, signal: NDArray[np.int16]) -> WaveformStretch:
    return WaveformStretch(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        first_index=first_index,
        started_at_us=recording.started_at_us + index_to_us(first_index, RATE_HZ),
        rate_hz=RATE_HZ,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        samples=signal[:, first_index : first_index + STRETCH],
    )


async def _interpret(conn: Connection, recording: Recording) -> None:
    started, device_id, recording_id = recording.started_at_us, recording.device_id, recording.recording_id
    peaks = range(0, COUNT, 300)
    found = [Beat(device_id, recording_id, i, started + index_to_us(i, RATE_HZ), "N", 99.0, ENGINE) for i in peaks]
    seconds = range(int(COUNT / RATE_HZ))
    figures = [
        Metrics(device_id, recording_id, started + second * 1_000_000, ENGINE, heart_rate_bpm=72.0, qtc_ms=401.5,
                qtc_bazett_ms=410.5, st80_mv=0.25, t_axis_deg=40.0, arrhythmia_type=NORMAL, arrhythmia_confidence=92.5,
                quality=0.875, main_lead="MLII", leads=(LeadQuality("MLII", 0.875), LeadQuality("V1", 0.5, ("noise",))))
        for second in seconds
    ]  # fmt: skip
    episode = RhythmEpisode(device_id, recording_id, 0, NORMAL, "opened", started, started + 1, 90.0, ENGINE)
    await beats.write_beats(conn, as_results(found))
    await metrics.write_metrics(conn, as_results(metrics=figures), {device_id: recording.user_id})
    await rhythms.write_rhythms(conn, [episode])


async def _vary(conn: Connection, recording: Recording) -> list[HrvStretch]:
    """The stretch in which the recording began, and the next one, without figures."""
    number = clock.now_us() // 1_000_000 // STRETCH_S - 1
    starts = [clock.to_datetime((number + n) * STRETCH_S * 1_000_000) for n in (0, 1)]
    known = HrvStretch(
        device_id=recording.device_id, stretch_start=starts[0], user_id=recording.user_id, beats=370, nn_count=360,
        nn_share=0.97, af_share=0.0, reason=None, engine_version=ENGINE, hrv_version="hrv-test",
        last_beat_at=starts[1], sdnn_ms=45.5,
    )  # fmt: skip
    refused = replace(known, stretch_start=starts[1], reason="little_nn", sdnn_ms=None)
    await hrv.write_hrv(conn, [known, refused], clock.now())
    return [known, refused]


def _alarms(recording: Recording) -> list[AlarmEvent]:
    """One of each priority; the last is over."""
    told: list[tuple[str, int | None]] = [(ASYSTOLE, None), (ATRIAL_FIBRILLATION, None), (BIGEMINY, 9)]
    return [alarm_of(recording, kind, recording.started_at_us, 0, ended_s) for kind, ended_s in told]


async def _reports(conn: Connection, settings: Settings, device: Device) -> tuple[UUID, UUID]:
    store = objects(settings.objects, settings.security, settings.http)
    await store.ensure()
    ready, waiting, at = uuid4(), uuid4(), clock.now()
    for report_id in (ready, waiting):
        filename = f"ecg “{report_id}”.pdf"
        await reports.request_report(conn, report_id, device.device_id, device.user_id, filename, None, None, None, at)
    key = f"reports/{ready}.pdf"
    await store.put(key, PDF, "application/pdf")
    await reports.finish_report(
        conn, ready, FinishedReport(key, len(PDF), store.service, 72, None, None, None, None, None, at, at)
    )
    assert (await reports.report(conn, everything(), ready)).upload_status == "uploaded"
    return ready, waiting
