"""The cache: values that may be forgotten at any time, each with its lifetime."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, cast

from cachetools import TLRUCache
from redis.exceptions import RedisError

from schemas.errors import Busy
from schemas.settings_store import CacheSettings
from storage.redis_door import PREFIX, Outage, connect


class Cache(Protocol):
    """Bytes by key. Whoever asks must be able to live without an answer; only the lifetime bounds how old one is.

    Every call may wait for a server; when there is none to be had, `get` answers None and the others do nothing.
    """

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it is not there or its lifetime is over."""

    async def set(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep the value for at most `lifetime_s`."""

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""

    async def close(self) -> None:
        """Let go of the server; it is not asked again."""


def cache(settings: CacheSettings) -> Cache:
    """The one at LEADWIRE_REDIS_URL, which all processes share, else one of this process. Connects when first asked."""
    return MemoryCache() if settings.redis_url is None else RedisCache(settings.redis_url.get_secret_value())


@dataclass(frozen=True, slots=True)
class _Entry:
    value: bytes
    lifetime_s: float


class MemoryCache:
    """A cache in this process, of at most `max_bytes` of values; the least recently used go first."""

    def __init__(self, max_bytes: int = 64 * 2**20, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            maxsize=max_bytes,
            ttu=lambda _key, entry, now: now + entry.lifetime_s,
            timer=clock,
            getsizeof=lambda entry: len(entry.value),
        )
        self._max_bytes = max_bytes

    async def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    async def set(self, key: str, value: bytes, lifetime_s: float) -> None:
        await self.delete(key)
        if len(value) <= self._max_bytes:
            self._entries[key] = _Entry(value, lifetime_s)

    async def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    async def close(self) -> None:
        self._entries.clear()


class LayeredCache:
    """A cache of this process before one that all share; for values that are never replaced under their key.

    What came from afar is kept near for `near_s`, or as long as it was set for.
    """

    def __init__(self, near: Cache, far: Cache, near_s: float = 60.0) -> None:
        self._near, self._far, self._near_s = near, far, near_s

    async def get(self, key: str) -> bytes | None:
        value = await self._near.get(key)
        if value is None:
            value = await self._far.get(key)
            if value is not None:
                await self._near.set(key, value, self._near_s)
        return value

    async def set(self, key: str, value: bytes, lifetime_s: float) -> None:
        await self._near.set(key, value, lifetime_s)
        await self._far.set(key, value, lifetime_s)

    async def delete(self, key: str) -> None:
        await self._near.delete(key)
        await self._far.delete(key)

    async def close(self) -> None:
        await self._near.close()
        await self._far.close()


class RedisCache:
    """A cache in Redis; what is evicted there first is its own setting (maxmemory-policy allkeys-lru)."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = connect(url)
        self._outage = Outage("nothing is cached meanwhile; see that it runs and LEADWIRE_REDIS_URL is right", clock)

    async def get(self, key: str) -> bytes | None:
        if self._outage.lasts:
            return None
        try:
            value = cast("bytes | None", await self._redis.get(PREFIX + key))
        except (RedisError, OSError) as error:
            self._outage.begins(error)
            return None
        self._outage.ends()
        return value

    async def set(self, key: str, value: bytes, lifetime_s: float) -> None:
        await self._tell(self._redis.set, PREFIX + key, value, px=max(1, round(lifetime_s * 1000)))

    async def delete(self, key: str) -> None:
        await self._tell(self._redis.delete, PREFIX + key)

    async def ping(self) -> None:
        """Raise Busy unless it answers."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise Busy(f"Redis does not answer ({error}); see that it runs and LEADWIRE_REDIS_URL is right") from error

    async def close(self) -> None:
        await self._redis.aclose()

    async def _tell(self, command: Callable[..., Awaitable[object]], *words: str | bytes, **options: int) -> None:
        if self._outage.lasts:
            return
        try:
            await command(*words, **options)
        except (RedisError, OSError) as error:
            self._outage.begins(error)
        else:
            self._outage.ends()
