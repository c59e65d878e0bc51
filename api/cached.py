"""Answers that may be a few minutes old, made once for everybody who asks meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from schemas.logs import logger
from storage.cache import Cache

STATISTICS_S: Final = 300.0
"""The seed system's lifetime for statistics."""

Answer = TypeVar("Answer")

_LOG: Final = logger(__name__)


class CachedAnswers:
    """Answers by key, kept for STATISTICS_S in a cache.

    What is not kept is made once for everybody who asks meanwhile, and of all answers one at a time: a month of a fleet
    takes the database seconds, and several at once would leave nothing for those who ask for little.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._making: dict[str, asyncio.Task[Any]] = {}
        self._turn = asyncio.Lock()

    async def get(self, key: str, kind: TypeAdapter[Answer], make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer kept under `key`, else one that is made now. Raises what `make` raises."""
        known = await self._cache.get(key)
        if known is not None:
            try:
                return kind.validate_json(known)
            except ValidationError as error:  # another version of this service shares the cache
                _LOG.warning("cache_entry_not_used", key=key, reason=error.title, remedy="it is made anew")
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
        await self._cache.set(key, kind.dump_json(made), STATISTICS_S)
        return made
