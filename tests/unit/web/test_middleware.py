"""Middleware bounds bodies, adds headers and names routes, for every answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from prometheus_client import REGISTRY

from schemas.settings import HttpSettings
from web import middleware, problems

LIMIT = 1024


def _app(body_limits: dict[str, int] | None = None, **settings: object) -> FastAPI:
    app = FastAPI()
    routes = APIRouter(prefix="/things")

    @routes.post("/{thing_id}/parts")
    async def length(thing_id: str, request: Request) -> int:
        return len(await request.body())

    @routes.post("/json")
    async def json(body: dict[str, str]) -> int:
        return len(body)

    app.include_router(routes, prefix="/api/v1")
    problems.install(app)
    http = HttpSettings.model_validate({"max_body_bytes": LIMIT, **settings})
    middleware.install(app, http, "test", body_limits=body_limits)
    return app


def _client(**settings: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(_app(None, **settings)), base_url="http://test")


class _Stream:
    """A body without a length, that knows how much of it was read."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < 10_000_000:
            self.sent += 500
            yield b"x" * 500


async def test_a_body_at_the_limit_is_read() -> None:
    answer = await _client().post("/api/v1/things/1/parts", content=b"x" * LIMIT)
    assert (answer.status_code, answer.json()) == (200, LIMIT)


async def test_a_path_may_have_a_limit_of_its_own() -> None:
    app = _app(body_limits={"/api/v1/things/1/parts": 10 * LIMIT})
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    lengths = ((1, 10 * LIMIT, 200), (1, 10 * LIMIT + 1, 413), (2, LIMIT + 1, 413))
    for thing, length, status in lengths:
        assert (await http.post(f"/api/v1/things/{thing}/parts", content=b"x" * length)).status_code == status


async def test_a_body_over_the_limit_is_413_by_its_header() -> None:
    answer = await _client().post("/api/v1/things/1/parts", content=b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the body is over 1024 bytes, the limit; send it in smaller parts"


async def test_a_body_without_a_length_is_413_and_no_more_is_read_than_its_sender_needs_to_hear_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(middleware, "_DISCARD_BYTES", 2 * LIMIT)
    body = _Stream()
    answer = await _client().post("/api/v1/things/1/parts", content=body)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert body.sent <= 3 * LIMIT + 2 * 500


async def test_a_json_body_over_the_limit_is_413_too() -> None:
    headers = {"content-type": "application/json"}
    answer = await _client().post("/api/v1/things/json", content=_Stream(), headers=headers)
    assert answer.status_code == 413


async def test_every_answer_has_the_security_headers() -> None:
    answer = await _client().get("/nothing")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_https_is_kept_once_it_is_used() -> None:
    answer = await _client(public_url="https://ecg.example").get("/nothing")
    assert "strict-transport-security" in answer.headers


async def test_only_origins_of_the_setting_may_read_answers() -> None:
    client = _client(cors_origins=["https://ok.example"])
    allowed = await client.get("/nothing", headers={"origin": "https://ok.example"})
    refused = await client.get("/nothing", headers={"origin": "https://other.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://ok.example"
    assert "access-control-allow-origin" not in refused.headers


def _count(method: str, route: str, status: str) -> float:
    labels = {"application": "test", "method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("leadwire_http_request_seconds_count", labels) or 0


async def test_telemetry_names_the_template_and_not_the_id() -> None:
    before = _count("POST", "/api/v1/things/{thing_id}/parts", "200")
    await _client().post("/api/v1/things/4711/parts", content=b"x")
    assert _count("POST", "/api/v1/things/{thing_id}/parts", "200") == before + 1


async def test_telemetry_of_an_unknown_path_or_method_is_one_label() -> None:
    before = _count("OTHER", "unmatched", "404")
    await _client().request("BREW", "/made/up/4711")
    assert _count("OTHER", "unmatched", "404") == before + 1
