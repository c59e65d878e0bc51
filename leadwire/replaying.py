"""What `leadwire replay` does: stored samples or a topic, into an engine or onto another topic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal
from uuid import UUID

from processors import replay
from processors.ecg.engines import engine as engine_named
from processors.replay import Period
from schemas.clock import to_us
from schemas.samples import SampleBlock
from schemas.settings import Settings
from storage.archive_shelf import Shelf
from storage.database import writer
from storage.objects import objects


@dataclass(frozen=True, slots=True)
class Replayed:
    """What went through, and what the engine made of it (zeros when the blocks went to a topic)."""

    blocks: int
    samples: int
    devices: int
    sent_to: str
    beats: int = 0
    metrics: int = 0
    episodes: int = 0

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def as_text(self) -> str:
        told = f"{self.blocks} blocks, {self.samples} samples of {self.devices} devices to {self.sent_to}"
        return f"{told}: {self.beats} beats, {self.metrics} seconds of metrics, {self.episodes} rhythm events"


async def replay_blocks(
    settings: Settings,
    device: UUID | None,
    start: datetime | None,
    end: datetime | None,
    topic: str | None,
    to_topic: str | None,
    engine: Literal["fast", "neurokit2"],
) -> Replayed:
    """Replay and count. Raises NotFound when there is nothing, Busy when a server is away."""
    whole = Period(device)
    period = Period(
        device,
        to_us(start.replace(tzinfo=UTC)) if start else whole.start_us,
        to_us(end.replace(tzinfo=UTC)) if end else whole.end_us,
    )
    blocks = [block async for block in _blocks(settings, period, topic)]
    if to_topic is not None:
        await replay.send_blocks(settings.kafka, to_topic, blocks)
        return _counted(blocks, to_topic)
    return _through_engine(blocks, engine)


async def _blocks(settings: Settings, period: Period, topic: str | None) -> AsyncIterator[SampleBlock]:
    if topic is not None:
        async for block in replay.topic_blocks(settings.kafka, topic, period):
            yield block
    elif period.device_id is not None:
        database = writer(settings.database)
        store = cache(lambda: objects(settings.objects, settings.security, settings.http))
        shelf = Shelf(store, settings.archive.cache_bytes)
        await database.open()
        try:
            async for block in replay.stored_blocks(database, shelf, period.device_id, period):
                yield block
        finally:
            await database.close()


def _through_engine(blocks: list[SampleBlock], name: Literal["fast", "neurokit2"]) -> Replayed:
    engine = engine_named(name)
    state, steps = engine.new_state(), []
    for block in blocks:
        step = engine.step([block], state)
        state = step.state
        steps.append(step.results)
    steps.append(engine.close(sorted({block.device_id for block in blocks}), state).results)
    return _counted(
        blocks,
        f"engine {engine.version}",
        beats=sum(len(results.beats) for results in steps),
        metrics=sum(len(results.metrics) for results in steps),
        episodes=sum(len(results.episodes) for results in steps),
    )


def _counted(blocks: list[SampleBlock], sent_to: str, **results: int) -> Replayed:
    devices = {block.device_id for block in blocks}
    samples = sum(block.samples.size for block in blocks)
    return Replayed(len(blocks), samples, len(devices), sent_to, **results)
