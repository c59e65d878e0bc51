"""One suite, two caches: of this process, and in Redis; and what happens when Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.errors import Busy
from storage.cache import Cache, MemoryCache, RedisCache
from tests.servers.fixtures import redis_server, skipping_or_failing
from tests.servers.ports import free_ports
from tests.servers.redis import RedisAddress, find_redis, start_redis

__all__ = ["redis_server"]

NOBODY = "redis://127.0.0.1:1/0"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    kept: Cache
    if request.param == "memory":
        kept = MemoryCache()
    else:
        server: RedisAddress = request.getfixturevalue("redis_server")
        kept = RedisCache(server.url)
    yield kept
    await kept.close()


@pytest.fixture
def key() -> str:
    return f"test/{uuid4()}"


async def test_what_is_kept_is_found_byte_for_byte(cache: Cache, key: str) -> None:
    value = bytes(range(256)) * 100
    await cache.set(key, value, lifetime_s=60)
    assert await cache.get(key) == value
    assert await cache.get(key + "x") is None


async def test_the_last_value_counts(cache: Cache, key: str) -> None:
    await cache.set(key, b"1", lifetime_s=60)
    await cache.set(key, b"2", lifetime_s=60)
    assert await cache.get(key) == b"2"


async def test_a_deleted_value_is_gone_and_deleting_nothing_is_fine(cache: Cache, key: str) -> None:
    await cache.set(key, b"1", lifetime_s=60)
    await cache.delete(key)
    await cache.delete(key)
    assert await cache.get(key) is None


async def test_a_value_is_gone_when_its_lifetime_is_over(cache: Cache, key: str) -> None:
    await cache.set(key, b"1", lifetime_s=0.05)
    async with asyncio.timeout(10):
        while await cache.get(key) is not None:  # noqa: ASYNC110  # the server's own clock decides
            await asyncio.sleep(0.01)


async def test_without_redis_nothing_is_found_and_nothing_fails() -> None:
    cache = RedisCache(NOBODY)
    await cache.set("a", b"1", lifetime_s=60)
    await cache.delete("a")
    assert await cache.get("a") is None
    await cache.close()


async def test_doctor_hears_that_redis_does_not_answer() -> None:
    cache = RedisCache(NOBODY)
    with pytest.raises(Busy, match="see that it runs and LEADWIRE_REDIS_URL is right"):
        await cache.ping()
    await cache.close()


@pytest.mark.redis
async def test_redis_is_found_again_after_an_outage_and_left_alone_meanwhile(tmp_path: Path) -> None:
    port, clock = free_ports(1)[0], Clock()
    with skipping_or_failing("Redis"):
        find_redis()
    cache = RedisCache(f"redis://127.0.0.1:{port}/0", clock)
    await cache.set("a", b"1", lifetime_s=60)
    with start_redis(tmp_path, port):
        await cache.set("a", b"1", lifetime_s=60)
        assert await cache.get("a") is None  # it isn't asked again so soon
        clock.now_s = 6
        await cache.set("a", b"1", lifetime_s=60)
        assert await cache.get("a") == b"1"
    await cache.close()
