"""A database, a publisher and an engine small enough to see through."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace, TracebackType
from typing import Any, cast
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql
from psycopg.pq import ExecStatus

from processors import rows
from processors.ecg.interface import StateMismatch, Step
from processors.partitions import Record
from processors.publish import DeadLetter, Decided, Publisher
from processors.samples import Arrival
from schemas import topics
from schemas.alarms import AlarmEvent
from schemas.beats import Beat
from schemas.clock import index_to_us
from schemas.codec import encode_pack
from schemas.errors import Busy
from schemas.metrics import Metrics
from schemas.reports import ReportEvent
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas.rhythms import RhythmEpisode
from schemas.samples import SampleBlock
from storage.arrays import Column
from storage.checkpoints import Checkpoint
from storage.database import Database
from storage.devices import DeviceOwner

PARTITIONS = 4
START_US = 1_700_000_000_000_000
RATE_HZ = 250.0
Row = Mapping[str, Any]


def device_on(partition: int, *, nth: int = 0) -> UUID:
    """The nth device whose blocks belong on this partition of PARTITIONS."""
    ours = (UUID(int=i) for i in range(1, 1000) if topics.partition_of(UUID(int=i), PARTITIONS) == partition)
    return [next(ours) for _ in range(nth + 1)][-1]


def block(device_id: UUID, first_index: int = 0, count: int = 250, **changes: Any) -> SampleBlock:
    """A block of one lead whose samples tell their own index, received 0.1 s after its end."""
    index = np.arange(first_index, first_index + count)
    facts: dict[str, Any] = {
        "device_id": device_id,
        "recording_id": UUID(int=device_id.int + 10_000),
        "first_index": first_index,
        "started_at_us": START_US + index_to_us(first_index, RATE_HZ),
        "rate_hz": RATE_HZ,
        "leads": ("II",),
        "uv_per_lsb": (5.0,),
        "samples": (index % 3000).astype(np.int16).reshape(1, -1),
        "received_at_us": START_US + index_to_us(first_index + count, RATE_HZ) + 100_000,
    }
    return SampleBlock(**facts | changes)


def record(offset: int, *blocks: SampleBlock, value: bytes | None = None) -> Record:
    """A record of ecg.samples, a second after the block was received."""
    at_us = max((b.received_at_us for b in blocks), default=START_US) + 1_000_000
    return Record(offset, at_us, b"key", encode_pack(blocks) if value is None else value)


@dataclass(slots=True)
class Acks:
    """Arrivals of one partition, and which of their offsets were acknowledged."""

    partition: int
    offsets: list[int] = field(default_factory=list)
    current: bool = True

    def arrival(self, arrived: Record) -> Arrival:
        acknowledge = lambda: self.offsets.append(arrived.offset)  # noqa: E731  # what Faust's event.ack is
        return Arrival(self.partition, arrived, acknowledge, lambda: self.current)


def values(column: Column) -> list[Any]:
    """What a parameter holds, as plain values."""
    return np.asarray(column.values).tolist() if column.kind.stored else list(column.values)


class FakeDatabase(Database):
    """Answers SELECTs with the rows whose key their text holds, and keeps what is written once it is committed.

    The next `away` transactions raise Busy at their end, as when the server goes during the commit.
    """

    def __init__(self, answers: Mapping[str, Sequence[Row]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.away = 0
        self.asked: list[str] = []
        self.committed: list[tuple[str, Any]] = []
        self.transactions: list[list[str]] = []
        self.before_answer: Callable[[str], None] = lambda text: None
        self.before_commit: Callable[[list[str]], None] = lambda texts: None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        connection = FakeConnection(self)
        yield cast("AsyncConnection", connection)
        if self.away:
            self.away -= 1
            raise Busy("the database is away; wait")
        self.before_commit([text for text, _ in connection.written])
        self.transactions.append([text for text, _ in connection.written])
        self.committed += connection.written

    def written(self, statement: str) -> list[Any]:
        """Parameters of what was committed with this in its text, in order."""
        return [params for text, params in self.committed if statement in text]

    @property
    def checkpoints(self) -> list[int]:
        """The next_offset of each checkpoint saved, in order."""
        saved = self.written("INSERT INTO checkpoints")
        return [offset for params in saved for offset in values(params["next_offset"])]

    def know(self, *owners: DeviceOwner) -> None:
        self.answers["FROM devices WHERE"] = [asdict(owner) for owner in owners]

    def restart_from_saved(self) -> None:
        """Answer the next load with the checkpoint saved last, as after a crash."""
        saved = self.written("INSERT INTO checkpoints")[-1]
        rows = [dict(zip(saved, row, strict=True)) for row in zip(*map(values, saved.values()), strict=True)]
        self.answers["FROM checkpoints"] = rows


class FakeConnection:
    """One transaction of a FakeDatabase, and its own cursor."""

    def __init__(self, database: FakeDatabase) -> None:
        self.database = database
        self.written: list[tuple[str, Any]] = []

    def cursor(self, row_factory: Callable[[Any], Callable[[Sequence[Any]], Any]], binary: bool = False) -> FakeCursor:
        return FakeCursor(self, row_factory)

    async def execute(self, query: Any, params: Any = None) -> FakeCursor:
        return await FakeCursor(self, lambda _: tuple).execute(query, params)


class FakeCursor:
    """As much of psycopg's cursor as storage asks for; rows go through psycopg's own row factories."""

    def __init__(
        self, connection: FakeConnection, row_factory: Callable[[Any], Callable[[Sequence[Any]], Any]]
    ) -> None:
        self._connection = connection
        self._row_factory = row_factory
        self._rows: Sequence[Row] = []
        self._encoding = "utf-8"
        self.rowcount = 1

    async def __aenter__(self) -> FakeCursor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        return None

    async def execute(self, query: Any, params: Any = None) -> FakeCursor:
        text = query.as_string(None) if isinstance(query, sql.Composable) else str(query)
        database = self._connection.database
        if text.lstrip().startswith(("INSERT", "UPDATE")):
            self._connection.written.append((text, params))
            self._rows = next((rows for key, rows in database.answers.items() if key in text), [])
            return self
        database.asked.append(text)
        database.before_answer(text)
        self._rows = next((rows for key, rows in database.answers.items() if key in text), [])
        return self

    @property
    def pgresult(self) -> FakeCursor | None:
        return self if self._rows else None

    status = ExecStatus.TUPLES_OK

    @property
    def nfields(self) -> int:
        return len(self._rows[0])

    def fname(self, number: int) -> bytes:
        return list(self._rows[0])[number].encode()

    @property
    def description(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in (self._rows[0] if self._rows else ())]

    async def fetchall(self) -> list[Any]:
        make = self._row_factory(self)
        return [make(list(row.values())) for row in self._rows]

    async def fetchone(self) -> Any:
        rows = await self.fetchall()
        return rows[0] if rows else None


class FakePublisher(Publisher):
    """Keeps what it is given; the next `away` calls raise Busy."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []
        self.metrics: list[Metrics] = []
        self.episodes: list[RhythmEpisode] = []
        self.alarms: list[AlarmEvent] = []
        self.letters: list[DeadLetter] = []
        self.events: list[ReportEvent] = []
        self.away = 0

    async def results(
        self, decided: Sequence[Decided], episodes: Sequence[RhythmEpisode], alarms: Sequence[AlarmEvent] = ()
    ) -> None:
        self._answer()
        self.alarms += alarms
        for each in decided:
            self.beats += rows.beats(each.results)
            self.metrics += rows.metrics(each.results)
        self.episodes += episodes

    async def rejects(self, letters: Sequence[DeadLetter]) -> None:
        self._answer()
        self.letters += letters

    async def report(self, event: ReportEvent) -> None:
        self._answer()
        self.events.append(event)

    def _answer(self) -> None:
        if self.away:
            self.away -= 1
            raise Busy("Kafka is away; wait")


Counts = dict[str, tuple[str, int]]
"""Recording and number of samples of each device."""


class CountingEngine:
    """One beat for each block, at its first sample; one more when a device is closed, at the number of its samples."""

    version = "count-1"

    def new_state(self) -> Counts:
        return {}

    def step(self, blocks: Sequence[SampleBlock], state: Counts) -> Step[Counts]:
        for each in blocks:
            _, before = state.get(str(each.device_id), ("", 0))
            state[str(each.device_id)] = (str(each.recording_id), before + each.count)
        found = [(Source(b.device_id, b.recording_id, b.leads), b.first_index, b.started_at_us) for b in blocks]
        return Step(_results(found), state)

    def close(self, device_ids: Sequence[UUID], state: Counts) -> Step[Counts]:
        ended = [(device_id, *state.pop(str(device_id))) for device_id in device_ids if str(device_id) in state]
        return Step(_results([(Source(d, UUID(r), ("II",)), count, START_US) for d, r, count in ended]), state)

    def copy(self, state: Counts) -> Counts:
        return dict(state)

    def dump(self, state: Counts) -> bytes:
        return json.dumps([self.version, state]).encode()

    def load(self, data: bytes) -> Counts:
        version, state = json.loads(data)
        if version != self.version:
            raise StateMismatch(f"state of {version}; start anew")
        return {device: (recording, count) for device, (recording, count) in state.items()}


def _results(found: Sequence[tuple[Source, int, int]]) -> Results:
    beats = np.zeros(len(found), BEAT_DTYPE)
    beats["source"] = range(len(found))
    beats["r_index"] = [index for _, index, _ in found]
    beats["at_us"] = [at_us for _, _, at_us in found]
    beats["beat_class"] = "N"
    sources = tuple(source for source, _, _ in found)
    nothing = np.zeros(0, METRICS_DTYPE), np.zeros(0, EPISODE_DTYPE)
    return Results(sources, beats, *nothing, CountingEngine.version)


def owner(device_id: UUID, *, is_active: bool = True) -> DeviceOwner:
    return DeviceOwner(device_id, UUID(int=77), is_active)


def saved_by(partition: int, next_offset: int, state: bytes, version: str = "count-1") -> Checkpoint:
    return Checkpoint(topics.SAMPLES, partition, next_offset, version, state)
