"""Every connection tried, each finding with what to do."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from leadwire.brokers import differing_topics, missing_topics, sample_partitions
from schemas import clock
from schemas.errors import LeadwireError, Misconfigured
from schemas.settings import Settings
from storage import migrate
from storage.cache import RedisCache
from storage.database import Database, auditor, reader, writer
from storage.objects import objects

_UNFINISHED_FOR: Final = timedelta(hours=1)
"""An upload that began so long ago and has not ended was cut off."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at; `problem` is None when it is well, and ends with the remedy when not."""

    name: str
    detail: str
    problem: str | None


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything a running system needs; never raises for what it finds."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("python", _python),
        ("secret key", _secret),
        ("database, writing", _writing),
        ("database, reading", _reading),
        ("database, auditing", _auditing),
        ("database schema", _schema),
        ("kafka", _kafka),
        ("kafka topics", _topics),
        ("objects", _objects),
        ("redis", _redis),
    ]
    return [await _finding(name, check, settings) for name, check in checks]


async def _finding(name: str, check: Callable[[Settings], Awaitable[str]], settings: Settings) -> Finding:
    try:
        return Finding(name, await check(settings), None)
    except LeadwireError as error:
        return Finding(name, "", " ".join(str(error).split()))


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
        return "not used; each process keeps its own cache and counts (REDIS_URL)"
    kept = RedisCache(url.get_secret_value())
    try:
        await kept.ping()
    finally:
        await kept.close()
    return "answers"


async def _objects(settings: Settings) -> str:
    store = objects(settings.objects, settings.security, settings.http)
    await store.ping()
    cut_off = await store.unfinished(clock.now() - _UNFINISHED_FOR)
    return (
        f"{store.service}, {len(cut_off)} uploads cut off (a gateway gives them up): {', '.join(cut_off[:3])}"
        if cut_off
        else store.service
    )
