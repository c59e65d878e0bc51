"""Every agent, top to bottom: samples to results, report requests to PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import faust
from faust.types import TP

from processors.reports import Reporter, request_record
from processors.samples import SampleProcessor, arrival
from schemas import topics
from schemas.settings import WorkerSettings

_CHECKPOINT_EVERY_S: Final = 0.1
"""One partition at a time, so that a worker with all 64 still saves each of them in time."""

Stop = Callable[[BaseException], None]
"""Ends the worker at once: an agent that raised would have its event acknowledged (a trap of Faust)."""


def build(app: faust.App, samples: SampleProcessor, reporter: Reporter, settings: WorkerSettings, stop: Stop) -> None:
    """Hang the agents, the timers and the rebalance hooks on the app."""
    sample_topic = app.topic(topics.SAMPLES, key_type=bytes, value_type=bytes)
    report_topic = app.topic(topics.REPORTS, key_type=bytes, value_type=bytes)

    @app.agent(sample_topic, concurrency=1)  # more than one would commit past work in flight
    async def process(stream: Any) -> None:
        async for events in stream.noack_take(settings.batch_max, within=settings.batch_within_s):
            with _or(stop):
                arrivals = [arrival(event, partial(_is_current, app, event)) for event in events]
                await samples.process(arrivals)  # stored, published, not acknowledged

    @app.agent(report_topic, concurrency=1)
    async def report(stream: Any) -> None:
        async for events in stream.noack_take(1, within=settings.batch_within_s):
            with _or(stop):
                for event in events:
                    await reporter.take(request_record(event))  # ReportEvent: samples and results, PDF, object, row
                    event.ack()

    @app.timer(interval=_CHECKPOINT_EVERY_S)  # type: ignore[untyped-decorator]  # Faust types it as Any
    async def checkpoint() -> None:
        with _or(stop):
            await samples.checkpoint_due()  # results are committed: now state and offset, then acknowledge

    @app.timer(interval=1.0)  # type: ignore[untyped-decorator]  # as above
    async def close_idle() -> None:
        with _or(stop):
            await samples.close_idle(partial(_is_behind, app))  # last beats, ended episodes

    _follow_rebalances(app, samples, stop)


def _follow_rebalances(app: faust.App, samples: SampleProcessor, stop: Stop) -> None:
    """Load the memory of partitions that come, drop that of partitions that go."""

    @app.on_partitions_assigned.connect  # type: ignore[arg-type]  # Faust's own hooks don't fit its protocol
    async def assigned(_app: object, *args: Any, **_: Any) -> None:
        with _or(stop):
            await samples.assign({tp.partition for tp in args[0] if tp.topic == topics.SAMPLES})

    @app.on_partitions_revoked.connect  # type: ignore[arg-type]  # as above
    async def revoked(_app: object, *args: Any, **_: Any) -> None:
        samples.forget({tp.partition for tp in args[0] if tp.topic == topics.SAMPLES})


def _is_behind(app: faust.App, number: int, next_offset: int | None) -> bool:
    """Whether Kafka is known to hold records that were not taken in yet."""
    end = app.consumer.highwater(TP(topics.SAMPLES, number))
    return end is not None and next_offset is not None and end > next_offset


def _is_current(app: faust.App, event: Any) -> bool:
    """False for what was fetched before a rebalance: it is fetched again.

    The generation changes only when partitions are assigned; from when they are revoked until then the flow is off.
    """
    return bool(app.flow_control.is_active() and event.message.generation_id == app.consumer_generation_id)


@contextmanager
def _or(stop: Stop) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # the outermost loop: whatever it was, nothing after it may be acknowledged
        stop(error)
