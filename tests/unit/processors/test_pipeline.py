"""The pipeline as it hangs on the app, without a broker: agents, timers, hooks, and what happens when one raises."""

from __future__ import annotations

import gc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import faust
import pytest
from faust.types import TP

from processors import pipeline
from processors.app import create_app
from processors.reports import Reporter, RequestRecord
from processors.samples import Arrival, SampleProcessor
from schemas import topics
from schemas.settings import KafkaSettings, WorkerSettings

KAFKA = KafkaSettings.model_validate({"idempotent": True})
SETTINGS = WorkerSettings.model_validate({"batch_max": 7, "batch_within_s": 0.5, "checkpoint_interval_s": 9})


@dataclass
class FakeSamples:
    """Keeps what it is called with; or fails."""

    fails: BaseException | None = None
    seen: list[tuple[str, Any]] = field(default_factory=list)

    def _keep(self, name: str, value: Any = None) -> None:
        self.seen.append((name, value))
        if self.fails:
            raise self.fails

    async def process(self, arrivals: list[Arrival]) -> None:
        self._keep("process", [(a.partition, a.record.offset, a.record.timestamp_us, a.is_current()) for a in arrivals])

    async def checkpoint_due(self) -> None:
        self._keep("checkpoint")

    async def close_idle(self, is_behind: Callable[[int, int | None], bool]) -> None:
        self._keep("close_idle")

    async def assign(self, numbers: set[int]) -> None:
        self._keep("assign", numbers)

    def forget(self, numbers: set[int]) -> None:
        self._keep("forget", numbers)

    async def take(self, request: RequestRecord) -> None:
        """A Reporter's part."""
        self._keep("report", request.value)


@dataclass
class FakeStream:
    """Yields one batch through noack_take and remembers how it was asked for."""

    batch: list[Any]
    asked: tuple[int, float] | None = None

    async def noack_take(self, max_: int, within: float) -> AsyncIterator[list[Any]]:
        self.asked = (max_, within)
        yield self.batch


@dataclass
class Event:
    """A Faust event: a message, and how to acknowledge it."""

    value: bytes = b"v"
    offset: int = 5
    generation_id: int = 3
    acks: int = 0

    @property
    def message(self) -> Any:
        named = {"offset": self.offset, "timestamp": 1.5, "key": b"k", "value": self.value, "headers": ()}
        return SimpleNamespace(**named, generation_id=self.generation_id, tp=TP(topics.SAMPLES, 2))

    def ack(self) -> None:
        self.acks += 1


@dataclass
class Built:
    """An app with the pipeline on it, the fake that stands for both processors, and what stopped it."""

    app: faust.App
    samples: FakeSamples
    stopped: list[BaseException]

    def agent(self, name: str) -> Any:
        return next(agent for full, agent in self.app.agents.items() if full.endswith(f".{name}"))

    async def run(self, name: str, *events: Event) -> FakeStream:
        """The body of an agent over one batch."""
        stream = FakeStream(list(events))
        await self.agent(name).fun(stream)
        return stream

    @property
    def timers(self) -> dict[str, Timer]:
        return {task.__name__: Timer(task) for task in self.app._app_tasks}


class Timer:
    """A function that Faust calls again and again; the function itself, and how often."""

    def __init__(self, task: Any) -> None:
        self.call: Callable[[], Awaitable[None]] = inspect.unwrap(task)
        self.interval_s: float = inspect.getclosurevars(task.__wrapped__).nonlocals["interval_s"]


@pytest.fixture
async def built() -> Built:
    app = create_app(KAFKA, SETTINGS)
    samples, stopped = FakeSamples(), list[BaseException]()
    pipeline.build(app, cast("SampleProcessor", samples), cast("Reporter", samples), SETTINGS, stopped.append)
    app.consumer_generation_id = 3
    app.flow_control.resume()
    return Built(app, samples, stopped)


def test_two_agents_hang_on_their_topics_one_event_at_a_time(built: Built) -> None:
    agents = {name.rsplit(".", 1)[-1]: agent for name, agent in built.app.agents.items()}
    topics_of = {name: tuple(agent.channel.topics) for name, agent in agents.items()}
    assert topics_of == {"process": (topics.SAMPLES,), "report": (topics.REPORTS,)}
    assert {agent.concurrency for agent in agents.values()} == {1}


def test_a_partition_is_looked_for_often_enough_for_all_to_have_their_turn(built: Built) -> None:
    intervals_s = {name: timer.interval_s for name, timer in built.timers.items()}
    assert intervals_s["close_idle"] == 1.0
    assert intervals_s["checkpoint"] * 64 < SETTINGS.checkpoint_interval_s


async def test_samples_come_in_batches_and_are_not_acknowledged_here(built: Built) -> None:
    event = Event()
    stream = await built.run("process", event)
    assert (stream.asked, event.acks) == ((7, 0.5), 0)
    assert built.samples.seen == [("process", [(2, 5, 1_500_000, True)])]


@pytest.mark.parametrize("generation", [2, 4])
async def test_an_event_of_another_generation_is_not_current(built: Built, generation: int) -> None:
    await built.run("process", Event(generation_id=generation))
    assert built.samples.seen == [("process", [(2, 5, 1_500_000, False)])]


async def test_no_event_is_current_from_the_revocation_to_the_next_assignment(built: Built) -> None:
    """The generation changes with the assignment only, and noack_take's own buffer is never cleared."""
    built.app.flow_control.suspend()
    await built.run("process", Event())
    assert built.samples.seen == [("process", [(2, 5, 1_500_000, False)])]


async def test_a_report_request_is_acknowledged_once_it_is_answered(built: Built) -> None:
    event = Event(value=b"request")
    stream = await built.run("report", event)
    assert stream.asked == (1, 0.5)
    assert (built.samples.seen, event.acks) == ([("report", b"request")], 1)


@pytest.mark.parametrize("name", ["process", "report"])
async def test_an_agent_that_raises_stops_the_worker_and_acknowledges_nothing(built: Built, name: str) -> None:
    built.samples.fails = ZeroDivisionError()
    event = Event()
    await built.run(name, event)
    assert (built.stopped, event.acks) == ([built.samples.fails], 0)


@pytest.mark.parametrize("name", ["checkpoint", "close_idle"])
async def test_a_timer_that_raises_stops_the_worker(built: Built, name: str) -> None:
    built.samples.fails = ZeroDivisionError()
    await built.timers[name].call()
    assert built.stopped == [built.samples.fails]


@pytest.mark.parametrize("name", ["checkpoint", "close_idle"])
async def test_a_timer_does_what_its_name_says(built: Built, name: str) -> None:
    await built.timers[name].call()
    assert (built.samples.seen, built.stopped) == ([(name, None)], [])


async def test_a_rebalance_tells_of_the_partitions_of_samples_only(built: Built) -> None:
    gc.collect()  # the hooks live on though nobody else holds them
    partitions = {TP(topics.SAMPLES, 1), TP(topics.SAMPLES, 3), TP(topics.REPORTS, 0)}
    await built.app.on_partitions_assigned.send(partitions)
    await built.app.on_partitions_revoked.send(partitions)
    assert built.samples.seen == [("assign", {1, 3}), ("forget", {1, 3})]


def test_the_app_commits_only_what_is_acknowledged_and_keeps_no_tables(built: Built) -> None:
    conf = built.app.conf
    assert str(conf.processing_guarantee.name) == "AT_LEAST_ONCE"
    assert conf.consumer_auto_offset_reset == "earliest"
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")
    assert (conf.topic_allow_declare, conf.web_enabled, dict(built.app.tables)) == (False, False, {})
