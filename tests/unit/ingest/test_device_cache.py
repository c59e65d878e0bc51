"""A good token is remembered for a while, a bad one never."""

from __future__ import annotations

from uuid import UUID

from ingest.device_cache import DeviceCache
from schemas.accounts import DeviceCaller

CALLER = DeviceCaller(UUID(int=1), None)


class Devices:
    """A table of tokens that counts its look-ups, and a clock."""

    def __init__(self) -> None:
        self.callers: dict[bytes, DeviceCaller] = {b"good": CALLER}
        self.look_ups = 0
        self.now_s = 0.0

    async def look_up(self, token: bytes) -> DeviceCaller | None:
        self.look_ups += 1
        return self.callers.get(token)

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
