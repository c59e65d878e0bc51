"""Errors become problem documents that say what to do and give nothing away."""

from __future__ import annotations

from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel

from schemas.errors import Busy, LeadwireError, NotFound, Unauthenticated
from web import problems

ERRORS: dict[str, LeadwireError] = {
    "absent": NotFound("no such beat; list them"),
    "busy": Busy("the broker is away; try again"),
    "unknown": Unauthenticated("no token; log in"),
}


class _Login(BaseModel):
    username: str
    password: Annotated[str, Query(min_length=8)]


def _app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/raise/{kind}", responses=problems.documented(404, 422))
    async def raise_it(kind: str, limit: Annotated[int, Query(le=500)] = 1) -> None:
        raise ERRORS.get(kind) or ZeroDivisionError("secret detail")

    @app.post("/login")
    async def login(body: _Login) -> None: ...

    return app


@pytest.fixture
def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_our_errors_are_problem_documents(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/absent")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:leadwire:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "no such beat; list them",
        "instance": "/raise/absent",
    }


async def test_busy_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_an_unknown_caller_is_told_the_scheme(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/unknown")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_bad_parameter_is_named_with_its_value_and_the_limit(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/absent", params={"limit": 900})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"where": "query.limit", "what": "Input should be less than or equal to 500, not '900'"}
    ]
    assert answer.json()["detail"].endswith("correct this and send the request again")


async def test_a_refused_password_is_never_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", json={"username": "ada", "password": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_broken_json_is_422(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "not JSON" in answer.json()["detail"]


async def test_an_unknown_route_is_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing")
    assert answer.status_code == 404
    assert answer.json()["instance"] == "/nothing"


async def test_a_wrong_method_is_405_and_says_which_is_right(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/login")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "use POST" in answer.json()["detail"]


async def test_a_defect_gives_an_incident_and_no_traceback(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raise/other")
    assert answer.status_code == 500
    assert "incident" in answer.json()["detail"]
    assert "secret detail" not in answer.text


async def test_the_openapi_document_describes_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    answers = document["paths"]["/raise/{kind}"]["get"]["responses"]
    told = answers["404"]["content"]["application/problem+json"]
    assert told["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert told["example"]["status"] == 404
    assert {"Problem", "FieldProblem"} <= set(document["components"]["schemas"])
