"""While Kafka is away the gateway refuses at once and stays flat in memory; it goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import numpy as np
import psutil
import pytest

from ingest.producer import SampleProducer
from leadwire.brokers import ensure_topics
from leadwire.children import Children, wait_until
from leadwire.embedded import is_listening, start_broker
from processors.topic_reader import read_topic
from schemas import topics
from schemas.codec import decode_pack
from schemas.errors import Busy
from schemas.samples import Lead, SampleBlock
from schemas.settings import KafkaSettings
from tests.servers.fixtures import skipping_or_failing
from tests.servers.kafka import KafkaServer
from tests.unit.ingest.examples import BLOCK

pytestmark = pytest.mark.timeout(200)

DEVICES, TIMEOUT_S, AWAY_S = 200, 2.0, 30.0
LEADS: tuple[Lead, ...] = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
SECOND = replace(BLOCK, leads=LEADS, uv_per_lsb=(5.0,) * 12, samples=np.zeros((12, 250), np.int16))


@dataclass
class Fleet:
    """Devices that repeat each block until it is taken, as fast as they are answered, and their ledger."""

    producer: SampleProducer
    acknowledged: set[tuple[UUID, int]] = field(default_factory=set)
    refused: int = 0
    slowest_s: float = 0.0

    async def play(self, number: int) -> None:
        first_index = 0
        while True:
            block = replace(SECOND, device_id=UUID(int=number), first_index=first_index)
            if await self._taken(block):
                self.acknowledged.add((block.device_id, first_index))
                first_index += block.count
            await asyncio.sleep(0.2)

    async def _taken(self, block: SampleBlock) -> bool:
        asked_at_s = time.monotonic()
        try:
            await self.producer.send([block])
        except Busy:
            self.refused += 1
            return False
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - asked_at_s)
        return True

    async def until_all_are_taken(self, within_s: float) -> None:
        """Return when each device has had another block taken."""
        before = len(self.acknowledged)
        async with asyncio.timeout(within_s):
            while len(self.acknowledged) < before + DEVICES:  # noqa: ASYNC110  # the devices go on by themselves
                await asyncio.sleep(0.1)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """aiokafka tells of each attempt to reach a broker that is away."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)


async def survives(settings: KafkaSettings, away: Callable[[], None], back: Callable[[], None]) -> None:
    """Refused at once and flat in memory between `away` and `back`, and nothing acknowledged is missing after."""
    await ensure_topics(settings)
    producer = SampleProducer(settings, timeout_s=TIMEOUT_S)
    await producer.start()
    fleet = Fleet(producer)
    playing = [asyncio.create_task(fleet.play(number)) for number in range(1, DEVICES + 1)]
    await fleet.until_all_are_taken(30)
    await asyncio.to_thread(away)
    await asyncio.sleep(3 * TIMEOUT_S)
    await refuses_at_once_and_stays_flat(fleet)
    await asyncio.to_thread(back)
    await fleet.until_all_are_taken(60)
    for task in playing:
        task.cancel()
    await asyncio.wait(playing)
    await producer.stop()
    there = Counter([key async for key in stored(settings)])
    assert fleet.acknowledged - there.keys() == set()


async def refuses_at_once_and_stays_flat(fleet: Fleet) -> None:
    before = memory_in_use()
    fleet.refused, fleet.slowest_s = 0, 0.0
    await asyncio.sleep(AWAY_S)
    assert fleet.refused > DEVICES * 10
    assert fleet.slowest_s < 2 * TIMEOUT_S
    assert memory_in_use() - before < 8 * 2**20  # what was refused meanwhile is over 150 MB


def memory_in_use() -> int:
    """Bytes of this process, without the free ones that the C library keeps: other tests have left it some."""
    gc.collect()
    with suppress(AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_info().rss)


async def stored(settings: KafkaSettings) -> AsyncIterator[tuple[UUID, int]]:
    async for record in read_topic(settings, topics.SAMPLES):
        for block in decode_pack(record.value or b""):
            yield block.device_id, block.first_index


@pytest.mark.embedded
async def test_a_broker_that_hangs_costs_no_memory_and_no_sample(tmp_path: Path) -> None:
    with Children(tmp_path / "logs") as children:
        broker = start_broker(children)
        wait_until(lambda: is_listening(broker.address), broker.child, within_s=20)
        settings = KafkaSettings.model_validate({"bootstrap": broker.address, "idempotent": False, "partitions": 16})
        await survives(
            settings,
            lambda: os.kill(broker.child.pid, signal.SIGSTOP),
            lambda: os.kill(broker.child.pid, signal.SIGCONT),
        )


@pytest.mark.kafka
async def test_a_broker_that_is_killed_and_started_again_costs_no_memory_and_no_sample(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path / "kafka")
    with skipping_or_failing("Apache Kafka"):
        await asyncio.to_thread(server.start)
    try:
        settings = KafkaSettings.model_validate({"bootstrap": server.address.bootstrap, "partitions": 16})
        await survives(settings, server.kill, lambda: started(server))
    finally:
        server.kill()


def started(server: KafkaServer) -> None:
    server.start()
