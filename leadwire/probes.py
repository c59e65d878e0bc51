"""What a service without HTTP of its own needs: /health, /ready, /metrics, and an event for the signal to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from schemas.settings import WorkerSettings
from web import health, problems
from web.health import Check


def signalled() -> asyncio.Event:
    """Set by SIGINT or SIGTERM from now on."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


@asynccontextmanager
async def probes(title: str, settings: WorkerSettings, checks: Mapping[str, Check]) -> AsyncIterator[None]:
    """/health, /ready and /metrics during the block; nothing when LEADWIRE_WORKER_PORT is 0."""
    if not settings.telemetry_port:
        yield
        return
    app = FastAPI(title=title, openapi_url=None)
    problems.install(app)
    app.include_router(health.router(checks))
    config = uvicorn.Config(
        app, host=settings.telemetry_host, port=settings.telemetry_port, log_config=None, lifespan="off"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to us."""

    def install_signal_handlers(self) -> None:
        return
