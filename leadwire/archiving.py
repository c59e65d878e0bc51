"""What `leadwire archive` does: the service, one round of it, and the archive looked over and put right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from leadwire.probes import probes, signalled
from processors.archive import ArchiveService, Totals
from schemas import clock
from schemas.logs import logger
from schemas.settings import Settings
from storage import archive_checks, archive_rebuild, retention
from storage.archive_checks import Told, Verified
from storage.archive_rebuild import Rebuilt
from storage.database import Database, writer
from storage.objects import Objects, objects

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The database and the store, open."""

    database: Database
    store: Objects


@asynccontextmanager
async def rooms(settings: Settings) -> AsyncIterator[Rooms]:
    """Open both; raises Busy when the database is away, Misconfigured when no store is set."""
    store = objects(settings.objects, settings.security, settings.http)
    database = writer(settings.database)
    await database.open()
    try:
        yield Rooms(database, store)
    finally:
        await database.close()


async def run_archive(settings: Settings) -> None:
    """Archive and expire until SIGINT or SIGTERM. Raises Busy when a server is away at start, or for long."""
    stopping = signalled()
    async with rooms(settings) as opened:
        service = _service(settings, opened)
        checks = {"database": opened.database.ping, "objects": opened.store.ping, "archive": service.ready}
        async with probes("Leadwire archive", settings.worker, checks):
            _log.info("archive started", archives=settings.archive.enabled)
            await service.run(stopping)


async def archive_once(settings: Settings) -> Totals:
    """Everything that is due now; what was done. Raises Busy when a server stays away."""
    async with rooms(settings) as opened:
        service = _service(settings, opened)
        await service.round()
        return service.totals


async def verify(settings: Settings, *, deep: bool, told: Told | None = None) -> Verified:
    """Raises Busy when a server is away."""
    async with rooms(settings) as opened:
        return await archive_checks.verify(opened.database, opened.store, deep=deep, told=told)


async def rebuild(settings: Settings, told: Told | None = None) -> Rebuilt:
    """Raises Busy when a server is away."""
    async with rooms(settings) as opened:
        return await archive_rebuild.rebuild(opened.database, opened.store, clock.now(), told)


async def mend(settings: Settings, told: Told | None = None) -> int:
    """Raises Busy when a server is away."""
    async with rooms(settings) as opened:
        return await archive_rebuild.mend(opened.database, opened.store, told)


def totals_text(totals: Totals) -> str:
    return (
        f"{totals.hours} hours archived ({totals.anew} anew), {totals.samples} samples in {totals.bytes} bytes; "
        f"{totals.expired_rows} rows left the database; {totals.held} times a device was held"
    )


def totals_json(totals: Totals) -> dict[str, object]:
    return asdict(totals)


def _service(settings: Settings, opened: Rooms) -> ArchiveService:
    return ArchiveService(
        opened.database, opened.store, settings.archive, after_round=_retention(settings, opened.database)
    )


def _retention(settings: Settings, database: Database) -> Callable[[], Awaitable[None]]:
    """What TimescaleDB does by itself: rows of other tables go when they are too old."""

    async def expire() -> None:
        async with database.unbound() as conn:
            await retention.expire(conn, settings.database, clock.now(), archives=settings.archive.enabled)

    return expire
