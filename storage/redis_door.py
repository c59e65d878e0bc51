"""Redis, with short patience: what it keeps may always be missing, so nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis

from schemas import logs

PREFIX: Final = "leadwire:"

_TIMEOUT_S: Final = 0.25
_MAX_CONNECTIONS: Final = 50
_LEAVE_ALONE_S: Final = 5.0
"""After a failure, so that an outage costs one request in five seconds its 0.25 s and not every one."""

_log = logs.logger(__name__)


def connect(url: str) -> Redis:
    """A client that connects when it is first used, and again by itself; each call takes 0.25 s at most."""
    client: Redis = Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        max_connections=_MAX_CONNECTIONS,
    )
    return client


class Outage:
    """Remembers that Redis is away, says so once, and lets it be tried again every few seconds."""

    def __init__(self, what_happens: str, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._what_happens, self._clock_s = what_happens, clock_s
        self._until_s: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether it is too early to try again."""
        return self._until_s is not None and self._clock_s() < self._until_s

    def begins(self, error: Exception) -> None:
        """It did not answer."""
        if self._until_s is None:
            _log.warning("Redis is away", error=str(error), now=self._what_happens)
        self._until_s = self._clock_s() + _LEAVE_ALONE_S

    def ends(self) -> None:
        """It answered."""
        if self._until_s is not None:
            _log.info("Redis is back")
        self._until_s = None
