"""`leadwire archive --once` over and over, killed now and then at a moment that nobody chose."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from bench.store.stand import Stand
from leadwire.children import Child
from schemas.errors import Busy

_COMMAND: Final = ("archive", "--once")
_KILL_SHARE: Final = 0.8
_LIVES_S: Final = (0.5, 5.0)
"""Half of the runs that are to be killed live so long: from still importing to far into its work."""
_AT_WORK_S: Final = (0.0, 1.5)
"""The other half live so long after one holds a device to archive it,"""
_IDLE_S: Final = 20.0
"""or are killed without, when there is none to hold."""
_ALONE_S: Final = 300.0
_MOST_ROUNDS: Final = 20
_NOTHING: Final = 3
"""Hours that come late are written anew and expire in the next round: this many finished runs see them all out."""


@dataclass(slots=True)
class Archiver:
    """The loop and its books."""

    here: Stand
    chance: random.Random
    finished: int = 0
    killed: int = 0
    killed_at_work: int = 0
    """Of the killed: with the claim of a device in hand."""
    failed: list[str] = field(default_factory=list)

    async def loop(self, stopping: asyncio.Event) -> None:
        """Until `stopping`, one run after the other."""
        while not stopping.is_set():
            if self.chance.random() < _KILL_SHARE:
                await self.run_and_kill()
            else:
                await self.run()

    async def run(self, within_s: float | None = None) -> bool:
        """One run, undisturbed. Whether it ended in order. Raises Busy when it takes longer than `within_s`."""
        child = self._start()
        if not await _ended(child, within_s):
            self.here.children.stop(child, number=signal.SIGKILL)
            raise Busy(f"an archive run took longer than {within_s:g} s: {child.last_words()}; see {child.log}")
        return self._note(child)

    async def run_and_kill(self) -> None:
        """One run that gets SIGKILL, unless it has ended before its moment."""
        child = self._start()
        if await self._ended_before_its_moment(child):
            self._note(child)
            return
        self.killed_at_work += await self._is_at_work()
        self.killed += 1
        self.here.children.stop(child, number=signal.SIGKILL)

    async def _ended_before_its_moment(self, child: Child) -> bool:
        if self.chance.random() < 0.5:
            return await _ended(child, self.chance.uniform(*_LIVES_S))
        deadline_s = time.monotonic() + _IDLE_S
        while time.monotonic() < deadline_s and not await self._is_at_work():
            if await _ended(child, 0.1):
                return True
        return await _ended(child, self.chance.uniform(*_AT_WORK_S))

    async def _is_at_work(self) -> bool:
        return await asyncio.to_thread(_holds_a_claim, self.here.direct_url)

    def _start(self) -> Child:
        command = [sys.executable, "-m", "leadwire", *_COMMAND]
        return self.here.children.start("archive", command, env=self.here.env())

    def _note(self, child: Child) -> bool:
        """One that ended by itself; whether in order."""
        self.here.children.stop(child)
        if child.exit_code != 0:
            self.failed.append(child.last_words(2)[-300:])
        self.finished += child.exit_code == 0
        return child.exit_code == 0

    async def see_out(self) -> int:
        """Run undisturbed until all is archived; how many runs that took. Raises Busy when it doesn't come to that."""
        good = rounds = 0
        while good < _NOTHING:
            if rounds == _MOST_ROUNDS:
                raise Busy(f"{rounds} archive runs in a row did not end in order: {self.failed[-1:]}")
            rounds += 1
            good += await self.run(_ALONE_S)
        return rounds

    def told(self) -> Mapping[str, Any]:
        return {
            "finished": self.finished,
            "killed": self.killed,
            "killed_at_work": self.killed_at_work,
            "failed": len(self.failed),
            "why": self.failed[-3:],
        }


def _holds_a_claim(url: str) -> bool:
    """Whether somebody holds a device to archive it; False while the database is away."""
    query = """
        SELECT count(*) > 0
        FROM pg_locks
        WHERE relation = to_regclass('archive_progress') AND mode = 'RowShareLock' AND granted
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            return connection.execute(query).fetchone() == (True,)
    except psycopg.OperationalError:
        return False


async def _ended(child: Child, within_s: float | None) -> bool:
    deadline_s = None if within_s is None else time.monotonic() + within_s
    while child.exit_code is None:
        if deadline_s is not None and time.monotonic() > deadline_s:
            return False
        await asyncio.sleep(0.05)
    return True
