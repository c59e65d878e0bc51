"""A flood of logins takes a bounded share of memory and threads, and who comes too late hears so at once."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from functools import partial

import pytest

from schemas.errors import Busy
from web.hashing import HashingPool


class Work:
    """Slow work that ends when it is let; knows how much of it ran together."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = 0

    def __call__(self) -> int:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.let.wait(10)
        with self.lock:
            self.running -= 1
        return 1


async def test_no_more_run_together_than_at_once_and_no_more_wait_than_there_is_room() -> None:
    pool, work = HashingPool(at_once=2, max_waiting=3), Work()
    tasks = [asyncio.create_task(pool.run(work)) for _ in range(7)]
    await asyncio.sleep(0)
    refused = [task for task in tasks if task.done()]
    work.let.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert len(refused) == 2
    assert [type(answer) for answer in answers] == [int] * 5 + [Busy] * 2
    assert work.most <= 2


async def test_there_is_room_again_when_some_are_done() -> None:
    pool = HashingPool(at_once=1, max_waiting=0)
    assert [await pool.run(partial(int, "7")) for _ in range(3)] == [7, 7, 7]


async def test_a_failure_is_the_callers_and_leaves_room() -> None:
    pool = HashingPool(at_once=1, max_waiting=0)
    with pytest.raises(ValueError, match="invalid literal"):
        await pool.run(partial(int, "x"))
    assert await pool.run(partial(int, "7")) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a thread's own on Linux only")
async def test_its_threads_step_back_and_no_others() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    assert await HashingPool().run(niceness) == max(before, 10)
    assert niceness() == before
