"""A route's signature says who may call it, and everyone else learns what to do."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from schemas import clock
from schemas.accounts import Caller, DeviceCaller, Role
from schemas.settings import SecuritySettings
from web import callers, problems, tokens
from web.callers import Admin, AnyDevice, Door, Person, Session

SETTINGS = SecuritySettings.model_validate({"secret_key": "k" * 64})
DEVICE = DeviceCaller(uuid4(), None)
DEVICE_TOKEN = tokens.new_device_token()
OPEN, CLOSED = uuid4(), uuid4()


async def _session(caller: Caller) -> Session | None:
    return Session() if caller.session_id == OPEN else None


async def _by_token(token_hash: bytes) -> DeviceCaller | None:
    return DEVICE if token_hash == tokens.token_hash(DEVICE_TOKEN) else None


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    callers.install(app, Door(SETTINGS, _session, _by_token))

    @app.get("/person")
    async def person(caller: Person) -> str:
        return caller.username

    @app.get("/admin")
    async def admin(caller: Admin) -> str:
        return caller.username

    @app.get("/device")
    async def device(caller: AnyDevice) -> UUID:
        return caller.device_id

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def _bearer(role: Role, session_id: UUID = OPEN) -> dict[str, str]:
    token = tokens.issue(Caller(uuid4(), "ada", role, session_id), SETTINGS, clock.now())
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/person", _bearer("user"), 200),
        ("/person", {"Authorization": _bearer("user")["Authorization"].replace("Bearer", "bearer")}, 200),
        ("/person", _bearer("user", CLOSED), 401),
        ("/person", {}, 401),
        ("/person", {"Authorization": "Basic YTpi"}, 401),
        ("/person", {"Authorization": f"Bearer {DEVICE_TOKEN}"}, 401),
        ("/admin", _bearer("admin"), 200),
        ("/admin", _bearer("doctor"), 403),
        ("/admin", {}, 401),
        ("/device", {"Authorization": f"Bearer {DEVICE_TOKEN}"}, 200),
        ("/device", {"X-Device-Token": DEVICE_TOKEN}, 200),
        ("/device", {"X-Device-Token": DEVICE_TOKEN + "x"}, 401),
        ("/device", _bearer("admin"), 401),
        ("/device", {}, 401),
    ],
)
async def test_each_kind_of_caller_passes_its_own_door_only(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == status, answer.text


async def test_a_refusal_says_what_to_do(client: httpx.AsyncClient) -> None:
    assert "log in again" in (await client.get("/person", headers=_bearer("user", CLOSED))).json()["detail"]
    assert "ask an admin" in (await client.get("/admin", headers=_bearer("user"))).json()["detail"]
    assert "rotate" in (await client.get("/device", headers={"X-Device-Token": "lwd_lost"})).json()["detail"]


async def test_the_openapi_document_names_the_schemes(client: httpx.AsyncClient) -> None:
    schemes = (await client.get("/openapi.json")).json()["components"]["securitySchemes"]
    assert set(schemes) == {"Person", "Device", "DeviceHeader"}
