"""Blocks into Kafka: acks=all, packed by partition, with bounded memory and bounded waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingest.lanes import Chunk, KafkaProducer, Lane
from schemas import topics
from schemas.alarms import AlarmEvent
from schemas.clock import index_to_us
from schemas.codec import encode_alarm, encode_pack, encode_report_event
from schemas.errors import Busy
from schemas.kafka import client_options
from schemas.logs import logger
from schemas.reports import ReportEvent
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings
from schemas.telemetry import BLOCKS_ACCEPTED, SAMPLES_ACCEPTED

PACK_BYTES: Final = 256 * 1024
"""Kafka's brokers take 1 MB a record by default; a pack stays well under it."""

IN_FLIGHT_BYTES: Final = 32 * 1024 * 1024
"""What may wait for Kafka at once: about 12 s of 5,000 devices at 250 Hz, one lead."""

TIMEOUT_S: Final = 10.0
_RECONNECT_S: Final = 1.0

_log = logger(__name__)


class _Aiokafka(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka publishes no types
    async def ask_metadata(self) -> None:
        if not await self.client.force_metadata_update():
            raise KafkaError("no broker answers")


def kafka_client(settings: KafkaSettings) -> KafkaProducer:
    """An aiokafka producer that waits for all replicas.

    No compression: aiokafka gzips at level 9, which shrinks ECG 2.5 times at 11 MB/s of a core (measured
    on MIT-BIH 100; level 1 does 2.4 times at 104 MB/s), and its other codecs need a further library.
    """
    return _Aiokafka(
        **client_options(settings),
        acks="all",
        enable_idempotence=settings.idempotent,
        request_timeout_ms=int(TIMEOUT_S * 1000),
        max_batch_size=2 * PACK_BYTES,
        linger_ms=0,
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk and the partition it goes to."""

    partition: int
    chunk: Chunk


class SampleProducer:
    """Puts sample blocks, report events and acknowledged alarms into Kafka.

    `send` returns when Kafka has every block of the call. It raises Busy at once when IN_FLIGHT_BYTES wait
    already or there is no connection, and within `timeout_s` when Kafka does not answer; whoever gets Busy
    sends again, and what is then there twice is dropped by its identity. Beyond that Kafka's client holds at most
    one pack of each partition that got no answer.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        client: Callable[[KafkaSettings], KafkaProducer] = kafka_client,
        pack_bytes: int = PACK_BYTES,
        in_flight_bytes: int = IN_FLIGHT_BYTES,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._settings, self._make_client = settings, client
        self._pack_bytes, self._limit, self._timeout_s = pack_bytes, in_flight_bytes, timeout_s
        self._client: KafkaProducer | None = None
        self._partitions = 0
        self._lanes: dict[int, Lane] = {}
        self._in_flight = 0
        self._connecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect; when Kafka is away, return after `timeout_s` and go on trying in the background."""
        self._connecting = asyncio.create_task(self._connect())
        await asyncio.wait({self._connecting}, timeout=self._timeout_s)

    async def stop(self) -> None:
        """Wait (within `timeout_s`) for what is on its way, then close."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        waiting = [asyncio.create_task(lane.drained()) for lane in self._lanes.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=self._timeout_s)
        for lane in self._lanes.values():
            lane.abandon()
        if self._client is not None:
            client, self._client = self._client, None
            await _close(client, self._timeout_s)

    async def ping(self) -> None:
        """Raise Busy while no broker answers."""
        client = self._connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.ask_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise _away(error) from None

    async def send(self, blocks: Sequence[SampleBlock]) -> None:
        """Return when Kafka has every block. Raises Busy."""
        self._connected()
        chunks = self._chunks(blocks)
        size = sum(len(placed.chunk.value) for placed in chunks)
        if self._in_flight + size > self._limit:
            raise Busy(f"{self._in_flight} bytes wait for Kafka already; send again in {Busy.retry_after_s} s")
        self._in_flight += size
        for placed in chunks:
            placed.chunk.stored.add_done_callback(partial(self._release, len(placed.chunk.value)))
            self._lane(placed.partition).put(placed.chunk)
        await self._stored([placed.chunk for placed in chunks])
        BLOCKS_ACCEPTED.inc(len(blocks))
        SAMPLES_ACCEPTED.inc(sum(block.samples.size for block in blocks))

    async def publish_report_event(self, event: ReportEvent) -> None:
        """Return when ecg.reports has the event. Raises Busy."""
        await self._publish(topics.REPORTS, event.device_id, encode_report_event(event))

    async def publish_alarm(self, event: AlarmEvent) -> None:
        """Return when ecg.alarms has the event. Raises Busy."""
        await self._publish(topics.ALARMS, event.device_id, encode_alarm(event))

    async def _publish(self, topic: str, device_id: UUID, value: bytes) -> None:
        client = self._connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.send_and_wait(topic, value, topics.device_key(device_id), None)
        except (KafkaError, OSError, TimeoutError) as error:
            raise _away(error) from None

    async def _connect(self) -> None:
        while self._client is None:
            client = self._make_client(self._settings)
            try:
                await client.start()
                self._partitions = len(await client.partitions_for(topics.SAMPLES))
                self._client = client
            except (KafkaError, OSError) as error:
                _log.warning("kafka_away", bootstrap=self._settings.bootstrap, reason=str(error))
                await _close(client, self._timeout_s)
                await asyncio.sleep(_RECONNECT_S)

    def _connected(self) -> KafkaProducer:
        if self._client is None:
            raise Busy(
                f"no topic {topics.SAMPLES} at Kafka {self._settings.bootstrap} yet; try again in "
                f"{Busy.retry_after_s} s, and look at `leadwire doctor` if it stays away"
            )
        return self._client

    def _chunks(self, blocks: Sequence[SampleBlock]) -> list[Placed]:
        groups: dict[int, list[SampleBlock]] = {}
        for block in blocks:
            groups.setdefault(topics.partition_of(block.device_id, self._partitions), []).extend(
                split(block, self._pack_bytes)
            )
        return [
            Placed(partition, Chunk(_key(part, partition), encode_pack(part)))
            for partition, group in groups.items()
            for part in _parts(group, self._pack_bytes)
        ]

    def _lane(self, partition: int) -> Lane:
        if partition not in self._lanes:
            self._lanes[partition] = Lane(
                partial(self._send_pack, partition),
                shared_key=_shared_key(partition),
                linger_s=self._settings.pack_linger_s,
                pack_bytes=self._pack_bytes,
                timeout_s=self._timeout_s,
            )
        return self._lanes[partition]

    async def _send_pack(self, partition: int, value: bytes, key: bytes) -> object:
        return await self._connected().send_and_wait(topics.SAMPLES, value, key, partition)

    async def _stored(self, chunks: list[Chunk]) -> None:
        futures = [chunk.stored for chunk in chunks]
        _, late = await asyncio.wait(futures, timeout=self._timeout_s)
        if late:
            raise _away(TimeoutError(f"no answer in {self._timeout_s:g} s"))
        for future in futures:
            failure = future.result()
            if failure is not None:
                raise failure

    def _release(self, size: int, _stored: object) -> None:
        self._in_flight -= size


def split(block: SampleBlock, max_bytes: int) -> Iterator[SampleBlock]:
    """The block, or when its samples exceed `max_bytes`, the blocks that say the same in order."""
    step = max(1, max_bytes // (2 * len(block.leads)))
    if block.count <= step:
        yield block
        return
    for offset in range(0, block.count, step):
        yield replace(
            block,
            first_index=block.first_index + offset,
            started_at_us=block.started_at_us + index_to_us(offset, block.rate_hz),
            samples=block.samples[:, offset : offset + step],
        )


def _parts(blocks: list[SampleBlock], max_bytes: int) -> Iterator[list[SampleBlock]]:
    part: list[SampleBlock] = []
    size = 0
    for block in blocks:
        if part and size + block.samples.nbytes > max_bytes:
            yield part
            part, size = [], 0
        part.append(block)
        size += block.samples.nbytes
    yield part


def _key(blocks: list[SampleBlock], partition: int) -> bytes:
    first: UUID = blocks[0].device_id
    if all(block.device_id == first for block in blocks):
        return topics.device_key(first)
    return _shared_key(partition)


def _shared_key(partition: int) -> bytes:
    return str(partition).encode()


def _away(error: BaseException) -> Busy:
    reason = str(error) or type(error).__name__
    return Busy(f"Kafka is away or slow ({reason}); send the same again in {Busy.retry_after_s} s")


async def _close(client: KafkaProducer, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await client.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("kafka_not_closed", reason=str(error))
