"""Health: is the process alive, are its servers there, and what Prometheus scrapes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import Response

from schemas.errors import Busy, LeadwireError
from web.problems import documented

Check = Callable[[], Awaitable[None]]
"""Returns when its server answers; raises a LeadwireError otherwise."""

_PATIENCE_S: Final = 3.0
"""Under the 5 s after which common load balancers give up on a probe."""


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Every server this process needs answers."""

    status: Literal["ready"] = "ready"
    checks: dict[str, Literal["ok"]]


def router(checks: Mapping[str, Check]) -> APIRouter:
    """Routes /health, /ready and /metrics; /ready runs all `checks` at once."""
    routes = APIRouter(tags=["Health"])

    @routes.get("/health", summary="Whether the process is alive")
    async def health() -> Alive:
        return Alive()

    @routes.get("/ready", summary="Whether the servers it needs answer", responses=documented(503))
    async def ready() -> Ready:
        failures = await asyncio.gather(*(_failure(name, check) for name, check in checks.items()))
        told = [failure for failure in failures if failure is not None]
        if told:
            raise Busy("; ".join(told))
        return Ready(checks=dict.fromkeys(checks, "ok"))

    @routes.get("/metrics", summary="Telemetry for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _failure(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await check()
    except TimeoutError:
        return f"{name}: no answer within {_PATIENCE_S:g} s; see that it runs and can be reached"
    except LeadwireError as error:
        return f"{name}: {error}"
    return None
