"""Our engine and sinks under Quix Streams, in the peers' environment: what the stream library costs, alone."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import uvloop

from bench.pipeline.stack import PEER_STARTED
from leadwire.brokers import sample_partitions
from processors.ecg.engines import engine
from processors.ecg.warm import warm
from processors.partitions import Record
from processors.publish import Publisher
from processors.samples import Arrival, SampleProcessor
from schemas import topics
from schemas.settings import Settings
from storage.database import writer

_POLL_S: Final = 0.05
_CHECKPOINT_EVERY_S: Final = 0.1


class Loop:
    """An event loop in a thread of its own: Quix calls its sinks from a plain one."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.go(coroutine).result()

    def go(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


class EngineSink:
    """A sink as Quix wants it: add record by record, flush before each commit.

    Quix commits its offsets with every flush, so a crash would lose what the engine remembers of the time since its
    checkpoint; our worker commits behind the checkpoint. Only the cost is compared.
    """

    def __init__(self, loop: Loop, samples: SampleProcessor) -> None:
        self._loop, self._samples = loop, samples
        self._arrivals: list[Arrival] = []

    def start(self) -> None:
        """Connected already."""

    def add(
        self, value: bytes, key: bytes | None, timestamp: int, headers: Any, topic: str, partition: int, offset: int
    ) -> None:
        record = Record(offset, timestamp * 1000, key, value)
        self._arrivals.append(Arrival(partition, record, bool, lambda: True))

    def flush(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        self._loop.wait(self._samples.process(arrivals))

    def on_paused(self) -> None:
        self._arrivals.clear()


async def prepared(settings: Settings) -> SampleProcessor:
    """Engine, database and publisher as a worker of ours has them."""
    chosen = engine(settings.worker.engine)
    warm(chosen)
    partitions = await sample_partitions(settings.kafka)
    database, publisher = writer(settings.database), Publisher(settings.kafka)
    await database.open()
    await publisher.start()
    return SampleProcessor(chosen, database, publisher, settings.worker, partitions)


async def checkpoints(samples: SampleProcessor) -> None:
    """For ever, beside the flow: Quix flushes nothing while nothing comes."""
    while True:
        await samples.checkpoint_due()
        await asyncio.sleep(_CHECKPOINT_EVERY_S)


def main() -> None:
    """Until a signal."""
    from quixstreams import Application  # noqa: PLC0415  # only the peers' environment has it

    settings = Settings()
    loop = Loop()
    processor = loop.wait(prepared(settings))
    loop.go(checkpoints(processor))
    app = Application(
        broker_address=settings.kafka.bootstrap,
        consumer_group=settings.worker.group,
        auto_offset_reset="earliest",
        commit_interval=settings.worker.batch_within_s,
        consumer_poll_timeout=_POLL_S,
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="WARNING",
        state_dir=Path(tempfile.gettempdir()) / "leadwire-quix",
    )
    samples = app.topic(topics.SAMPLES, key_deserializer="bytes", value_deserializer="bytes")
    app.dataframe(samples).sink(EngineSink(loop, processor))
    print(PEER_STARTED, flush=True)
    app.run()


if __name__ == "__main__":
    main()
