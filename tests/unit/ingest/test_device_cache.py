"""A good token is remembered for a while, a bad one never."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from uuid import UUID

import pytest

from ingest.device_cache import DeviceCache
from schemas.accounts import DeviceCaller
from schemas.errors import Busy

CALLER = DeviceCaller(UUID(int=1), None)


class Devices:
    """A table of tokens that counts its look-ups, and a clock."""

    def __init__(self) -> None:
        self.callers: dict[bytes, DeviceCaller] = {b"good": CALLER}
        self.look_ups = 0
        self.now_s = 0.0
        self.away = False

    async def look_up(self, tokens: Collection[bytes]) -> dict[bytes, DeviceCaller]:
        self.look_ups += 1
        await asyncio.sleep(0)
        if self.away:
            raise Busy("the database is away; try again")
        return {token: self.callers[token] for token in tokens if token in self.callers}

    def cache(self, max_tokens: int = 10) -> DeviceCache:
        return DeviceCache(self.look_up, lambda: self.now_s, ttl_s=30, max_tokens=max_tokens)


async def test_a_good_token_is_looked_up_once() -> None:
    devices = Devices()
    cache = devices.cache()
    assert [await cache.by_token(b"good") for _ in range(3)] == [CALLER] * 3
    assert devices.look_ups == 1


async def test_it_is_looked_up_again_after_its_time() -> None:
    devices = Devices()
    cache = devices.cache()
    await cache.by_token(b"good")
    devices.callers.clear()
    devices.now_s = 30.1
    assert await cache.by_token(b"good") is None


async def test_a_bad_token_is_never_remembered() -> None:
    devices = Devices()
    cache = devices.cache()
    assert await cache.by_token(b"new") is None
    devices.callers[b"new"] = CALLER
    assert await cache.by_token(b"new") == CALLER


async def test_a_rotated_token_is_forgotten_at_once() -> None:
    devices = Devices()
    cache = devices.cache()
    await cache.by_token(b"good")
    devices.callers.clear()
    cache.forget(CALLER.device_id)
    assert await cache.by_token(b"good") is None


async def test_the_oldest_goes_when_it_is_full() -> None:
    devices = Devices()
    devices.callers |= {bytes([n]): CALLER for n in range(3)}
    cache = devices.cache(max_tokens=2)
    for token in (b"\0", b"\1", b"\2", b"\2", b"\1", b"\0"):
        await cache.by_token(token)
    assert devices.look_ups == 4


async def test_many_at_once_are_looked_up_together() -> None:
    devices = Devices()
    devices.callers = {bytes([n]): DeviceCaller(UUID(int=n), None) for n in range(100)}
    cache = devices.cache(max_tokens=200)
    found = await asyncio.gather(*(cache.by_token(bytes([n % 101])) for n in range(202)))
    assert found == 2 * [*devices.callers.values(), None]
    assert devices.look_ups <= 2


async def test_a_failed_look_up_is_busy_for_all_who_asked_and_tried_again_next_time() -> None:
    devices = Devices()
    devices.away = True
    cache = devices.cache()
    answers = await asyncio.gather(*(cache.by_token(b"good") for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Busy] * 3
    devices.away = False
    assert await cache.by_token(b"good") == CALLER


async def test_a_caller_who_goes_away_leaves_the_others_their_answer() -> None:
    devices = Devices()
    cache = devices.cache()
    leaving, staying = (asyncio.create_task(cache.by_token(b"good")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await staying == CALLER
