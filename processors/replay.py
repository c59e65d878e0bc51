"""Blocks that were sent once, again: from the store or from a topic, into the engine or onto another topic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from processors.topic_reader import read_topic
from schemas import topics
from schemas.clock import index_to_us
from schemas.codec import decode_pack, encode_pack
from schemas.errors import Busy, NotFound, Rejected
from schemas.kafka import client_options
from schemas.samples import SampleBlock, WaveformStretch
from schemas.settings import KafkaSettings
from storage import archived_samples, samples
from storage.access import everything
from storage.archive_shelf import Shelf
from storage.database import Database

_END_OF_TIME_US: Final = 2**53


@dataclass(frozen=True, slots=True)
class Period:
    """Which blocks: a device's (None: all devices'), in [start_us, end_us)."""

    device_id: UUID | None
    start_us: int = 0
    end_us: int = _END_OF_TIME_US

    def holds(self, block: SampleBlock) -> bool:
        ours = self.device_id is None or block.device_id == self.device_id
        return ours and self.start_us <= block.started_at_us < self.end_us


async def stored_blocks(
    database: Database, shelf: Shelf, device_id: UUID, period: Period
) -> AsyncIterator[SampleBlock]:
    """A device's stored samples of the period, in order, a stretch at a time; archived ones too.

    Raises NotFound when there are none, Busy when a server is away.
    """
    async with database.transaction() as conn:
        found = await samples.kept_of_device(conn, everything(), device_id, period.start_us, period.end_us)
    if not found:
        raise NotFound(
            f"nothing is stored of device {device_id} in this period; list recordings with GET ecg/recordings"
        )
    for kept in found:
        step = round(600 * kept.recording.rate_hz)
        for first in range(kept.extent.first_index, kept.extent.end_index, step):
            end = min(first + step, kept.extent.end_index)
            stretches = await archived_samples.read_kept(database, shelf, kept, first, end)
            for block in map(_block, stretches):
                if period.holds(block):
                    yield block


async def topic_blocks(settings: KafkaSettings, topic: str, period: Period) -> AsyncIterator[SampleBlock]:
    """Blocks that a topic of SamplePacks holds now; what is no SamplePack is passed over. Raises NotFound, Busy."""
    async for record in read_topic(settings, topic, period.device_id):
        for block in _decoded(record.value or b""):
            if period.holds(block):
                yield block


async def send_blocks(settings: KafkaSettings, topic: str, blocks: Iterable[SampleBlock]) -> int:
    """Put blocks onto a topic, keyed by device, and return how many once Kafka has them. Raises Busy."""
    producer = AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=settings.idempotent)
    sent = 0
    try:
        await producer.start()
        for block in blocks:
            await producer.send_and_wait(topic, encode_pack([block]), key=topics.device_key(block.device_id))
            sent += 1
    except KafkaError as error:
        raise Busy(f"Kafka at {settings.bootstrap} took {sent} blocks, then failed ({error}); run it again") from error
    finally:
        await producer.stop()
    return sent


def _decoded(value: bytes) -> list[SampleBlock]:
    try:
        return decode_pack(value)
    except Rejected:
        return []


def _block(stretch: WaveformStretch) -> SampleBlock:
    return SampleBlock(
        device_id=stretch.device_id,
        recording_id=stretch.recording_id,
        first_index=stretch.first_index,
        started_at_us=stretch.started_at_us,
        rate_hz=stretch.rate_hz,
        leads=stretch.leads,
        uv_per_lsb=stretch.uv_per_lsb,
        samples=stretch.samples,
        received_at_us=stretch.started_at_us + index_to_us(stretch.samples.shape[1], stretch.rate_hz),
    )
