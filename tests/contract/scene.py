"""People of each role, and a patient of whom everything exists, made anew for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid4

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts

from leadwire.front import Front
from schemas import clock
from schemas.accounts import Caller, Role, User
from schemas.rhythms import ASYSTOLE
from schemas.samples import Recording
from schemas.settings import Settings
from storage import accounts, alarms, care, devices, reports, samples, sessions
from storage.accounts import NewUser
from storage.database import Connection, Database
from storage.devices import NewDevice
from storage.objects import objects
from storage.reports import FinishedReport
from tests.storage.made import RATE_HZ, a_beat, alarm_of, metrics_at, write_beats, write_metrics
from web import tokens

PASSWORD: Final = "correct horse battery"
PDF: Final = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
_LENGTH_S: Final = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in."""

    user: User
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Patient:
    """A person of whom one of everything exists, and the device it came from."""

    person: Person
    device_headers: Mapping[str, str]
    ids: dict[str, str]
    """By the names they have in paths: user_id, device_id, recording_id …; doctor_id is a doctor of theirs."""


@dataclass(slots=True)
class Scene:
    """Both applications, and the database behind them."""

    settings: Settings
    api: FastAPI
    gateway: FastAPI
    database: Database
    _calls: int = field(default=0, init=False)

    @property
    def prefix(self) -> str:
        return self.settings.http.prefix

    def front(self) -> Front:
        return Front(self.api, self.gateway, f"{self.prefix}/ecg/samples")

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """From an address of its own, at the origin."""
        self._calls += 1
        address = f"10.{self._calls >> 16 & 255}.{self._calls >> 8 & 255}.{self._calls & 255}"
        transport = httpx.ASGITransport(self.front(), client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url="http://origin", headers=headers)

    async def person(self, role: Role) -> Person:
        async with self.database.transaction() as conn:
            return await self._person(conn, role)

    async def patient(self, doctor: Person | None = None) -> Patient:
        """In the care of a doctor of their own, and of `doctor` if one is given."""
        async with self.database.transaction() as conn:
            person = await self._person(conn, "user")
            attending = await self._person(conn, "doctor")
            for each in filter(None, (doctor, attending)):
                await care.assign(conn, person.user.user_id, each.user.user_id, clock.now())
            token = tokens.new_device_token()
            new = NewDevice(person.user.user_id, device_serial=f"SN-{uuid4()}")
            device = await devices.register(conn, new, tokens.token_hash(token))
            recording = await _recording(conn, device.device_id, person.user.user_id)
            ids = {"user_id": str(person.user.user_id), "device_id": str(device.device_id)}
            ids["doctor_id"] = str(attending.user.user_id)
            ids["recording_id"] = str(recording.recording_id)
            ids["metric_id"] = await _metric(conn, device.device_id)
            [alarm] = await alarms.write_alarms(conn, [alarm_of(recording, ASYSTOLE, recording.started_at_us)])
            ids["alarm_id"] = str(alarm.alarm_id)
        ids["report_id"] = await self._report(device.device_id, person.user.user_id)
        ids["file_id"] = ids["report_id"]  # reports are files, too
        return Patient(person, {"Authorization": f"Bearer {token}"}, ids)

    async def _person(self, conn: Connection, role: Role) -> Person:
        user = await accounts.create_user(conn, NewUser(f"{role}-{uuid4().hex[:12]}", _password_hash(), role))
        caller, at = Caller(user.user_id, user.username, role, uuid4()), clock.now()
        token = tokens.issue(caller, self.settings.security, at)
        until = at + timedelta(hours=1)
        hashed = tokens.token_hash(token)
        await sessions.open_session(conn, caller.session_id, user.user_id, hashed, None, None, until)
        return Person(user, {"Authorization": f"Bearer {token}"})

    async def _report(self, device_id: UUID, user_id: UUID) -> str:
        store = objects(self.settings.objects, self.settings.security, self.settings.http)
        report_id, at = uuid4(), clock.now()
        key = f"reports/{report_id}.pdf"
        await store.put(key, PDF, "application/pdf")
        finished = FinishedReport(key, len(PDF), store.service, 72, None, None, None, None, None, at, at)
        async with self.database.transaction() as conn:
            await reports.request_report(conn, report_id, device_id, user_id, "report.pdf", None, None, None, at)
            await reports.finish_report(conn, report_id, finished)
        return str(report_id)


def served(app: FastAPI, prefix: str) -> dict[str, APIRoute | APIWebSocketRoute]:
    """Every route of an application under `METHOD path`, the path without the prefix; the dashboard is none."""
    told = {}
    for route in iter_route_contexts(app.routes):
        original = route.original_route
        if isinstance(original, APIRoute | APIWebSocketRoute):
            path = str(route.path_format).removeprefix(f"{prefix}/")
            methods = route.methods if isinstance(original, APIRoute) else {"WS"}
            told.update(dict.fromkeys((f"{method} {path}" for method in methods or ()), original))
    return told


@lru_cache(maxsize=1)
def _password_hash() -> str:
    """Made as web.tokens makes one, once for all: 50 ms each time would be most of the suite."""
    return PasswordHasher().hash(PASSWORD)


async def _recording(conn: Connection, device_id: UUID, user_id: UUID) -> Recording:
    started_at_us = clock.now_us() - _LENGTH_S * 1_000_000
    made = Recording(uuid4(), device_id, user_id, started_at_us, RATE_HZ, ("MLII", "V1"), (5.0, 5.0))
    await samples.write_recordings(conn, [made])
    await write_beats(conn, [a_beat(made, 200), a_beat(made, 400)])
    await write_metrics(conn, [metrics_at(made, second) for second in range(3)], {device_id: user_id})
    return made


async def _metric(conn: Connection, device_id: UUID) -> str:
    cursor = await conn.execute("SELECT metric_id FROM ecg_metrics WHERE device_id = %s LIMIT 1", [device_id])
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])
