"""A client that has an answer already is told so, and never about anything but whole answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response, StreamingResponse

from schemas.settings import HttpSettings
from web import middleware, problems
from web.etags import ConditionalGet, etag, names


async def _parts() -> AsyncIterator[bytes]:
    yield b"[1,"
    yield b"2]"


def _app() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(ConditionalGet)
    app.add_middleware(middleware.HeadAsGet)
    middleware.install(app, HttpSettings.model_validate({}), "test")

    @app.get("/list")
    async def a_list(size: int = 3) -> list[int]:
        return list(range(size))

    @app.post("/list", status_code=200)
    async def write() -> list[int]:
        return [0, 1, 2]

    @app.get("/stream")
    async def stream() -> Response:
        return StreamingResponse(_parts(), media_type="application/json")

    @app.get("/file")
    async def file() -> Response:
        return Response(b"{}", media_type="application/json", headers={"ETag": '"its-own"'})

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://test") as client:
        yield client


async def test_a_list_has_a_tag_that_follows_its_content(http: httpx.AsyncClient) -> None:
    first, again, other = [await http.get("/list", params={"size": n}) for n in (3, 3, 4)]
    assert first.headers["etag"] == again.headers["etag"] == etag(b"[0,1,2]")
    assert first.headers["etag"] != other.headers["etag"]


async def test_the_same_answer_again_is_304_without_a_body(http: httpx.AsyncClient) -> None:
    known = (await http.get("/list")).headers["etag"]
    answer = await http.get("/list", headers={"If-None-Match": f'"else", {known}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == known
    assert answer.headers["vary"].startswith("Authorization, Accept")
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers


async def test_another_answer_is_sent_whole(http: httpx.AsyncClient) -> None:
    known = (await http.get("/list")).headers["etag"]
    answer = await http.get("/list", params={"size": 4}, headers={"If-None-Match": known})
    assert (answer.status_code, answer.json()) == (200, [0, 1, 2, 3])


async def test_patient_data_is_for_no_cache_to_keep(http: httpx.AsyncClient) -> None:
    for headers in ({}, {"If-None-Match": "*"}):
        assert (await http.get("/list", headers=headers)).headers["cache-control"] == "no-store"


async def test_head_has_the_tag_of_get_and_heeds_it(http: httpx.AsyncClient) -> None:
    known = (await http.head("/list")).headers["etag"]
    assert known == etag(b"[0,1,2]")
    assert (await http.head("/list", headers={"If-None-Match": known})).status_code == 304


@pytest.mark.parametrize(("method", "path"), [("POST", "/list"), ("GET", "/stream"), ("GET", "/absent")])
async def test_writes_streams_and_errors_have_none(http: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await http.request(method, path, headers={"If-None-Match": "*"})
    assert answer.status_code != 304
    assert "etag" not in answer.headers


async def test_a_stream_arrives_whole(http: httpx.AsyncClient) -> None:
    assert (await http.get("/stream")).json() == [1, 2]


async def test_a_tag_of_the_routes_own_stays(http: httpx.AsyncClient) -> None:
    answer = await http.get("/file", headers={"If-None-Match": '"its-own"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"its-own"')


@given(st.binary())
def test_a_tag_names_itself_weak_or_strong(body: bytes) -> None:
    tag = etag(body)
    assert names(tag, tag)
    assert names(f'"a", {tag.removeprefix("W/")}', tag)
    assert not names(etag(body + b"x"), tag)
