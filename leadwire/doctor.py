"""Every connection tried, each finding with what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx

from leadwire import doctor_findings, kafka_offsets
from leadwire.brokers import differing_topics, missing_topics, sample_partitions
from leadwire.doctor_findings import one_line
from schemas.clock import now
from schemas.errors import Busy, LeadwireError, Misconfigured
from schemas.settings import Settings
from storage import condition, migrate
from storage.cache import RedisCache
from storage.database import Connection, Database, auditor, reader, writer
from storage.objects import objects

_UNFINISHED_FOR: Final = timedelta(hours=1)
"""An upload that began so long ago and has not ended was cut off."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at; `problem` is None when it is well, and ends with the remedy when not."""

    name: str
    detail: str
    problem: str | None


Check = Callable[[Settings], Awaitable[str]]


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything a running system needs; never raises for what it finds."""
    checks: list[tuple[str, Check]] = [
        ("python", _python),
        ("engine", _engine),
        ("secret key", _secret),
        ("database, writing", _writing),
        ("database, reading", _reading),
        ("database, auditing", _auditing),
        ("database schema", _schema),
        *[(name, partial(_asked_of_database, check)) for name, check in _OF_DATABASE],
        ("kafka", _kafka),
        ("kafka topics", _topics),
        ("kafka offsets", _offsets),
        ("objects", _objects),
        ("objects, room", _room),
        ("redis", _redis),
        ("worker", _worker),
    ]
    return [await _finding(name, check, settings) for name, check in checks]


async def _finding(name: str, check: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        return Finding(name, await check(settings), None)
    except LeadwireError as error:
        return Finding(name, "", one_line(error))


async def _python(_: Settings) -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


async def _secret(settings: Settings) -> str:
    return f"{settings.security.environment}, tokens last {settings.security.access_token_expire_hours:g} h"


async def _writing(settings: Settings) -> str:
    return await _asked(writer(settings.database))


async def _reading(settings: Settings) -> str:
    return await _asked(reader(settings.database))


async def _auditing(settings: Settings) -> str:
    return await _asked(auditor(settings.database))


async def _asked(database: Database) -> str:
    await database.open()
    try:
        await database.ping()
    finally:
        await database.close()
    return "answers"


async def _asked_of_database(check: Callable[[Settings, Connection], Awaitable[str]], settings: Settings) -> str:
    """A check by itself: what one finds, or whom it fails, is nothing to the next."""
    if await migrate.pending(settings.database.url):
        return "not looked at before `leadwire migrate`"
    database = writer(settings.database)
    await database.open()
    try:
        async with database.transaction() as conn:
            return await check(settings, conn)
    finally:
        await database.close()


async def _server(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_server(await condition.server(conn), now())


async def _policies(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_jobs(await condition.jobs(conn))


async def _aggregates(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_refreshes(await condition.jobs(conn), now())


async def _chunks(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_chunks(await condition.chunks(conn))


async def _sizes(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_sizes(await condition.sizes(conn))


async def _standbys(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_standbys(await condition.standbys(conn))


async def _log_archive(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_log_archive(await condition.log_archive(conn))


async def _backup(settings: Settings, conn: Connection) -> str:
    return doctor_findings.judge_backup(await condition.kept(conn), now(), settings.backup.max_age_hours)


async def _archive(settings: Settings, conn: Connection) -> str:
    return doctor_findings.judge_archive(await condition.archive(conn), now(), _closed_after(settings))


def _closed_after(settings: Settings) -> timedelta | None:
    """How long after its end an hour is archived; None where archiving is off."""
    archiving = settings.archive
    if not archiving.enabled:
        return None
    return timedelta(hours=1 + archiving.after_hours)


async def _removals(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_removals(await condition.removals(conn), now())


async def _reports(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_reports(await condition.reports_to_write(conn), now())


async def _uploads(_: Settings, conn: Connection) -> str:
    return doctor_findings.judge_uploads(await condition.uploads_begun(conn), now())


_OF_DATABASE: Final = (
    ("database server", _server),
    ("database policies", _policies),
    ("database aggregates", _aggregates),
    ("database chunks", _chunks),
    ("database sizes", _sizes),
    ("database standbys", _standbys),
    ("database log archive", _log_archive),
    ("backup", _backup),
    ("archive", _archive),
    ("object removals", _removals),
    ("reports", _reports),
    ("uploads", _uploads),
)


async def _schema(settings: Settings) -> str:
    waiting = await migrate.pending(settings.database.url)
    if waiting:
        raise Misconfigured(f"{len(waiting)} migrations wait ({', '.join(waiting)}); run `leadwire migrate`")
    return "up to date"


async def _kafka(settings: Settings) -> str:
    missing = await missing_topics(settings.kafka)
    if missing:
        raise Misconfigured(
            f"topics are missing at {settings.kafka.bootstrap}: {', '.join(missing)}; run `leadwire migrate`"
        )
    return (
        f"{settings.kafka.bootstrap}, {settings.kafka.security}, {await sample_partitions(settings.kafka)} partitions"
    )


async def _topics(settings: Settings) -> str:
    if await missing_topics(settings.kafka):
        raise Misconfigured("topics are missing; run `leadwire migrate`")
    different = await differing_topics(settings.kafka)
    if different:
        raise Misconfigured("; ".join(different))
    return "as the settings say"


async def _redis(settings: Settings) -> str:
    url = settings.cache.redis_url
    if url is None:
        return "not used; each process keeps its own cache and counts (LEADWIRE_REDIS_URL)"
    kept = RedisCache(url.get_secret_value())
    try:
        await kept.ping()
    finally:
        await kept.close()
    return "answers"


async def _objects(settings: Settings) -> str:
    """A file put, read and deleted again: to answer is not enough."""
    store = objects(settings.objects, settings.security, settings.http)
    key, data = f"doctor/{uuid4()}.txt", b"leadwire doctor"
    try:
        await store.ping()
        await store.put(key, data, "text/plain")
        try:
            if await store.get(key) != data:
                raise Busy("what was put into the object store came back as something else; check its disks")
        finally:
            await store.delete(key)
        cut_off = await store.unfinished(now() - _UNFINISHED_FOR)
    except OSError as error:
        raise Busy(f"the object store does not answer ({error}); check its settings") from error
    told = f", {len(cut_off)} uploads cut off (a gateway gives them up): {', '.join(cut_off[:3])}" if cut_off else ""
    return f"{store.service}, a file was put, read and deleted{told}"


async def _room(settings: Settings) -> str:
    folder = settings.objects.folder
    if folder is None:
        return "the store's own affair"
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        raise Misconfigured(f"{folder} can't be looked at ({error}); make it, or set LEADWIRE_OBJECTS_DIR") from error
    return doctor_findings.judge_disk(usage.free, usage.total, str(folder))


async def _engine(settings: Settings) -> str:
    """Whether a worker starts at once, or compiles for a minute first."""
    kernels = await asyncio.to_thread(compiled_kernels)
    if settings.worker.engine == "fast" and kernels == 0:
        return (
            "fast, not compiled yet: the first worker takes a minute to start (python -m processors.ecg.warm does it)"
        )
    return f"{settings.worker.engine}, {kernels} kernels compiled"


def compiled_kernels() -> int:
    """How many of the engine's kernels numba has kept on disk, for this interpreter or another; imports nothing."""
    spec = find_spec("processors.ecg")
    places = list(spec.submodule_search_locations or []) if spec else []
    elsewhere = os.environ.get("NUMBA_CACHE_DIR")
    folders = [Path(place) for place in ([*places, elsewhere] if elsewhere else places)]
    return sum(1 for folder in folders for _ in folder.rglob("*.nbi"))


async def _offsets(settings: Settings) -> str:
    if not settings.kafka.idempotent:
        return "not looked at: Tansu keeps none"
    database = writer(settings.database)
    await database.open()
    try:
        async with database.transaction() as conn:
            return doctor_findings.judge_places(await kafka_offsets.places(settings, conn))
    finally:
        await database.close()


async def _worker(settings: Settings) -> str:
    """What Prometheus would scrape of the first worker of this machine, and whether it is ready."""
    worker = settings.worker
    if not worker.telemetry_port:
        return "not looked at: it serves no telemetry (LEADWIRE_WORKER_PORT)"
    address = f"http://{worker.telemetry_host}:{worker.telemetry_port}"
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            scraped, ready = await client.get(f"{address}/metrics"), await client.get(f"{address}/ready")
    except httpx.HTTPError as error:
        raise Busy(f"no worker answers at {address} ({type(error).__name__}); start one: leadwire worker") from error
    if scraped.status_code != 200 or ready.status_code != 200:
        raise Busy(f"the worker at {address} is not ready: {ready.text[:200]}; see its log")
    return f"ready at {address}"
