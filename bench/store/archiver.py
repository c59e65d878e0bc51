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
_KILL_SHARE: Final = 0.6
_LIVES_S: Final = (0.8, 3.5)
"""A run that is to be killed lives so long: from still importing to far into its work."""
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
            await self.run(self.chance.uniform(*_LIVES_S) if self.chance.random() < _KILL_SHARE else None)

    async def run(self, lives_s: float | None, within_s: float | None = None) -> bool:
        """One run; SIGKILL after `lives_s`, if it lasts that long. Whether it came to its end in order."""
        command = [sys.executable, "-m", "leadwire", *_COMMAND]
        child = self.here.children.start("archive", command, env=self.here.env())
        left_s = lives_s or within_s
        ended = await _ended(child, left_s)
        if not ended:
            self.killed_at_work += await asyncio.to_thread(_holds_a_claim, self.here.direct_url)
            self.here.children.kill(child)
            self.killed += lives_s is not None
        self.here.children.stop(child, number=signal.SIGKILL)
        if not ended and lives_s is None:
            raise Busy(f"an archive run took longer than {within_s:g} s: {child.last_words()}; see {child.log}")
        if ended and child.exit_code != 0:
            self.failed.append(child.last_words(2)[-300:])
        self.finished += ended and child.exit_code == 0
        return ended and child.exit_code == 0

    async def see_out(self) -> int:
        """Run undisturbed until all is archived; how many runs that took. Raises Busy when it doesn't come to that."""
        good = rounds = 0
        while good < _NOTHING:
            if rounds == _MOST_ROUNDS:
                raise Busy(f"{rounds} archive runs in a row did not end in order: {self.failed[-1:]}")
            rounds += 1
            good += await self.run(None, _ALONE_S)
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
