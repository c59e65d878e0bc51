"""A real Redis, from Debian's package or any other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.availability import find_tool
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

START_S = 20.0


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis answers."""

    url: str


def find_redis() -> Path:
    """The server's program; raises Unavailable with the remedy."""
    return find_tool("redis-server", remedy="apt-get install redis-server, or set LEADWIRE_TEST_REDIS_URL")


@contextmanager
def running_redis(folder: Path, port: int | None = None) -> Iterator[RedisAddress]:
    """Yield the Redis of LEADWIRE_TEST_REDIS_URL, or start one that keeps nothing on disk; raises Unavailable."""
    given = os.environ.get("LEADWIRE_TEST_REDIS_URL")
    if given and port is None:
        yield RedisAddress(given)
        return
    chosen = port or free_ports(1)[0]
    with start_redis(folder, chosen):
        yield RedisAddress(f"redis://127.0.0.1:{chosen}/0")


@contextmanager
def start_redis(folder: Path, port: int) -> Iterator[Child]:
    """One of the test's own, at that port, to be killed as it likes; raises Unavailable."""
    words: list[str | Path] = [
        find_redis(),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with Child(words, folder / "redis.log", folder) as child:
        child.wait_until(lambda: is_listening(port), START_S)
        yield child
