"""Readiness names what is missing."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from schemas.errors import Busy
from web import health, problems


async def _there() -> None: ...


async def _away() -> None:
    raise Busy("connection refused; start the broker")


def _client(**checks: health.Check) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.include_router(health.router(checks))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_health_needs_no_server() -> None:
    answer = await _client(kafka=_away).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_lists_what_was_checked() -> None:
    answer = await _client(database=_there, kafka=_there).get("/ready")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "kafka": "ok"}}


async def test_not_ready_names_the_server_and_the_remedy() -> None:
    answer = await _client(database=_there, kafka=_away).get("/ready")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "kafka: connection refused; start the broker"
    assert "retry-after" in answer.headers


async def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PATIENCE_S", 0.01)

    async def hangs() -> None:
        await asyncio.Event().wait()

    answer = await _client(kafka=hangs).get("/ready")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("kafka: no answer within 0.01 s")


async def test_telemetry_is_in_the_text_format_of_prometheus() -> None:
    answer = await _client().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "leadwire_http_request_seconds" in answer.text
