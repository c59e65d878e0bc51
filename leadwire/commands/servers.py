"""One service each: gateway, worker, hrv, api; and both HTTP applications behind one origin."""

from __future__ import annotations

from typing import Annotated

import typer
from starlette.types import ASGIApp

from schemas.logs import configure, logger
from schemas.settings import Settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(gateway)
    app.command()(worker)
    app.command()(hrv)
    app.command()(api)
    app.command()(serve)


def gateway(host: Host = "127.0.0.1", port: Port = 8001) -> None:
    """The write side: samples, logins, devices, report requests into Kafka and the database."""
    from ingest.gateway import create_gateway
    from leadwire.memory import give_large_buffers_back

    settings = _begin("gateway")
    give_large_buffers_back()
    _serve(create_gateway(settings), settings, host, port)


def api(host: Host = "127.0.0.1", port: Port = 8002) -> None:
    """The read side: REST, live WebSocket, dashboard; its database role can only SELECT."""
    from api.app import create_api

    settings = _begin("api")
    _serve(create_api(settings), settings, host, port)


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Gateway and api behind one origin, picked by method: what nginx does in production."""
    from api.app import create_api
    from ingest.gateway import create_gateway
    from leadwire.front import Front
    from leadwire.memory import give_large_buffers_back

    settings = _begin("serve")
    give_large_buffers_back()
    samples_path = f"{settings.http.prefix}/ecg/samples"
    _serve(Front(create_api(settings), create_gateway(settings), samples_path), settings, host, port)


def worker(
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="Workers to run; one for each core shares the work out.")
    ] = 1,
) -> None:
    """The processors: samples to beats, metrics, rhythms, waveforms and reports."""
    settings = _begin("worker")
    if processes > 1:
        from leadwire.processes import run_together

        raise typer.Exit(run_together(processes, settings.worker.telemetry_port))
    import uvloop

    from leadwire.worker import run_worker

    uvloop.run(run_worker(settings))


def hrv() -> None:
    """Heart rate variability of each five minutes, from stored beats, in the background."""
    import uvloop

    from leadwire.hrv import run_hrv

    uvloop.run(run_hrv(_begin("hrv")))


def _begin(service: str) -> Settings:
    settings = Settings()
    configure(settings.logs, service)
    return settings


def _serve(app: ASGIApp, settings: Settings, host: str, port: int) -> None:
    from leadwire import serving

    serving.serve(serving.config(app, settings.http, host, port))
    logger(__name__).info("stopped")
