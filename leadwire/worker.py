"""The worker service: engine, sinks and agents wired together and run until a signal."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Final

from leadwire.brokers import sample_partitions
from leadwire.exits import EXIT_DEFECT
from leadwire.kafka_offsets import refuse_misfit
from leadwire.probes import probes, signalled
from processors.alarm_feed import webhook_running
from processors.app import create_app
from processors.ecg.engines import engine
from processors.ecg.warm import warm
from processors.lag import Watchdog
from processors.pipeline import build
from processors.publish import Publisher
from processors.reports import Reporter
from processors.samples import SampleProcessor
from schemas.errors import LeadwireError
from schemas.logs import logger
from schemas.settings import Settings
from storage.database import writer
from storage.objects import objects
from storage.waveform_codec.warm import warm as warm_codec

_YOUNG_OBJECTS: Final = 2_000

_log = logger(__name__)


async def run_worker(settings: Settings) -> None:
    """Process samples and report requests until SIGINT or SIGTERM. Raises Busy or Misconfigured at start."""
    chosen = engine(settings.worker.engine)
    warm(chosen)  # before joining the group: compiling takes long enough to be thought dead
    warm_codec()
    partitions = await sample_partitions(settings.kafka)
    database = writer(settings.database)
    publisher = Publisher(settings.kafka)
    store = objects(settings.objects, settings.security, settings.http)
    await database.open()
    await refuse_misfit(settings, database)
    await publisher.start()
    samples = SampleProcessor(chosen, database, publisher, settings.worker, partitions)
    app = create_app(settings.kafka, settings.worker)
    build(app, samples, Reporter(database, store, publisher), settings.worker, _stop_now)
    app.finalize()
    stopping = signalled()
    watchdog = Watchdog(settings.kafka, settings.worker, partitions)
    posting = webhook_running(settings.alarms, settings.kafka, settings.worker)
    checks = {"partitions": samples.ready, "progress": watchdog.ready}
    async with probes("Leadwire worker", settings.worker, checks), posting, watchdog.watching():
        await app.start()
        _settle_memory()
        _log.info("worker started", engine=settings.worker.engine, partitions=partitions)
        await stopping.wait()
        await samples.checkpoint()
        await asyncio.wait_for(app.stop(), timeout=15)
    await publisher.stop()
    await database.close()


def _settle_memory() -> None:
    """What is there now stays: the collector need not go through it again and again.

    With 5,000 devices a full collection held the samples up for 0.15 s every few seconds. The pipeline makes no cycles
    that matter, so looking for them rarely is enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 20)


def _stop_now(error: BaseException) -> None:
    """As a crash would: no shutdown hook may acknowledge anything any more."""
    if isinstance(error, LeadwireError):
        _log.critical("worker stops", why=str(error))
    else:
        _log.critical("worker stops: a defect", exc_info=error)
    sys.stderr.flush()
    os._exit(EXIT_DEFECT)
