"""Answers that may be a few minutes old, made once for everybody who asks meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from schemas.logs import logger
from storage.cache import Cache

STATISTICS_S: Final = 300.0
"""The seed system's lifetime for statistics."""

Answer = TypeVar("Answer")

_LOG: Final = logger(__name__)


async def cached(cache: Cache, key: str, kind: TypeAdapter[Answer], make: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer kept under `key`, else one that is made now and kept for STATISTICS_S."""
    known = await cache.get(key)
    if known is not None:
        try:
            return kind.validate_json(known)
        except ValidationError as error:  # another version of this service shares the cache
            _LOG.warning("cache_entry_not_used", key=key, reason=error.title, remedy="it is made anew")
    made = await make()
    await cache.set(key, kind.dump_json(made), STATISTICS_S)
    return made
