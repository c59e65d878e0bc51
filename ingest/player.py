"""Plays a recording or a virtual patient as a live device: over WebSocket, resumed from the last acknowledgement."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ingest.feeds import Feed, RestingFeed
from ingest.pacing import Pace, check_speed, started_at_us
from ingest.pauses import is_final, pause_after_s
from ingest.sources import Source, Take
from ingest.urls import samples_socket, uses_proxy
from schemas.clock import now_us
from schemas.codec import encode_pack
from schemas.errors import Busy, Rejected, Unauthenticated
from schemas.logs import logger
from schemas.samples import SampleBlock

WINDOW: Final = 64
"""Blocks sent and not acknowledged; they are what a reconnect repeats."""

_ANSWER_S: Final = 30.0
_TELL_EVERY: Final = 5

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway, and the device that sends to it."""

    url: str
    device_id: UUID
    token: str
    prefix: str = "/api/v1"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a play is. Positions are samples per lead, counts are blocks; `total` is None when it never ends."""

    take: Take
    sent_index: int
    acknowledged_index: int
    total: int | None
    blocks: int = 0
    acknowledged: int = 0
    repeated: int = 0
    reconnects: int = 0


OnProgress = Callable[[Progress], None]


async def play(
    source: Source,
    target: Target,
    *,
    take: Take | None = None,
    first_index: int = 0,
    speed: float = 1.0,
    block_s: float = 1.0,
    on_progress: OnProgress | None = None,
    stop: asyncio.Event | None = None,
    attempts: int | None = None,
) -> Progress:
    """Send every block of `source` and return when Kafka has all of them, or soon after `stop` is set.

    `speed` 1 is real time, 20 is 20 times as fast, 0 doesn't wait; see pacing.started_at_us for the device clock
    of a take that is not given. Every sample reaches Kafka at least once and in order; a repeat is dropped there by
    its index. A gateway that is away or busy is waited for, without end or until `attempts` connections in a row
    have failed: then Busy. Raises Unauthenticated for a bad token and Rejected for a block that the gateway refuses.
    """
    check_speed(speed)
    chosen = take or new_take(source, target, speed)
    feed = RestingFeed(source.blocks(chosen, block_s=block_s, first_index=first_index))
    playing = _Play(feed, target, Progress(chosen, first_index, first_index, source.count), speed, source.rate_hz)
    return await playing.run(on_progress or _ignore, stop or asyncio.Event(), attempts)


async def play_feed(
    feed: Feed, target: Target, take: Take, *, total: int | None = None, on_progress: OnProgress | None = None
) -> Progress:
    """Send what a feed gives as soon as it gives it; `take` is of its first block. Waits and raises as play() does.

    A feed may pass from one recording to the next; the progress tells of the one it is at.
    """
    progress = Progress(take, 0, 0, total)
    return await _Play(feed, target, progress, 0, 1.0).run(on_progress or _ignore, asyncio.Event(), None)


def new_take(source: Source, target: Target, speed: float) -> Take:
    """A new recording of the target's device, at the device clock of pacing.started_at_us."""
    duration_s = None if source.count is None else source.count / source.rate_hz
    return Take(target.device_id, uuid4(), started_at_us(now_us(), duration_s, speed))


def _ignore(_: Progress) -> None:
    """No callback was given."""


class _Play:
    """One play: what waits for an acknowledgement outlives the connections it is sent over."""

    def __init__(self, feed: Feed, target: Target, progress: Progress, speed: float, rate_hz: float) -> None:
        self._feed, self._target, self.progress = feed, target, progress
        self._first_index, self._speed, self._rate_hz = progress.sent_index, speed, rate_hz
        self._unacknowledged: deque[SampleBlock] = deque()
        self._moved = asyncio.Event()
        self._held: SampleBlock | None = None
        self._ended = False

    async def run(self, on_progress: OnProgress, stop: asyncio.Event, attempts: int | None) -> Progress:
        self._on_progress, self._stop = on_progress, stop
        self._pace = Pace(asyncio.get_running_loop().time(), self._rate_hz, self._speed)
        failures = 0
        while not self._done():
            acknowledged = self.progress.acknowledged
            try:
                await self._connection()
            except (OSError, ConnectionClosed, InvalidHandshake) as error:  # a TimeoutError is an OSError
                _raise_if_final(error)
                if stop.is_set():
                    break
                failures = 1 if self.progress.acknowledged > acknowledged else failures + 1
                await self._away(failures, attempts, error)
        return self.progress

    async def _away(self, failures: int, attempts: int | None, error: Exception) -> None:
        """Wait before the next attempt. Raises Busy after the last."""
        if failures == attempts:
            raise Busy(f"{self._target.url} failed {failures} times in a row ({error}); see that it runs") from error
        pause_s = pause_after_s(failures)
        if failures % _TELL_EVERY == 0:
            _log.warning("gateway away", url=self._target.url, failures=failures, why=str(error), pause_s=pause_s)
        await self._pause(pause_s)
        self._note(reconnects=self.progress.reconnects + 1)

    def _done(self) -> bool:
        return self._ended and not self._unacknowledged

    async def _connection(self) -> None:
        target = self._target
        async with connect(
            samples_socket(target.url, target.prefix),
            additional_headers={"Authorization": f"Bearer {target.token}"},
            compression=None,  # deflate of int16 costs more time than a local network takes to carry it
            proxy=True if uses_proxy(target.url) else None,
            max_queue=2 * WINDOW,  # answers never fill it: reading goes on, so closing is never waited for
        ) as socket:
            tasks = {asyncio.create_task(self._send(socket)), asyncio.create_task(self._read_answers(socket))}
            try:
                finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        for task in finished:
            task.result()

    async def _send(self, socket: ClientConnection) -> None:
        for repeated in list(self._unacknowledged):
            await socket.send(encode_pack([repeated]))
            self._note(repeated=self.progress.repeated + 1)
        while (block := await self._next()) is not None:
            self._unacknowledged.append(block)
            await socket.send(encode_pack([block]))
            take = Take(block.device_id, block.recording_id, self.progress.take.started_at_us)
            if take != self.progress.take:
                self._note(take=replace(take, started_at_us=block.recording_started_at_us), acknowledged_index=0)
            self._note(sent_index=block.end_index, blocks=self.progress.blocks + 1)
        self._ended = True
        await self._wait_until(self._done)

    async def _next(self) -> SampleBlock | None:
        """The next block when it is due and the window has room; None at the end or when stopped."""
        await self._wait_until(lambda: len(self._unacknowledged) < WINDOW)
        if self._held is None:
            self._held = await self._feed.next()
        if self._held is None or self._stop.is_set():
            return None
        now_s = asyncio.get_running_loop().time()
        await self._pause(self._pace.wait_s(self._held.end_index - self._first_index, now_s))
        if self._stop.is_set():
            return None
        block, self._held = self._held, None
        return block

    async def _wait_until(self, ready: Callable[[], bool]) -> None:
        """Raises TimeoutError when the gateway acknowledges nothing for _ANSWER_S."""
        while not ready():
            self._moved.clear()
            await asyncio.wait_for(self._moved.wait(), _ANSWER_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not once `stop` is set."""
        if seconds > 0 and not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), seconds)
            except TimeoutError:
                return

    async def _read_answers(self, socket: ClientConnection) -> None:
        while True:
            answer = json.loads(await socket.recv())
            if answer["type"] == "ack":
                self._acknowledge(answer)
            elif is_final(answer["status"]):
                raise _refusal(answer["status"], answer["detail"])

    def _acknowledge(self, answer: dict[str, Any]) -> None:
        """Answers come in the order of the frames; one that is not of the oldest block is of none that waits."""
        oldest = self._unacknowledged[0] if self._unacknowledged else None
        if oldest is None or _identity(oldest) != (answer["recording_id"], answer["first_index"]):
            return
        self._feed.acknowledge(self._unacknowledged.popleft())
        self._note(acknowledged=self.progress.acknowledged + 1)
        if oldest.recording_id == self.progress.take.recording_id:
            self._note(acknowledged_index=oldest.end_index)
        self._moved.set()

    def _note(self, **changes: Any) -> None:
        self.progress = replace(self.progress, **changes)
        self._on_progress(self.progress)


def _identity(block: SampleBlock) -> tuple[str, int]:
    return str(block.recording_id), block.first_index


def _raise_if_final(error: Exception) -> None:
    """Raise what trying again can't mend: the gateway knows neither token nor path."""
    if isinstance(error, InvalidStatus) and is_final(error.response.status_code):
        raise _refusal(error.response.status_code, _detail(error)) from error


def _detail(error: InvalidStatus) -> str:
    try:
        return str(json.loads(error.response.body or b"{}")["detail"])
    except (ValueError, KeyError):
        return f"the gateway answered {error.response.status_code}; see that the URL is a Leadwire gateway's"


def _refusal(status: int, detail: str) -> Rejected | Unauthenticated:
    return Unauthenticated(detail) if status in {401, 403} else Rejected(detail)
