"""What a service without HTTP of its own needs: /health, /ready, /metrics, and an event for the signal to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from schemas.settings import WorkerSettings

if TYPE_CHECKING:
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
    from leadwire.probe_server import probe_server  # noqa: PLC0415  # a fifth of a worker's start, for those who ask

    server = probe_server(title, settings, checks)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
