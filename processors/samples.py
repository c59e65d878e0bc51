"""From arrived records to stored results, one batch at a time, and the checkpoints in between."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from processors.alarm_limits import CurrentLimits
from processors.ecg.interface import Engine
from processors.owners import Owners
from processors.partitions import Partition, Record
from processors.publish import DeadLetter, Publisher, replays_of
from processors.sinks import Rows, Sinks, patiently
from schemas import topics
from schemas.alarms import PRIORITIES, AlarmLimits
from schemas.errors import Busy
from schemas.logs import logger
from schemas.samples import WaveformStretch
from schemas.settings import WorkerSettings
from schemas.telemetry import ALARMS_ACTIVE, CHECKPOINT_SECONDS, DEVICES_LIVE, PARTITIONS, PARTITIONS_STOPPED, REJECTS
from storage import checkpoints
from storage.checkpoints import Checkpoint
from storage.database import Database

_WRITING: Final = 3
"""Jobs on their way at once: a batch is stored while the one before it is published and a checkpoint is coded."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record, the partition it came from, how to acknowledge it, and whether we still hold that partition.

    `is_current` turns false at a rebalance: what was fetched before it is fetched again after it.
    """

    partition: int
    record: Record
    acknowledge: Callable[[], object]
    is_current: Callable[[], bool]


def arrival(event: Any, is_current: Callable[[], bool]) -> Arrival:
    """The Arrival of a Faust event."""
    message = event.message
    replays = replays_of(message.headers)
    record = Record(message.offset, int(message.timestamp * 1_000_000), message.key, message.value or b"", replays)
    return Arrival(message.tp.partition, record, event.ack, is_current)


class SampleProcessor:
    """The partitions of this worker. One batch, checkpoint or closing at a time; all else waits its turn."""

    def __init__(
        self,
        engine: Engine[Any],
        database: Database,
        publisher: Publisher,
        settings: WorkerSettings,
        partition_count: int,
    ) -> None:
        self._engine = engine
        self._database = database
        self._publisher = publisher
        self._sinks = Sinks(database, publisher, settings.metrics_table_every_s)
        self._owners = Owners(database)
        self._limits = CurrentLimits(database)
        self._settings = settings
        self._partition_count = partition_count
        self._partitions: dict[int, Partition] = {}
        self._unacknowledged: dict[int, list[Arrival]] = {}
        self._rejects_in_row: dict[int, int] = {}
        self._turn = asyncio.Lock()
        self._writing: deque[asyncio.Task[None]] = deque()

    async def process(self, arrivals: Sequence[Arrival]) -> None:
        """Decide what these records lead to and begin to store and publish it; a later checkpoint acknowledges them.

        At most _WRITING batches are written while the next is decided: a slow database holds up this call.
        Raises Busy when a server stays away for long; whatever it raises, the worker must stop.
        """
        async with self._turn:
            current = [each for each in arrivals if each.is_current()]
            ordered = sorted(current, key=lambda each: (each.partition, each.record.offset))
            results = Rows()
            limits = await patiently(self._limits.by_device)
            for number, group in groupby(ordered, key=lambda each: each.partition):
                await self._take(number, list(group), limits, results)
            await self._write(self._sinks.write(results))

    async def _write(self, job: Coroutine[Any, Any, None]) -> None:
        """Begin the job, and wait until there is room for another."""
        self._writing.append(asyncio.create_task(job, name="writing results"))
        while len(self._writing) > _WRITING:
            await self._writing.popleft()
        self._notice()

    def _notice(self) -> None:
        """Forget the jobs that are done. Raises what a job failed with."""
        while self._writing and self._writing[0].done():
            self._writing.popleft().result()

    async def stored(self) -> None:
        """Return when all that was decided is stored and published. Raises what kept it from being so."""
        while self._writing:
            await self._writing.popleft()

    async def checkpoint(self) -> None:
        """Save the state of every partition that moved, and the open stretches, then acknowledge what it covers."""
        async with self._turn:
            stretches = [stretch for each in self._partitions.values() for stretch in each.sequencer.flush()]
            await self._save([each for each in self._partitions.values() if each.dirty], stretches)
            await self.stored()

    async def _save(self, moved: Sequence[Partition], stretches: Sequence[WaveformStretch] = ()) -> None:
        if moved:
            frozen = [partition.freeze() for partition in moved]
            heard_of = {device_id: at for partition in moved for device_id, at in partition.heard_of().items()}
            await self._write(self._checkpoint(stretches, frozen, heard_of))

    async def _checkpoint(
        self,
        stretches: Sequence[WaveformStretch],
        frozen: Sequence[Callable[[], Checkpoint]],
        heard_of: Mapping[UUID, datetime],
    ) -> None:
        with CHECKPOINT_SECONDS.time():
            saved = [await asyncio.to_thread(checkpoint) for checkpoint in frozen]
            await self._sinks.checkpoint(stretches, saved, heard_of)
        self._acknowledge(saved)

    async def checkpoint_due(self) -> None:
        """Save the partition whose turn it is: each comes once in the interval, and never all of them at once.

        Saving all together would hold the samples up for as long as it takes, seconds with thousands of devices. What
        there is of open stretches is in the state.
        """
        async with self._turn:
            self._notice()
            waiting = [each for each in self._partitions.values() if each.dirty]
            oldest = min(waiting, key=lambda each: each.saved_at_s, default=None)
            if oldest and time.monotonic() - oldest.saved_at_s >= self._settings.checkpoint_interval_s:
                await self._save([oldest])

    async def close_idle(self, is_behind: Callable[[int, int | None], bool] = lambda _number, _next: False) -> None:
        """Decide what devices still owe that have fallen silent.

        `is_behind` tells of a partition and its next offset whether Kafka has more: then nobody is silent there.
        """
        async with self._turn:
            ended = Rows()
            for partition in self._partitions.values():
                if not is_behind(partition.number, partition.next_offset):
                    ended.extend(partition.close_idle(self._settings.idle_after_s))
            if ended.any():
                await self._write(self._sinks.write(ended))
            DEVICES_LIVE.set(sum(partition.devices for partition in self._partitions.values()))
            PARTITIONS.set(len(self._partitions))
            self._count_alarms()

    def _count_alarms(self) -> None:
        active = Counter(alarm.priority for each in self._partitions.values() for alarm in each.board.active)
        for priority in PRIORITIES:
            ALARMS_ACTIVE.labels(priority).set(active[priority])

    async def assign(self, numbers: set[int]) -> None:
        """Load the memory of the partitions that are ours now, so that their silent devices are closed in time too.

        `numbers` are all of them: what a batch brought back after it was taken away is dropped here.
        """
        async with self._turn:
            self.forget(self._partitions.keys() - numbers)
            saved = await patiently(lambda: self._load(numbers))
            added = sorted(numbers - self._partitions.keys())
            for position, number in enumerate(added):
                self._partitions[number] = self._restored(number, saved.get(number))
                # Their turns come evenly spread over the interval.
                self._partitions[number].saved_at_s -= self._settings.checkpoint_interval_s * position / len(added)

    def forget(self, numbers: set[int]) -> None:
        """Drop partitions that another worker takes over; what is not checkpointed it computes again."""
        for number in numbers:
            self._partitions.pop(number, None)
            self._unacknowledged.pop(number, None)
            self._rejects_in_row.pop(number, None)
        PARTITIONS_STOPPED.set(len(self.stopped))

    async def _take(
        self, number: int, arrivals: list[Arrival], limits: Mapping[UUID, AlarmLimits], results: Rows
    ) -> None:
        if self._rejects_in_row.get(number, 0) >= self._settings.max_rejects_in_row:
            return  # stopped loudly below; its records stay unacknowledged
        partition = await self._partition(number)
        decoded, letters = partition.decode([each.record for each in arrivals])
        owners = await patiently(lambda: self._owners.of({item.block.device_id for item in decoded}))
        if not arrivals[-1].is_current():
            return  # a rebalance came while we waited: the memory may be older than what we hold here
        partition.board.set_limits(limits)
        taken = partition.take(decoded, owners, arrivals[-1].record.offset)
        await self._reject(number, [*letters, *taken.rejects], good=len(decoded) - len(taken.rejects))
        results.extend(taken.rows)
        if self._partitions.get(number) is partition:  # still ours
            self._unacknowledged.setdefault(number, []).extend(arrivals)

    async def _partition(self, number: int) -> Partition:
        """The partition's memory; loaded here when a record is faster than its assignment."""
        if number not in self._partitions:
            saved = await patiently(lambda: self._load({number}))
            self._partitions[number] = self._restored(number, saved.get(number))
        return self._partitions[number]

    async def _load(self, numbers: set[int]) -> dict[int, Checkpoint]:
        async with self._database.transaction() as connection:
            return await checkpoints.load(connection, topics.SAMPLES, numbers)

    def _restored(self, number: int, saved: Checkpoint | None) -> Partition:
        return Partition.restore(number, self._partition_count, self._engine, self._settings.stretch_s, saved)

    async def _reject(self, number: int, letters: list[DeadLetter], *, good: int) -> None:
        if letters:
            await patiently(lambda: self._publisher.rejects(letters))
        for letter in letters:
            REJECTS.labels(letter.reason.title).inc()
        in_row = len(letters) + (0 if good else self._rejects_in_row.get(number, 0))
        self._rejects_in_row[number] = in_row
        PARTITIONS_STOPPED.set(len(self.stopped))
        if in_row >= self._settings.max_rejects_in_row:
            _log.error("partition stopped: too many rejects in a row", partition=number, rejects=in_row)

    def _acknowledge(self, saved: Sequence[Checkpoint]) -> None:
        for checkpoint in saved:
            waiting = self._unacknowledged.pop(checkpoint.partition, [])
            later = [each for each in waiting if each.record.offset >= checkpoint.next_offset]
            if later:
                self._unacknowledged[checkpoint.partition] = later
            for each in waiting:
                if each.record.offset < checkpoint.next_offset:
                    each.acknowledge()

    @property
    def partitions(self) -> Mapping[int, Partition]:
        """The partitions held now."""
        return self._partitions

    @property
    def stopped(self) -> set[int]:
        """Partitions that stopped after too many rejects in a row."""
        limit = self._settings.max_rejects_in_row
        return {number for number, in_row in self._rejects_in_row.items() if in_row >= limit}

    async def ready(self) -> None:
        """Raises Busy when a partition has stopped."""
        if self.stopped:
            raise Busy(
                f"partitions {sorted(self.stopped)} stopped after too many rejects in a row; "
                "look at ecg.rejects (leadwire rejects), mend the sender, then restart the worker"
            )
