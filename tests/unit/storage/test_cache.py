"""The cache of one process forgets in time, and stays within its bound."""

from schemas.settings_store import CacheSettings
from storage.cache import MemoryCache, RedisCache, cache


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_value_lives_as_long_as_it_was_given() -> None:
    clock = Clock()
    cache = MemoryCache(clock=clock)
    await cache.set("a", b"1", lifetime_s=10)
    clock.now_s = 9.9
    assert await cache.get("a") == b"1"
    clock.now_s = 10
    assert await cache.get("a") is None


async def test_the_least_recently_used_makes_room() -> None:
    cache = MemoryCache(max_bytes=2)
    await cache.set("a", b"1", lifetime_s=10)
    await cache.set("b", b"2", lifetime_s=10)
    await cache.get("a")
    await cache.set("c", b"3", lifetime_s=10)
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_a_value_larger_than_the_cache_replaces_nothing_stale() -> None:
    cache = MemoryCache(max_bytes=2)
    await cache.set("a", b"1", lifetime_s=10)
    await cache.set("a", b"too large", lifetime_s=10)
    assert await cache.get("a") is None


def test_the_settings_pick_redis_when_there_is_one_and_connect_to_nothing() -> None:
    assert isinstance(cache(CacheSettings.model_validate({"redis_url": "redis://127.0.0.1:1/0"})), RedisCache)
    assert isinstance(cache(CacheSettings.model_validate({"redis_url": ""})), MemoryCache)
