"""Counts: how often something was tried, in this process or in Redis for all of them."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter as SharedWindows
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from schemas.settings_store import CacheSettings
from storage.redis_door import PREFIX, Outage, connect

MAX_KEYS: Final = 50_000
"""Some 10 MB; the key that was quiet for longest is forgotten first."""


class Counts(Protocol):
    """Counts by key; a count is forgotten as a whole, a rate's window after its first hit."""

    async def hit(self, rate: RateLimitItem, key: str) -> int | None:
        """Count one more: the seconds to wait when that is over the rate, None when it is within."""

    async def take_back(self, rate: RateLimitItem, key: str) -> None:
        """Count one less."""

    async def forget(self, rate: RateLimitItem, key: str) -> None:
        """Begin anew."""

    async def close(self) -> None:
        """Let go of the server, if there is one."""


def counts(settings: CacheSettings) -> Counts:
    """Those at LEADWIRE_REDIS_URL, which all processes share, else of this process. Connects when first asked."""
    return MemoryCounts() if settings.redis_url is None else RedisCounts(settings.redis_url.get_secret_value())


@dataclass(slots=True)
class _Window:
    count: int
    ends_s: float


class BoundedStorage(Storage):
    """A storage for `limits` of at most `max_keys` keys that runs no thread; its own MemoryStorage does both not."""

    STORAGE_SCHEME = None

    def __init__(self, clock_s: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        super().__init__()
        self._clock_s, self._max_keys = clock_s, max_keys
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now_s = self._clock_s()
        window = self._windows.get(key)
        if window is None or window.ends_s <= now_s:
            window = self._windows[key] = _Window(0, now_s + expiry)
        self._windows.move_to_end(key)
        if len(self._windows) > self._max_keys:
            self._windows.popitem(last=False)
        window.count += amount
        return window.count

    def get(self, key: str) -> int:
        window = self._windows.get(key)
        return 0 if window is None or window.ends_s <= self._clock_s() else window.count

    def get_expiry(self, key: str) -> float:
        window = self._windows.get(key)
        return self._clock_s() if window is None else window.ends_s

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)


class MemoryCounts:
    """Counts of this process alone."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock_s = clock_s
        self._windows = FixedWindowRateLimiter(BoundedStorage(clock_s, max_keys))

    def hit_now(self, rate: RateLimitItem, key: str) -> int | None:
        """The same as hit(), for those in a hurry: some microseconds."""
        if self._windows.hit(rate, key):
            return None
        return _whole_seconds(self._windows.get_window_stats(rate, key).reset_time - self._clock_s())

    async def hit(self, rate: RateLimitItem, key: str) -> int | None:
        return self.hit_now(rate, key)

    async def take_back(self, rate: RateLimitItem, key: str) -> None:
        self._windows.hit(rate, key, cost=-1)

    async def forget(self, rate: RateLimitItem, key: str) -> None:
        self._windows.clear(rate, key)

    async def close(self) -> None:
        self._windows.storage.reset()


class RedisCounts:
    """Counts that all processes share; while Redis is away each counts for itself, and nobody is refused for that."""

    def __init__(self, url: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._redis = connect(url)
        pool = self._redis.connection_pool
        storage = RedisStorage(
            f"async+{url}",
            True,
            "redispy",
            f"{PREFIX}limits",
            connection_pool=pool,  # type: ignore[arg-type]  # documented
        )
        self._windows = SharedWindows(storage)
        self._here = MemoryCounts(clock_s)
        self._outage = Outage(
            "logins are counted per process meanwhile; see that it runs and LEADWIRE_REDIS_URL is right", clock_s
        )

    async def hit(self, rate: RateLimitItem, key: str) -> int | None:
        if self._outage.lasts:
            return await self._here.hit(rate, key)
        try:
            wait_s = await self._shared_hit(rate, key)
        except (StorageError, OSError) as error:
            self._outage.begins(error)
            return await self._here.hit(rate, key)
        self._outage.ends()
        return wait_s

    async def take_back(self, rate: RateLimitItem, key: str) -> None:
        if self._outage.lasts:
            await self._here.take_back(rate, key)
            return
        try:
            await self._windows.hit(rate, key, cost=-1)
        except (StorageError, OSError) as error:
            self._outage.begins(error)

    async def forget(self, rate: RateLimitItem, key: str) -> None:
        await self._here.forget(rate, key)
        if self._outage.lasts:
            return
        try:
            await self._windows.clear(rate, key)
        except (StorageError, OSError) as error:
            self._outage.begins(error)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _shared_hit(self, rate: RateLimitItem, key: str) -> int | None:
        if await self._windows.hit(rate, key):
            return None
        told = await self._windows.get_window_stats(rate, key)
        return _whole_seconds(told.reset_time - time.time())


def _whole_seconds(wait_s: float) -> int:
    return max(1, math.ceil(wait_s))
