"""Reads are noted: who saw which patient's data, from where, written to the audit log in the background."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cachetools import TTLCache

from schemas import logs, telemetry
from schemas.audit import AuditLine
from schemas.errors import Busy
from storage import audit
from storage.database import Database

WriteLines = Callable[[Sequence[AuditLine]], Awaitable[None]]
"""Writes all lines or none. Raises Busy when the database is away."""

_BATCH: Final = 500
_LINGER_S: Final = 0.2
"""How long a line may wait for others, so that a busy second is one transaction."""
_AGAIN_S: Final = 2.0
_FLUSH_S: Final = 5.0
_REMEMBERED: Final = 50_000
"""Reads remembered as noted: 24 MB when full; the oldest are forgotten first, and then noted again."""

_log = logs.logger(__name__)


class ReadLog:
    """A bounded queue of lines, and the task that writes them: each at least once, in the order they came."""

    def __init__(self, write: WriteLines, *, repeat_s: float, size: int, linger_s: float = _LINGER_S) -> None:
        self._write, self._size, self._linger_s = write, size, linger_s
        self._noted: TTLCache[tuple[str, str, str], None] = TTLCache(_REMEMBERED, repeat_s)
        self._waiting: deque[AuditLine] = deque()
        self._changed = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def read(self, line: AuditLine) -> None:
        """Note a read, unless the same actor did the same a short while ago. With a full queue it is lost and told."""
        key = (line.actor, line.action, line.subject)
        if key in self._noted:
            return
        if len(self._waiting) >= self._size:
            _lose(1, "the queue is full")
            return
        self._noted[key] = None
        self._put(line)

    def handed_out(self, line: AuditLine, *, once: bool = False) -> None:
        """Note that data is about to leave as a file or a link, with `once` as seldom as a read.

        Raises Busy when that can't be noted.
        """
        key = (line.actor, line.action, line.subject)
        if once and key in self._noted:
            return
        if len(self._waiting) >= self._size:
            raise Busy("who reads what can't be noted now, so no file is handed out; try again in a few seconds")
        if once:
            self._noted[key] = None
        self._put(line)

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._run(), name="read log")

    async def close(self) -> None:
        """Write what waits, for 5 s at most; what is lost then is told."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        try:
            async with asyncio.timeout(_FLUSH_S):
                while self._waiting:
                    await self._write_some()
        except (Busy, TimeoutError):
            _lose(len(self._waiting), "the database is away and the api ends")

    def _put(self, line: AuditLine) -> None:
        self._waiting.append(line)
        telemetry.READS_WAITING.set(len(self._waiting))
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(self._linger_s)
            try:
                await self._write_some()
            except Busy as error:
                _log.warning("reads wait to be noted", waiting=len(self._waiting), error=str(error))
                await asyncio.sleep(_AGAIN_S)
            if not self._waiting:
                self._changed.clear()

    async def _write_some(self) -> None:
        batch = list(self._waiting)[:_BATCH]
        try:
            await self._write(batch)
            self._done(len(batch))
        except Busy:
            raise
        except Exception:  # noqa: BLE001  # this task's outermost loop: one bad line must not stop those after it
            for line in batch:
                await self._write_one(line)

    async def _write_one(self, line: AuditLine) -> None:
        try:
            await self._write([line])
            self._done(1)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001  # told and left out: it would be refused for ever
            self._done(1, "lost")
            _log.error("a read was refused by the database", action=line.action, error=type(error).__name__)

    def _done(self, count: int, outcome: str = "written") -> None:
        for _ in range(count):
            self._waiting.popleft()
        telemetry.READS_NOTED.labels(outcome).inc(count)
        telemetry.READS_WAITING.set(len(self._waiting))


def _lose(count: int, why: str) -> None:
    telemetry.READS_NOTED.labels("lost").inc(count)
    _log.error("reads were not noted", count=count, why=why)


def writing_to(database: Database) -> WriteLines:
    """The writer that appends through the role leadwire_auditor."""

    async def write(lines: Sequence[AuditLine]) -> None:
        async with database.transaction() as conn:
            await audit.append_reads(conn, lines)

    return write
