"""A partition that stands still is told by /ready and to Prometheus, by Kafka's own word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from leadwire.embedded import free_port
from schemas import topics
from schemas.kafka import client_options
from tests.bad_input.waiting import wait_until
from tests.pipeline.platform import Platform, running_platform

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

POISONED = 2


@dataclass(frozen=True, slots=True)
class Watched:
    """A platform whose worker gives up early, and where the worker answers."""

    platform: Platform
    url: str

    async def poison(self, records: int) -> None:
        """Records that nobody can decode, on one partition."""
        options = client_options(self.platform.settings.kafka)
        async with AIOKafkaProducer(**options, acks="all", enable_idempotence=False) as kafka:
            for _ in range(records):
                await kafka.send_and_wait(topics.SAMPLES, b"poison", partition=POISONED)

    async def ready(self) -> str:
        """What /ready says: "ready", or what is wrong."""
        async with httpx.AsyncClient() as http:
            try:
                told = (await http.get(f"{self.url}/ready")).json()
            except httpx.TransportError:
                return "no answer"
        return str(told.get("status") if "checks" in told else told["detail"])

    async def figure(self, name: str) -> float:
        """Of the poisoned partition, as Prometheus scrapes it."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{self.url}/metrics")).text
        found = re.search(rf'^{name}{{partition="{POISONED}"}} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else -1.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    port = free_port()
    more = {
        "LEADWIRE_WORKER_PORT": str(port),
        "LEADWIRE_MAX_REJECTS_IN_ROW": "3",
        "LEADWIRE_STALLED_AFTER_S": "6",
    }
    with running_platform(tmp_path_factory.mktemp("watched"), None, **more) as platform:
        yield Watched(platform, f"http://127.0.0.1:{port}")


async def test_a_partition_that_stops_with_records_waiting_makes_the_worker_unready(watched: Watched) -> None:
    async def is_ready() -> bool:
        return await watched.ready() == "ready"

    async def has_stopped() -> bool:
        return "stopped after too many rejects" in await watched.ready()

    async def stands_still() -> bool:
        return f"no progress for 6 s on partitions of ecg.samples: {POISONED} (at 3, 2 behind)" in await watched.ready()

    await wait_until(is_ready, "a ready worker", within_s=150)
    await watched.poison(3)
    await wait_until(has_stopped, "the partition's end")
    await watched.poison(2)
    await wait_until(stands_still, "the watchdog's word", within_s=30)
    assert await watched.figure("leadwire_lag_records") == 2
    assert await watched.figure("leadwire_stalled_seconds") >= 5
