"""Leadwire's own services as processes that are started again when they end, as compose does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadwire.children import Child, Children

_LOOK_EVERY_S = 0.2


@dataclass(slots=True)
class Service:
    """One `leadwire` command that should run; `starts` and `own_ends` are counted by the keeper."""

    children: Children
    name: str
    words: Sequence[str]
    env: Mapping[str, str]
    child: Child | None = None
    starts: int = 0
    own_ends: list[int] = field(default_factory=list)
    _killed: bool = False

    def start(self) -> None:
        self.child = self.children.start(self.name, [sys.executable, "-m", "leadwire", *self.words], env=self.env)
        self.starts += 1
        self._killed = False

    def kill(self) -> None:
        """SIGKILL; the keeper starts it again."""
        if self.child is not None:
            self._killed = True
            self.children.kill(self.child)

    async def stop(self) -> None:
        """In order, and it stays away until `start`."""
        child, self.child = self.child, None
        if child is not None:
            await asyncio.to_thread(self.children.stop, child, number=signal.SIGTERM, grace_s=30)

    @property
    def restarts(self) -> int:
        return max(0, self.starts - 1)

    def revive(self) -> None:
        """Start it again if it should run and does not."""
        if self.child is None or self.child.exit_code is None:
            return
        if not self._killed:
            self.own_ends.append(self.child.exit_code)
        self.children.stop(self.child)
        self.start()


async def keep(services: Sequence[Service]) -> None:
    """Start services again that end, until cancelled."""
    while True:
        for service in services:
            service.revive()
        await asyncio.sleep(_LOOK_EVERY_S)


def freeze(child: Child) -> None:
    """SIGSTOP: it is there and does nothing."""
    os.killpg(child.pid, signal.SIGSTOP)


def thaw(child: Child) -> None:
    os.killpg(child.pid, signal.SIGCONT)
