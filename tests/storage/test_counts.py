"""One suite, two places to count: this process, and Redis; when that is away nobody is refused for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from limits import parse

from schemas.settings_store import CacheSettings
from storage.counts import BoundedStorage, Counts, MemoryCounts, RedisCounts, counts
from tests.servers.fixtures import redis_server
from tests.servers.redis import RedisAddress
from tests.storage.test_cache import NOBODY, Clock

__all__ = ["redis_server"]

THREE = parse("3 per 15 minutes")


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def counted(request: pytest.FixtureRequest) -> AsyncIterator[Counts]:
    made: Counts
    if request.param == "memory":
        made = MemoryCounts()
    else:
        server: RedisAddress = request.getfixturevalue("redis_server")
        made = RedisCounts(server.url)
    yield made
    await made.close()


@pytest.fixture
def key() -> str:
    return f"test/{uuid4()}"


async def test_what_is_within_the_rate_waits_for_nothing(counted: Counts, key: str) -> None:
    assert [await counted.hit(THREE, key) for _ in range(3)] == [None] * 3


async def test_what_is_over_it_is_told_how_long_to_wait(counted: Counts, key: str) -> None:
    waits = [await counted.hit(THREE, key) for _ in range(4)]
    assert waits[:3] == [None] * 3
    assert waits[3] in range(890, 901)


async def test_of_many_at_once_no_more_get_through(counted: Counts, key: str) -> None:
    waits = await asyncio.gather(*(counted.hit(THREE, key) for _ in range(20)))
    assert waits.count(None) == 3


async def test_keys_and_rates_are_counted_apart(counted: Counts, key: str) -> None:
    for _ in range(4):
        await counted.hit(THREE, key)
    assert await counted.hit(THREE, key + "x") is None
    assert await counted.hit(parse("5 per hour"), key) is None


async def test_what_is_taken_back_leaves_room_for_one_more(counted: Counts, key: str) -> None:
    for _ in range(3):
        await counted.hit(THREE, key)
    await counted.take_back(THREE, key)
    assert await counted.hit(THREE, key) is None
    assert await counted.hit(THREE, key) in range(890, 901)


async def test_a_forgotten_count_begins_anew(counted: Counts, key: str) -> None:
    for _ in range(4):
        await counted.hit(THREE, key)
    await counted.forget(THREE, key)
    assert await counted.hit(THREE, key) is None


@pytest.mark.redis
async def test_two_processes_count_together(redis_server: RedisAddress, key: str) -> None:
    one, other = RedisCounts(redis_server.url), RedisCounts(redis_server.url)
    waits = [await each.hit(THREE, key) for each in (one, other, one, other)]
    assert waits[:3] == [None] * 3
    assert waits[3] is not None
    await one.close()
    await other.close()


async def test_without_redis_each_process_counts_for_itself(key: str) -> None:
    away = RedisCounts(NOBODY)
    waits = [await away.hit(THREE, key) for _ in range(4)]
    assert waits[:3] == [None] * 3
    assert waits[3] is not None
    await away.forget(THREE, key)
    assert await away.hit(THREE, key) is None
    await away.close()


async def test_a_window_ends_after_its_first_hit_and_not_after_its_last() -> None:
    clock = Clock()
    here = MemoryCounts(clock)
    for clock.now_s in (0, 400, 800):
        await here.hit(THREE, "a")
    assert await here.hit(THREE, "a") == 100
    clock.now_s = 900
    assert await here.hit(THREE, "a") is None


def test_the_table_is_bounded_and_forgets_the_quietest() -> None:
    storage = BoundedStorage(Clock(), max_keys=2)
    for key in ("a", "b", "a", "c"):
        storage.incr(key, 60)
    assert [storage.get(key) for key in "abc"] == [2, 0, 1]


def test_the_settings_pick_where_it_is_counted() -> None:
    assert isinstance(counts(CacheSettings.model_validate({"redis_url": NOBODY})), RedisCounts)
    assert isinstance(counts(CacheSettings.model_validate({"redis_url": None})), MemoryCounts)
