"""The gateway: everything that comes in over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from ingest.device_cache import DeviceCache, LookUp
from ingest.producer import SampleProducer
from ingest.rooms import WriteRooms
from ingest.routes import (
    admin,
    alarms,
    auth,
    cloud,
    devices,
    metrics,
    profile,
    reports,
    samples,
    signup,
    uploads,
    users,
)
from ingest.uploads import body_limits
from ingest.uploads_sweeper import keep_sweeping
from schemas.accounts import DeviceCaller
from schemas.settings import Settings
from storage import devices as device_rows
from storage.cache import cache
from storage.counts import counts
from storage.database import Database, writer
from storage.objects import objects
from web import callers, health, middleware, openapi, problems
from web.limits import Limits

_DESCRIPTION = (
    "The write side of Leadwire: devices send samples, people log in, register devices and ask for reports. "
    "Research use: not for diagnosis or primary alarms."
)


def create_gateway(settings: Settings) -> FastAPI:
    """The application on the servers of `settings`; it connects when it starts, not before. Raises Misconfigured."""
    database = writer(settings.database)
    door = callers.door(database, settings.security)
    known = DeviceCache(look_up(database), time.monotonic)
    rooms = WriteRooms(
        database=database,
        producer=SampleProducer(settings.kafka),
        devices=known,
        objects=objects(settings.objects, settings.security, settings.http),
        cache=cache(settings.cache),
        http=settings.http,
        security=settings.security,
        limits=Limits(settings.rates, counts(settings.cache)),
    )
    return application(rooms, replace(door, device_by_token=known.by_token))


def look_up(database: Database) -> LookUp:
    """Tokens looked up in `database`."""

    async def by_tokens(token_hashes: Collection[bytes]) -> Mapping[bytes, DeviceCaller]:
        async with database.transaction() as conn:
            return await device_rows.by_tokens(conn, token_hashes)

    return by_tokens


def application(rooms: WriteRooms, door: callers.Door) -> FastAPI:
    """The application in given rooms."""
    app = FastAPI(
        title="Leadwire gateway",
        version=version("leadwire"),
        description=_DESCRIPTION,
        lifespan=_lifespan(rooms),
        docs_url="/gateway/docs",  # behind the one origin every other GET goes to the api
        openapi_url="/gateway/openapi.json",
        redoc_url=None,
    )
    app.state.rooms = rooms
    callers.install(app, door)
    problems.install(app)
    openapi.install(app, rooms.http)
    middleware.install(app, rooms.http, "ingest", rooms.limits, body_limits(rooms.http))
    app.include_router(health.router({"database": rooms.database.ping, "kafka": rooms.producer.ping}))
    app.include_router(_routes(), prefix=rooms.http.prefix)
    return app


def _routes() -> APIRouter:
    routes = APIRouter()
    for noun in (
        auth, profile, users, signup, devices, samples, metrics, uploads, reports, cloud, alarms, admin,
    ):  # fmt: skip
        routes.include_router(noun.router)
    routes.include_router(reports.admin_router)
    return routes


def _lifespan(rooms: WriteRooms) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        await rooms.database.open()
        try:
            await rooms.producer.start()
            sweeping = asyncio.create_task(keep_sweeping(rooms))
            try:
                yield
            finally:
                sweeping.cancel()
        finally:
            await rooms.producer.stop()
            await rooms.limits.close()
            await rooms.cache.close()
            await rooms.database.close()

    return running
