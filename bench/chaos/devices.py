"""Devices that send on time, keep what was not acknowledged, and send it again from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bench.chaos.fleet import Bedside, Fleet
from bench.chaos.ledger import Ledger
from ingest.client import AsyncClient
from schemas import topics
from schemas.codec import encode_pack
from schemas.errors import Busy
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings

_AT_ONCE: Final = 20
"""Blocks of one request, when many wait."""

_ANSWER_S: Final = 15.0
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0)


class Link(Protocol):
    """A device's way in."""

    async def send(self, bedside: Bedside, blocks: Sequence[SampleBlock]) -> None:
        """Return once all of it is acknowledged. Raises Busy when that is not known."""

    async def close(self) -> None: ...


class GatewayLink:
    """HTTP, by the SDK, one client for each device; `in_flight` is how many requests wait for an answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: dict[int, AsyncClient] = {}
        self.in_flight = 0

    async def send(self, bedside: Bedside, blocks: Sequence[SampleBlock]) -> None:
        client = self._clients.get(bedside.number)
        if client is None:
            client = AsyncClient(self._url, device_token=bedside.token, timeout_s=_ANSWER_S)
            self._clients[bedside.number] = client
        self.in_flight += 1
        try:
            await client.send_blocks(blocks)
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


class KafkaLink:
    """Straight to ecg.samples with acks=all, one record a block, as a device with a Kafka client does."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def send(self, bedside: Bedside, blocks: Sequence[SampleBlock]) -> None:
        for block in blocks:
            await self.publish(topics.device_key(bedside.device_id), encode_pack([block]))

    async def publish(self, key: bytes, value: bytes) -> None:
        """One record, whatever it is. Raises Busy."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                producer = await self._connected()
                await producer.send_and_wait(topics.SAMPLES, value, key=key)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Busy(f"Kafka did not take it ({error!r}); send it again") from error

    async def close(self) -> None:
        if self._producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(self._producer.stop(), _ANSWER_S)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._turn:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._settings.bootstrap,
                    acks="all",
                    enable_idempotence=self._settings.idempotent,
                    request_timeout_ms=int(_ANSWER_S * 1000),
                )
                await producer.start()
                self._producer = producer
            return self._producer


@dataclass(slots=True)
class Load:
    """The whole fleet at work: its books, how often a send had to be repeated, and when it began."""

    fleet: Fleet
    ledger: Ledger = field(default_factory=Ledger)
    retries: int = 0
    begun_s: float = 0.0

    async def run(self, links: Sequence[Link], within_s: float) -> bool:
        """Send everything, device n over link n modulo their number; False when `within_s` was not enough."""
        self.begun_s = time.monotonic()
        sending = [self._device(bedside, links[bedside.number % len(links)]) for bedside in self.fleet.bedsides]
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*sending)
        except TimeoutError:
            return False
        return True

    async def _device(self, bedside: Bedside, link: Link) -> None:
        waiting, failures = self.fleet.blocks(bedside), 0
        while waiting:
            due = [block for block in waiting[:_AT_ONCE] if self._wait_s(block, bedside) <= 0]
            if not due:
                await asyncio.sleep(self._wait_s(waiting[0], bedside))
                continue
            try:
                await link.send(bedside, due)
            except Busy:
                self.retries += 1
                failures += 1
                await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
                continue
            failures = 0
            self.ledger.acknowledge(due)
            del waiting[: len(due)]

    def _wait_s(self, block: SampleBlock, bedside: Bedside) -> float:
        return self.begun_s + self.fleet.due_s(block, bedside) - time.monotonic()
