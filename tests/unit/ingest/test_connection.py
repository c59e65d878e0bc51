"""A person stays logged in: a token that has ended is renewed once, for all who need it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from ingest.client import AsyncClient
from schemas.errors import TooFast, Unauthenticated
from tests.unit.ingest.test_client import USER

METRIC = {"metric_id": str(UUID(int=7)), "device_id": str(UUID(int=8)), "recorded_at": "2026-01-01T00:00:00Z"}


class Doorkeeper:
    """Knows one access token and one refresh token at a time, as the gateway does."""

    def __init__(self, *, renews: bool = True) -> None:
        self.number = 0
        self.renews = renews
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.paths.append(path)
        body = await request.aread()
        if path == "/auth/login" or (path == "/auth/refresh-token" and self._may_renew(body)):
            return self._logged_in()
        await asyncio.sleep(0)
        if request.headers.get("authorization") != f"Bearer access-{self.number}":
            return httpx.Response(401, json={"detail": "the access token has expired; renew it"})
        self.bodies.append(body)
        return httpx.Response(200, json=USER if path == "/auth/me" else METRIC)

    def expire(self) -> None:
        self.number += 1

    def _may_renew(self, body: bytes) -> bool:
        token = json.loads(body)["refresh_token"]
        return self.renews and token == f"refresh-{self.number - 1}"

    def _logged_in(self) -> httpx.Response:
        self.number += 1
        told = {"access_token": f"access-{self.number}", "refresh_token": f"refresh-{self.number}", "expires_in": 60}
        return httpx.Response(200, json=told | {"user": USER})

    async def client(self) -> AsyncClient:
        client = AsyncClient("http://test", transport=httpx.MockTransport(self))
        await client.login("ann", "secret")
        return client


async def test_an_access_token_that_has_ended_is_renewed_and_the_request_sent_again() -> None:
    door = Doorkeeper()
    client = await door.client()
    door.expire()
    assert (await client.me()).username == "ann"
    assert door.paths == ["/auth/login", "/auth/me", "/auth/refresh-token", "/auth/me"]


async def test_many_requests_at_once_renew_it_once() -> None:
    door = Doorkeeper()
    client = await door.client()
    door.expire()
    await asyncio.gather(*(client.me() for _ in range(20)))
    assert door.paths.count("/auth/refresh-token") == 1


async def test_when_renewing_is_refused_the_person_must_log_in_again() -> None:
    door = Doorkeeper(renews=False)
    client = await door.client()
    door.expire()
    with pytest.raises(Unauthenticated):
        await client.me()
    assert door.paths.count("/auth/me") == 1


async def test_a_file_is_sent_whole_again_after_a_renewal(tmp_path: Path) -> None:
    door = Doorkeeper()
    client = await door.client()
    file = tmp_path / "ecg.pdf"
    file.write_bytes(b"%PDF" + bytes(100_000))
    door.expire()
    with pytest.raises(ValueError, match="report_id"):  # the doorkeeper answers with metrics
        await client.upload_report(file, patient_name="Ada", patient_age=36, device_id=None)
    [body] = door.bodies
    assert file.read_bytes() in body
    assert b'name="patient_age"\r\n\r\n36' in body
    assert b"device_id" not in body


async def test_metrics_answer_where_they_are_kept() -> None:
    client = await Doorkeeper().client()
    kept = await client.upload_metrics(heart_rate=72, arrhythmia_type="Normal Sinus Rhythm")
    assert (kept.metric_id, kept.device_id) == (UUID(int=7), UUID(int=8))


@pytest.mark.parametrize(("header", "wait_s"), [({"Retry-After": "37"}, 37), ({}, 10), ({"Retry-After": "soon"}, 10)])
async def test_too_fast_tells_for_how_long_to_wait(header: dict[str, str], wait_s: int) -> None:
    answer = httpx.Response(429, json={"detail": "wait"}, headers=header)
    client = AsyncClient("http://test", transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(TooFast) as told:
        await client.me()
    assert told.value.retry_after_s == wait_s


async def test_after_logout_the_client_is_nobody() -> None:
    door = Doorkeeper()
    client = await door.client()
    await client.logout()
    with pytest.raises(Unauthenticated):
        await client.me()
    assert "/auth/refresh-token" not in door.paths
