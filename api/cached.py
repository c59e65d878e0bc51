"""Answers that may be a few minutes old, made once for everybody who asks meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from schemas.logs import logger
from schemas.telemetry import CACHE_LOOKUPS
from storage.cache import Cache

Answer = TypeVar("Answer")

_LOG: Final = logger(__name__)


async def look_up(cache: Cache, what: str, key: str, kind: TypeAdapter[Answer]) -> Answer | None:
    """What is kept under `key`, if it can be read."""
    known = await cache.get(key)
    found: Answer | None = None
    if known is not None:
        try:
            found = kind.validate_json(known)
        except ValidationError as error:  # another version of this service shares the cache
            _LOG.warning("cache_entry_not_used", key=key, reason=error.title, remedy="it is made anew")
    CACHE_LOOKUPS.labels(what, "miss" if found is None else "hit").inc()
    return found


class CachedAnswers:
    """Answers by key, kept for `lifetime_s` in a cache; how old one may be is all that bounds it.

    What is not kept is made once for everybody who asks meanwhile, and of all answers one at a time: a month of a fleet
    takes the database seconds, and several at once would leave nothing for those who ask for little.
    """

    def __init__(self, cache: Cache, lifetime_s: float = 300.0) -> None:
        self._cache, self._lifetime_s = cache, lifetime_s
        self._making: dict[str, asyncio.Task[Any]] = {}
        self._turn = asyncio.Lock()

    async def get(self, key: str, kind: TypeAdapter[Answer], make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer kept under `key`, else one that is made now. Raises what `make` raises."""
        known = await look_up(self._cache, "statistics", key, kind)
        if known is not None:
            return known
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, kind, make))
            making.add_done_callback(lambda done: self._forget(key, done))
        return cast("Answer", await asyncio.shield(making))  # one who goes away leaves the others their answer

    def _forget(self, key: str, done: asyncio.Task[Any]) -> None:
        del self._making[key]
        if not done.cancelled():
            done.exception()  # looked at, in case everybody has gone away meanwhile

    async def _make(self, key: str, kind: TypeAdapter[Answer], make: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._turn:
            made = await make()
        await self._cache.set(key, kind.dump_json(made), self._lifetime_s)
        return made
