"""Hashing: slow on purpose, so a few at a time, in threads that yield to the ones that serve."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from schemas.errors import Busy

T = TypeVar("T")

AT_ONCE: Final = 2
"""Two hashes of argon2's 64 MiB each keep two cores busy, some 40 logins a second; more would only share them."""

MAX_WAITING: Final = 64
"""Those wait 2 s at most on such a machine; who comes later hears Busy at once."""

_NICENESS: Final = 10


class HashingPool:
    """Runs slow functions, at most `at_once` together and `max_waiting` in line; starts no thread before the first."""

    def __init__(self, at_once: int = AT_ONCE, max_waiting: int = MAX_WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, "hashing", initializer=_step_back)
        self._room = at_once + max_waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises Busy when the line is full."""
        if self._inside >= self._room:
            raise Busy("too many people log in at this moment; try again in a few seconds")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1


def _step_back() -> None:
    """On Linux niceness is a thread's own, and argon2's lanes inherit it: the event loop goes first."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
