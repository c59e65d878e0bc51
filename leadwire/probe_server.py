"""The small application behind probes.py, and the server that runs it."""

from __future__ import annotations

from collections.abc import Mapping

import uvicorn
from fastapi import FastAPI

from schemas.settings import WorkerSettings
from web import health, problems
from web.health import Check


class ProbeServer(uvicorn.Server):
    """uvicorn that leaves the signals to us."""

    def install_signal_handlers(self) -> None:
        return


def probe_server(title: str, settings: WorkerSettings, checks: Mapping[str, Check]) -> ProbeServer:
    """Not running yet; it will serve /health, /ready and /metrics where the settings say."""
    app = FastAPI(title=title, openapi_url=None)
    problems.install(app)
    app.include_router(health.router(checks))
    host, port = settings.telemetry_host, settings.telemetry_port
    return ProbeServer(uvicorn.Config(app, host=host, port=port, log_config=None, lifespan="off"))
