"""The gateway: everything that comes in over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from ingest.device_cache import DeviceCache
from ingest.producer import SampleProducer
from ingest.rooms import WriteRooms
from ingest.routes import auth, devices, reports, samples, users
from schemas.settings import Settings
from storage.database import writer
from web import callers, health, middleware, problems

_DESCRIPTION = (
    "The write side of Leadwire: devices send samples, people log in, register devices and ask for reports. "
    "Research use: not for diagnosis or primary alarms."
)


def create_gateway(settings: Settings) -> FastAPI:
    """The application; it connects when it starts and not before. Raises Misconfigured."""
    database = writer(settings.database)
    door = callers.door(database, settings.security)
    cache = DeviceCache(door.device_by_token, time.monotonic)
    rooms = WriteRooms(database, SampleProducer(settings.kafka), cache, settings.http, settings.security)
    app = FastAPI(
        title="Leadwire gateway", version=version("leadwire"), description=_DESCRIPTION, lifespan=_lifespan(rooms)
    )
    app.state.rooms = rooms
    callers.install(app, replace(door, device_by_token=cache.by_token))
    problems.install(app)
    middleware.install(app, settings.http, "ingest")
    app.include_router(health.router({"database": database.ping, "kafka": rooms.producer.ping}))
    app.include_router(_routes(), prefix=settings.http.prefix)
    return app


def _routes() -> APIRouter:
    routes = APIRouter()
    for noun in (auth, users, devices, samples, reports):
        routes.include_router(noun.router)
    return routes


def _lifespan(rooms: WriteRooms) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        await rooms.database.open()
        try:
            await rooms.producer.start()
            yield
        finally:
            await rooms.producer.stop()
            await rooms.database.close()

    return running
