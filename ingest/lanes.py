"""A lane: the ordered way of one partition into Kafka, where waiting blocks become packs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka.errors import KafkaError

from schemas.errors import Busy


class KafkaProducer(Protocol):
    """The part of aiokafka's producer that is used; the tests have a fake."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def partitions_for(self, topic: str) -> set[int]: ...
    async def ask_metadata(self) -> None:
        """Ask a broker afresh; raises KafkaError when none answers."""

    async def send_and_wait(self, topic: str, value: bytes, key: bytes, partition: int | None) -> object: ...


@dataclass(eq=False, slots=True)
class Chunk:
    """Encoded blocks of one request for one partition. SamplePack bytes joined are a SamplePack again.

    `stored` resolves to None when Kafka has it, or to the reason why not; it never raises, so a caller
    who has gone away leaves no unread exception behind.
    """

    key: bytes
    value: bytes
    stored: asyncio.Future[Busy | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lane:
    """Sends one pack at a time, so a partition keeps the order in which blocks came, failures included.

    A chunk that finds the lane idle for `linger_s` goes at once. Those that come while a pack is on its way,
    or within `linger_s` of it, wait and go together: up to `pack_bytes` in one record. When a pack fails, what
    waits behind it fails too: the sender repeats from there, in order.

    Kafka's client keeps a pack that it was given until a broker takes it, however long that lasts. So when there is
    no answer in `timeout_s` the lane gives it no other: what comes is refused at once until the stuck pack has gone
    or failed. Its memory is then that one pack, and the first answer of a broker that is back opens the lane.
    """

    def __init__(
        self,
        send: Callable[[bytes, bytes], Awaitable[object]],
        *,
        shared_key: bytes,
        linger_s: float,
        pack_bytes: int,
        timeout_s: float,
    ) -> None:
        self._send, self._shared_key = send, shared_key
        self._linger_s, self._pack_bytes, self._timeout_s = linger_s, pack_bytes, timeout_s
        self._waiting: deque[Chunk] = deque()
        self._waiting_bytes = 0
        self._full = asyncio.Event()
        self._idle_since = -1e9
        self._task: asyncio.Task[None] | None = None
        self._stuck: asyncio.Future[object] | None = None

    def put(self, chunk: Chunk) -> None:
        """Queue a chunk (the caller bounds how much may wait); refused at once while a pack is stuck."""
        if self._stuck is not None:
            _resolve([chunk], _not_taken("it has not answered for a while"))
            return
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk.value)
        if self._waiting_bytes >= self._pack_bytes:
            self._full.set()
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    async def drained(self) -> None:
        """Return when nothing waits or is on its way."""
        if self._task is not None:
            await asyncio.wait({self._task})

    def abandon(self) -> None:
        """Wait no longer for a pack that is stuck."""
        if self._stuck is not None:
            self._stuck.cancel()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._linger()
                await self._deliver(self._take())
        finally:
            self._task = None

    async def _linger(self) -> None:
        left_s = self._idle_since + self._linger_s - asyncio.get_running_loop().time()
        if left_s > 0 and not self._full.is_set():
            try:
                await asyncio.wait_for(self._full.wait(), left_s)
            except TimeoutError:
                return

    def _take(self) -> list[Chunk]:
        pack = [self._waiting.popleft()]
        size = len(pack[0].value)
        while self._waiting and size + len(self._waiting[0].value) <= self._pack_bytes:
            pack.append(self._waiting.popleft())
            size += len(pack[-1].value)
        self._waiting_bytes -= size
        if self._waiting_bytes < self._pack_bytes:
            self._full.clear()
        return pack

    async def _deliver(self, pack: list[Chunk]) -> None:
        value = b"".join(chunk.value for chunk in pack)
        key = pack[0].key if all(chunk.key == pack[0].key for chunk in pack) else self._shared_key
        failure: Busy | None = Busy("the gateway stopped before Kafka answered; send the blocks again")
        try:
            failure = await self._answer(asyncio.ensure_future(self._send(value, key)))
        finally:
            self._idle_since = asyncio.get_running_loop().time()
            _resolve(pack if failure is None else pack + self._give_up(), failure)

    async def _answer(self, sending: asyncio.Future[object]) -> Busy | None:
        """Why Kafka does not have the pack; None when it has. A pack without an answer is stuck, and stays so."""
        done, _ = await asyncio.wait({sending}, timeout=self._timeout_s)
        if not done:
            self._stuck = sending
            sending.add_done_callback(self._loosen)
            return _not_taken(f"no answer in {self._timeout_s:g} s")
        try:
            sending.result()
        except (KafkaError, OSError, TimeoutError, Busy) as error:
            return _not_taken(str(error) or type(error).__name__)
        return None

    def _loosen(self, sending: asyncio.Future[object]) -> None:
        """Whatever became of the pack, its sender has been told to repeat it: the lane is open again."""
        if not sending.cancelled():
            sending.exception()
        self._stuck = None

    def _give_up(self) -> list[Chunk]:
        waiting = list(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._full.clear()
        return waiting


def _not_taken(reason: str) -> Busy:
    return Busy(f"Kafka did not take the blocks ({reason}); send them again in {Busy.retry_after_s} s")


def _resolve(chunks: list[Chunk], failure: Busy | None) -> None:
    for chunk in chunks:
        if not chunk.stored.done():
            chunk.stored.set_result(failure)
