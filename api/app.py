"""The read application: every GET, the live WebSocket and the dashboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fastapi import FastAPI

from api import kafka
from api.cached import CachedAnswers
from api.current import CurrentAnswers, Sessions
from api.dependencies import ReadRooms
from api.kafka import KafkaSource
from api.live import LiveFeed
from api.pages import Dashboard
from api.reads import ReadLog, writing_to
from api.routes import (
    admin_analytics,
    admin_audit,
    admin_reports,
    admin_stats,
    admin_users,
    alarms,
    auth,
    beats,
    cloud,
    devices,
    files,
    hrv,
    live,
    metrics,
    recordings,
    reports,
    rhythms,
    samples,
    users,
)
from schemas.settings import Settings
from storage.archive_shelf import Shelf
from storage.cache import Cache, LayeredCache, MemoryCache, cache
from storage.counts import MemoryCounts
from storage.database import Database, auditor, reader
from storage.objects import objects
from storage.waveform_codec.warm import warm
from web import callers, health, middleware, openapi, problems
from web.callers import Door
from web.etags import ConditionalGet
from web.limits import Limits

_DESCRIPTION: Final = """
The read side of Leadwire, a streaming ECG backend; what changes anything is the gateway's.

**Research use: not for diagnosis or primary alarms.** What `ecg/alarms` tells is a second look at most.

Send `Authorization: Bearer TOKEN` with the access_token of `POST auth/login`. Lists take `page` and `limit` and
answer with items, page, limit and total. Moments are ISO 8601 with a time zone, or microseconds since 1970. Errors
are RFC 9457 problem documents whose `detail` ends with what to do; what is not yours is 404, as if it did not exist.

Live: `WS /ws/ecg/{user_id}` with the token in the header, as the subprotocols `leadwire, bearer.TOKEN`, or as
`?token=`; `&device_id=` narrows it. JSON messages of type hello, samples, beats, metrics, rhythm, alarm, dropped
and heartbeat. Closed with 4401 (log in), 4403 (not your patient), 1013 (a server is away: connect again).
"""
_SIGNED_IN: Final = (
    auth, users, devices, metrics, beats, hrv, rhythms, alarms, recordings, samples, reports, cloud, admin_stats,
    admin_users, admin_reports, admin_analytics, admin_audit,
)  # fmt: skip


def create_api(settings: Settings) -> FastAPI:
    """The application; it connects when it starts, not before."""
    database, auditing = reader(settings.database), auditor(settings.database)
    store = objects(settings.objects, settings.security, settings.http)
    feed = LiveFeed(lambda: KafkaSource(settings.kafka))
    caches = _caches(settings)
    reads = ReadLog(writing_to(auditing), repeat_s=settings.database.audit_repeat_s, size=settings.database.audit_queue)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(warm))  # half a second that the first strip need not wait for
        try:
            await database.open()
            await auditing.open()
            reads.start()
            yield
        finally:
            await feed.close()
            await reads.close()
            await auditing.close()
            await caches.shared.close()
            await database.close()
            await warming

    app = _application(settings.http.prefix, lifespan)
    shelf = Shelf(lambda: store, settings.archive.cache_bytes)
    answers = CachedAnswers(caches.shared, settings.cache.statistics_s)
    app.state.rooms = ReadRooms(
        database, store, feed, answers, CurrentAnswers(caches.current), settings.cache, settings.objects, reads, shelf
    )
    callers.install(app, _door(database, caches.current, settings))
    problems.install(app)
    openapi.install(app, settings.http, has_etags=True)
    middleware.install(app, settings.http, "api", Limits(settings.rates, MemoryCounts()))

    checks: dict[str, health.Check] = {"database": database.ping, "audit": auditing.ping, "objects": store.ping}
    app.include_router(health.router(checks | {"kafka": partial(kafka.ping, settings.kafka)}))
    return app


def _door(database: Database, kept: Cache, settings: Settings) -> Door:
    at_door = callers.door(database, settings.security)
    return replace(at_door, session=Sessions(database, kept, settings.cache).session)


@dataclass(frozen=True, slots=True)
class _Caches:
    """`current` is for values that are never replaced under their key: the process's memory, before Redis if any."""

    shared: Cache
    current: Cache


def _caches(settings: Settings) -> _Caches:
    shared = cache(settings.cache)
    near = MemoryCache()
    return _Caches(shared, near if settings.cache.redis_url is None else LayeredCache(near, shared))


def _application(prefix: str, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    app = FastAPI(
        title="Leadwire read API",
        version=_version(),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=f"{prefix}/docs",
        openapi_url=f"{prefix}/openapi.json",
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host as this process sees it, not as the client does
    )
    for noun in _SIGNED_IN:
        app.include_router(noun.router, prefix=prefix, responses=problems.documented(401, 422, 503))
    app.include_router(files.router, prefix=prefix, responses=problems.documented(422, 503))
    app.include_router(live.router)
    app.router.default = Dashboard()
    app.add_middleware(ConditionalGet)
    app.add_middleware(middleware.HeadAsGet)
    return app


def _version() -> str:
    try:
        return version("leadwire")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"
