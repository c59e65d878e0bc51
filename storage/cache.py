"""The cache: values that may be forgotten at any time, each with its lifetime."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cachetools import TLRUCache


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
