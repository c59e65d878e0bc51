"""Other origins: only those that are set, with a token in a header and never with cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from schemas.settings import HttpSettings
from web import middleware, problems

PORTAL = "https://portal.example.org"


def _client(*origins: str) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    middleware.install(app, HttpSettings.model_validate({"cors_origins": list(origins)}), "test")

    @app.get("/things")
    async def things() -> list[int]:
        return []

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with _client(PORTAL) as client:
        yield client


def _preflight(method: str, origin: str = PORTAL, headers: str = "authorization,content-type") -> dict[str, str]:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return {"Origin": origin, **asked}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
async def test_a_page_of_a_set_origin_may_use_every_method(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.options("/things", headers=_preflight(method))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert method in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT"])
async def test_a_method_that_nothing_serves_is_refused(http: httpx.AsyncClient, method: str) -> None:
    assert (await http.options("/things", headers=_preflight(method))).status_code == 400


async def test_an_origin_that_is_not_set_gets_no_leave(http: httpx.AsyncClient) -> None:
    headers = _preflight("DELETE", "https://portal.example.org.evil.example")
    assert (await http.options("/things", headers=headers)).status_code == 400
    assert "access-control-allow-origin" not in (await http.get("/things", headers=headers)).headers


async def test_a_conditional_request_is_allowed_and_its_headers_can_be_read(http: httpx.AsyncClient) -> None:
    answer = await http.options("/things", headers=_preflight("GET", headers="authorization,if-none-match"))
    assert answer.status_code == 200
    told = (await http.get("/things", headers={"Origin": PORTAL})).headers["access-control-expose-headers"]
    assert {"ETag", "Retry-After", "Content-Disposition"} <= set(told.split(", "))


@pytest.mark.parametrize("origins", [(), (PORTAL,), ("*",)])
async def test_credentials_are_never_allowed(origins: tuple[str, ...]) -> None:
    """Tokens travel in headers; with a wildcard beside credentials any page could act as whoever looks at it."""
    async with _client(*origins) as http:
        for answer in (
            await http.options("/things", headers=_preflight("GET")),
            await http.get("/things", headers={"Origin": PORTAL, "Cookie": "a=b"}),
        ):
            assert "access-control-allow-credentials" not in answer.headers
