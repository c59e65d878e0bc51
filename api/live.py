"""Live: one reader of Kafka per process, fanned out to whoever watches; slow watchers lose the oldest first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import UUID

from api.live_messages import LiveRecord, messages, to_text
from schemas import logs, telemetry
from schemas.errors import Busy

_QUEUE: Final = 256
"""Messages a watcher may lag behind: about a minute of one device at four a second."""
_LINGER_S: Final = 10.0
"""How long the reader goes on without watchers, so that reloading a page doesn't start it anew."""

_log = logs.logger(__name__)


class Source(Protocol):
    """Where live records come from, from the moment start() returns."""

    async def start(self) -> None:
        """Raises Busy when the broker is away."""

    async def records(self) -> Sequence[LiveRecord]:
        """The next records, or none after about half a second. Raises Busy when the broker is away for good."""

    async def stop(self) -> None: ...


class Subscription:
    """One watcher's bounded queue of messages about `device_ids`."""

    def __init__(self, device_ids: frozenset[UUID], size: int = _QUEUE) -> None:
        self.device_ids = device_ids
        self.closed = False
        self._size, self._waiting, self._dropped = size, deque[str](), 0
        self._changed = asyncio.Event()

    def offer(self, text: str) -> None:
        """Queue a message; the oldest makes room."""
        if len(self._waiting) >= self._size:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append(text)
        self._changed.set()

    def close(self) -> None:
        """Wake the watcher up for the last time."""
        self.closed = True
        self._changed.set()

    async def next(self, timeout_s: float) -> list[str]:
        """Everything that waits, or nothing after `timeout_s` or when closed. What was dropped is told first."""
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await self._changed.wait()
        except TimeoutError:
            return []
        taken = list(self._waiting)
        if self._dropped:
            taken.insert(0, to_text("dropped", {"dropped": self._dropped}))
        self._waiting.clear()
        self._dropped = 0
        if not self.closed:
            self._changed.clear()
        return taken


class LiveFeed:
    """Reads the source while someone watches, and hands each message to those who watch its device."""

    def __init__(self, new_source: Callable[[], Source], *, linger_s: float = _LINGER_S) -> None:
        self._new_source, self._linger_s = new_source, linger_s
        self._subscriptions: set[Subscription] = set()
        self._starting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    async def subscribe(self, device_ids: frozenset[UUID]) -> Subscription:
        """Watch devices from now on. Raises Busy when the broker is away."""
        subscription = Subscription(device_ids)
        self._subscriptions.add(subscription)
        telemetry.LIVE_SUBSCRIBERS.set(len(self._subscriptions))
        try:
            async with self._starting:
                await self._ensure_reader()
        except BaseException:
            self.unsubscribe(subscription)
            raise
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        telemetry.LIVE_SUBSCRIBERS.set(len(self._subscriptions))

    async def close(self) -> None:
        """Stop reading and let every watcher go."""
        for subscription in list(self._subscriptions):
            subscription.close()
        reader = self._reader
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _ensure_reader(self) -> None:
        if self._reader is not None:
            return
        source = self._new_source()
        await source.start()
        self._reader = asyncio.create_task(self._read(source), name="live reader")

    async def _read(self, source: Source) -> None:
        try:
            await self._read_while_watched(source)
        except Busy as error:
            _log.warning("live feed lost its broker", error=str(error))
            self._let_all_go()
        except Exception:  # noqa: BLE001  # this task's outermost loop: watchers reconnect, and start it anew
            _log.exception("live feed failed")
            self._let_all_go()
        finally:
            self._reader = None  # before the wait: who comes now starts a new one
            await source.stop()

    async def _read_while_watched(self, source: Source) -> None:
        clock = asyncio.get_running_loop().time
        watched_at = clock()
        while clock() - watched_at <= self._linger_s:
            for record in await source.records():
                self._deliver(record)
            if self._subscriptions:
                watched_at = clock()

    def _deliver(self, record: LiveRecord) -> None:
        wanted = frozenset[UUID]().union(*(subscription.device_ids for subscription in self._subscriptions))
        if not wanted:
            return
        for message in messages(record, wanted):
            for subscription in self._subscriptions:
                if message.device_id in subscription.device_ids:
                    subscription.offer(message.text)

    def _let_all_go(self) -> None:
        for subscription in self._subscriptions:
            subscription.close()
