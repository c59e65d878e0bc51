"""The front desk: people of each role, a gateway to send to, and what it left in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx

from ingest.device_cache import DeviceCache
from ingest.gateway import application, look_up
from ingest.producer import SampleProducer
from ingest.rooms import WriteRooms
from schemas import clock
from schemas.accounts import Caller, Role
from schemas.settings import KafkaSettings, RateSettings, SecuritySettings, Settings
from storage import accounts, sessions
from storage.accounts import NewUser
from storage.cache import MemoryCache
from storage.counts import MemoryCounts
from storage.database import Database, writer
from storage.objects import Objects, objects
from web import callers, tokens
from web.limits import Limits

PASSWORD: Final = "correct horse battery"
UNLIMITED: Final = RateSettings.model_validate(dict.fromkeys(RateSettings.model_fields, ""))
"""A suite's people all come from one address, within a minute."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in."""

    user_id: UUID
    username: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Desk:
    """One person of each role, and the database behind the gateway."""

    database: Database
    admin: Person
    doctor: Person
    user: Person

    async def value(self, query: str, *parameters: object) -> Any:
        """The first column of the first row, None when there is no row."""
        async with self.database.transaction() as conn:
            cursor = await conn.execute(query, parameters)
            row = await cursor.fetchone()
        return row[0] if row else None

    async def audited(self, subject: object) -> list[str]:
        """What was done to a subject, in its order."""
        query = "SELECT array_agg(action ORDER BY at) FROM audit_log WHERE subject = %s"
        return await self.value(query, str(subject)) or []


async def open_desk(database: Database, security: SecuritySettings) -> Desk:
    """Everybody comes in by the back door: straight through storage."""
    admin, doctor, user = [await _person(database, security, role) for role in ("admin", "doctor", "user")]
    return Desk(database, admin, doctor, user)


async def arrive(http: httpx.AsyncClient) -> Person:
    """Somebody who registered and logged in, as anyone may."""
    username = f"newcomer-{uuid4().hex[:12]}"
    credentials = {"username": username, "password": PASSWORD}
    made = await http.post("/auth/register", json=credentials)
    assert made.status_code == 201
    login = await http.post("/auth/login", json=credentials)
    return Person(UUID(made.json()["user_id"]), username, login.json()["access_token"])


@asynccontextmanager
async def serving(
    settings: Settings,
    kafka: KafkaSettings,
    timeout_s: float = 5.0,
    limits: Limits | None = None,
    store: Objects | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway in this process, at its prefix; `timeout_s` is how long it waits for Kafka.

    Its objects rest in `store`, or where the settings say.
    """
    database = writer(settings.database)
    cache = DeviceCache(look_up(database), lambda: 0.0)
    producer = SampleProducer(kafka, timeout_s=timeout_s)
    door = callers.door(database, settings.security)
    app = application(
        WriteRooms(
            database=database,
            producer=producer,
            devices=cache,
            objects=store or objects(settings.objects, settings.security, settings.http),
            cache=MemoryCache(),
            http=settings.http,
            security=settings.security,
            limits=limits or Limits(UNLIMITED, MemoryCounts()),
        ),
        replace(door, device_by_token=cache.by_token),
    )
    base_url = f"http://gateway{settings.http.prefix}"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url) as client,
    ):
        yield client


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, its shape asserted."""
    told: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told.keys() - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert told["status"] == answer.status_code
    return told


async def _person(database: Database, security: SecuritySettings, role: Role) -> Person:
    at = clock.now()
    async with database.transaction() as conn:
        user = await accounts.create_user(conn, NewUser(f"the-{role}", "$argon2id$none", role))
        caller = Caller(user.user_id, user.username, role, uuid4())
        token = tokens.issue(caller, security, at)
        hashed, until = tokens.token_hash(token), at + timedelta(hours=1)
        await sessions.open_session(conn, caller.session_id, user.user_id, hashed, None, None, until)
    return Person(user.user_id, user.username, token)
