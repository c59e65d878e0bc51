"""The rate limit refuses before anything is asked, counts good tokens by who holds them and bad ones by address."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, WebSocket

from schemas import clock
from schemas.accounts import Caller, DeviceCaller
from schemas.settings import HttpSettings, RateSettings, SecuritySettings
from storage.counts import MemoryCounts
from web import callers, middleware, problems, tokens
from web.callers import AnyDevice, Door, Person, Session
from web.limits import Limits
from web.rate_limit import RateLimit

SECURITY = SecuritySettings.model_validate({"environment": "development"})
GOOD_DEVICE = f"{tokens.DEVICE_PREFIX}good"
ONE_ADDRESS = ("10.1.1.1", 1)


class Building:
    """An application whose door counts how often it is asked."""

    def __init__(self, **rates: str) -> None:
        self.asked = 0
        self.app = FastAPI()
        door = Door(SECURITY, self.session, self.device_by_token)
        callers.install(self.app, door)
        problems.install(self.app)
        limits = Limits(RateSettings.model_validate(rates), MemoryCounts())
        middleware.install(self.app, HttpSettings.model_validate({}), "test", limits)
        self.app.get("/api/v1/me")(self.me)
        self.app.post("/api/v1/samples")(self.samples)
        self.app.post("/api/v1/auth/login")(self.anything)
        self.app.get("/health")(self.anything)
        self.app.websocket("/live")(self.live)

    async def session(self, _: Caller) -> Session:
        self.asked += 1
        return Session()

    async def device_by_token(self, token_hash: bytes) -> DeviceCaller | None:
        self.asked += 1
        return DeviceCaller(uuid4(), None) if token_hash == tokens.token_hash(GOOD_DEVICE) else None

    async def me(self, _: Person) -> int:
        return 1

    async def samples(self, _: AnyDevice) -> int:
        return 1

    async def anything(self) -> int:
        return 1

    async def live(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.close(4401 if "bearer.bad.token.indeed" in socket.scope["subprotocols"] else 1000)

    async def visit(self, path: str, *protocols: str) -> list[str]:
        """What a WebSocket is told, until the other side ends it."""
        said: list[str] = []

        async def send(message: Any) -> None:
            said.append(f"{message['type']} {message.get('status', '')}".strip())

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        scope = {
            "type": "websocket", "path": path, "headers": [], "query_string": b"", "client": ONE_ADDRESS,
            "subprotocols": list(protocols), "extensions": {"websocket.http.response": {}}, "scheme": "ws",
            "root_path": "", "raw_path": path.encode(),
        }  # fmt: skip
        await self.app(scope, receive, send)
        return said

    def client(self, address: tuple[str, int] = ONE_ADDRESS, token: str | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=address)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


def a_token() -> str:
    return tokens.issue(Caller(uuid4(), "ada", "user", uuid4()), SECURITY, clock.now())


async def statuses(client: httpx.AsyncClient, method: str, path: str, times: int) -> list[int]:
    return [(await client.request(method, path)).status_code for _ in range(times)]


async def test_who_is_refused_hears_why_and_for_how_long() -> None:
    building = Building(requests="1 per minute")
    client = building.client(token=a_token())
    assert (await client.get("/api/v1/me")).status_code == 200
    refused = await client.get("/api/v1/me")
    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
    assert int(refused.headers["retry-after"]) in range(55, 61)
    assert refused.json()["detail"].startswith("too many requests in your session; try again in ")
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert building.asked == 1  # by the one that was let in


async def test_two_people_at_one_address_have_a_rate_each() -> None:
    building = Building(requests="1 per minute", anonymous="1 per minute")
    for _ in range(3):
        assert await statuses(building.client(token=a_token()), "GET", "/api/v1/me", 2) == [200, 429]


async def test_without_a_token_the_address_is_counted() -> None:
    building = Building(anonymous="2 per minute")
    assert await statuses(building.client(), "GET", "/api/v1/me", 3) == [401, 401, 429]
    assert await statuses(building.client(("10.1.1.2", 1)), "GET", "/api/v1/me", 1) == [401]


async def test_logins_of_an_address_have_a_rate_of_their_own() -> None:
    building = Building(logins="2 per minute")
    assert await statuses(building.client(), "POST", "/api/v1/auth/login", 3) == [200, 200, 429]
    assert await statuses(building.client(), "GET", "/api/v1/me", 1) == [401]


async def test_a_devices_samples_are_counted_by_its_token() -> None:
    building = Building(samples="2 per minute", anonymous="1 per minute")
    client = building.client(token=GOOD_DEVICE)
    assert await statuses(client, "POST", "/api/v1/samples", 3) == [200, 200, 429]


@pytest.mark.parametrize("bad", [tokens.DEVICE_PREFIX + "guess", "no.token.atall", "x"])
async def test_an_address_of_many_bad_tokens_is_barred_but_not_its_good_ones(bad: str) -> None:
    building = Building(failed_tokens="3 per minute")
    path = ("POST", "/api/v1/samples") if bad.startswith(tokens.DEVICE_PREFIX) else ("GET", "/api/v1/me")
    assert await statuses(building.client(token=bad), *path, 6) == [401] * 4 + [429] * 2
    assert await statuses(building.client(token=GOOD_DEVICE), "POST", "/api/v1/samples", 2) == [200, 200]
    assert await statuses(building.client(token=a_token()), "GET", "/api/v1/me", 2) == [200, 200]
    assert await statuses(building.client(), "GET", "/api/v1/me", 1) == [401]
    assert await statuses(building.client(("10.1.1.2", 1), token=bad), *path, 1) == [401]


async def test_a_barred_address_costs_no_look_up_of_a_session() -> None:
    building = Building(failed_tokens="1 per minute")
    await statuses(building.client(token="a.b.c"), "GET", "/api/v1/me", 5)
    assert building.asked == 0


async def test_probes_are_never_refused() -> None:
    building = Building(anonymous="1 per minute")
    assert await statuses(building.client(), "GET", "/health", 5) == [200] * 5


async def test_a_socket_is_refused_before_it_opens() -> None:
    building = Building(anonymous="1 per minute")
    assert await building.visit("/live") == ["websocket.accept", "websocket.close"]
    assert await building.visit("/live") == ["websocket.http.response.start 429", "websocket.http.response.body"]


async def test_bad_tokens_of_sockets_count_too() -> None:
    building = Building(failed_tokens="1 per minute")
    visits = [await building.visit("/live", "bearer.bad.token.indeed") for _ in range(3)]
    assert [visit[0] for visit in visits] == ["websocket.accept"] * 2 + ["websocket.http.response.start 429"]


@pytest.mark.parametrize("who", ["nobody", "a person", "a device", "a barred guesser"])
async def test_an_abuser_is_refused_in_well_under_200_us(who: str) -> None:
    tight = dict.fromkeys(("anonymous", "requests", "samples", "failed_tokens"), "1 per hour")
    limits = Limits(RateSettings.model_validate(tight), MemoryCounts())
    token = {"nobody": None, "a person": a_token(), "a device": GOOD_DEVICE, "a barred guesser": "a.b.c"}[who]
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {
        "type": "http", "method": "GET", "path": "/", "headers": headers, "client": ONE_ADDRESS, "app": Building().app,
    }  # fmt: skip
    limited = RateLimit(_unknown, limits, "/api/v1")
    took_s = [await _cpu_s(lambda: limited(scope, _nothing, _to_nobody)) for _ in range(300)]
    assert median(took_s) < 200e-6


async def _cpu_s(call: Callable[[], Any]) -> float:
    began_s = time.thread_time()
    await call()
    return time.thread_time() - began_s


async def _unknown(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b""}


async def _to_nobody(_: Any) -> None:
    return None
