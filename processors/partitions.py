"""A partition's memory: what it holds, how it takes in records, and how it comes back after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from processors import alarms, checkpoints, rows
from processors.alarms import Board
from processors.context import reread
from processors.ecg.interface import Engine, StateMismatch, Step
from processors.publish import DeadLetter, Decided
from processors.sequence import Sequenced, Sequencer
from processors.sinks import Rows
from schemas import topics
from schemas.clock import to_datetime
from schemas.codec import decode_pack, encode_pack, split_pack
from schemas.errors import Malformed, Rejected, UnknownDevice
from schemas.logs import logger
from schemas.samples import Recording, SampleBlock
from schemas.telemetry import BLOCKS_REPEATED, SAMPLES_PROCESSED, STEP_SECONDS
from storage.checkpoints import Checkpoint
from storage.devices import DeviceOwner

_LISTENED_S: Final = 2.0
"""Of the time between two looks no more was spent listening: in the rest the worker waited or stood still."""

_PAUSED_US: Final = 2_000_000
"""Who sent nothing for so long may have ended: what there is of its open stretch is wanted now."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record of ecg.samples."""

    offset: int
    timestamp_us: int
    key: bytes | None
    value: bytes
    replays: int = 0


@dataclass(frozen=True, slots=True)
class ReceivedBlock:
    """A block and the record it came in."""

    record: Record
    block: SampleBlock


@dataclass(slots=True)
class Taken:
    """What a run of records led to."""

    rows: Rows
    rejects: list[DeadLetter] = field(default_factory=list)


class Partition:
    """Engine state, tracks and the next offset of one partition, moving together."""

    def __init__(self, number: int, partitions: int, engine: Engine[Any], stretch_s: float) -> None:
        self.number = number
        self._partitions = partitions
        self.next_offset: int | None = None
        self.dirty = False
        self.saved_at_s = time.monotonic()
        self._engine = engine
        self._sequencer = Sequencer(stretch_s)
        self._state = engine.new_state()
        self.board = Board()
        self._owed = Rows()  # decided when the state was loaded, given with the next records
        self._newest_us = 0
        self._listened_s = 0.0
        self._looked_at_s = time.monotonic()

    @classmethod
    def restore(
        cls, number: int, partitions: int, engine: Engine[Any], stretch_s: float, saved: Checkpoint | None
    ) -> Partition:
        """The partition as its checkpoint left it; fresh without one, and if another engine wrote it, see reread()."""
        partition = cls(number, partitions, engine, stretch_s)
        if saved is None:
            return partition
        partition.next_offset = saved.next_offset
        try:
            partition._load(saved)
        except StateMismatch as error:
            _log.warning("checkpoint of another format", partition=number, why=str(error))
        partition._newest_us = max((t.received_at_us for t in partition._sequencer.tracks.values()), default=0)
        return partition

    def _load(self, saved: Checkpoint) -> None:
        """Raises StateMismatch when the checkpoint has another format; another engine's part is made up for."""
        loaded = checkpoints.load(saved.state, self._sequencer)
        try:
            self._state = self._engine.load(loaded.engine_state)
            self.board = loaded.board
        except StateMismatch as error:
            _log.warning(
                "another engine's state; the last seconds are read again", partition=self.number, why=str(error)
            )
            self._absorb(reread(self._engine, self._sequencer), self._owed)

    def freeze(self) -> Callable[[], Checkpoint]:
        """What makes the checkpoint of the state now, which covers everything before next_offset.

        The copy is quick, the coding is not; it may be done in a thread, while the partition goes on.
        """
        self.dirty = False
        self.saved_at_s = time.monotonic()
        next_offset, engine = self.next_offset or 0, self._engine
        tracks, watched, state = checkpoints.copied(self._sequencer), alarms.dump(self.board), engine.copy(self._state)

        def checkpoint() -> Checkpoint:
            coded = checkpoints.encode(tracks, watched, engine.dump(state))
            return Checkpoint(topics.SAMPLES, self.number, next_offset, engine.version, coded)

        return checkpoint

    def checkpoint(self) -> Checkpoint:
        """The state now, which covers everything before next_offset."""
        return self.freeze()()

    @property
    def devices(self) -> int:
        return len(self._sequencer.tracks)

    @property
    def sequencer(self) -> Sequencer:
        return self._sequencer

    def heard_of(self) -> dict[UUID, datetime]:
        """When each live device was last heard of, by the gateway's clock."""
        return {device_id: to_datetime(track.received_at_us) for device_id, track in self._sequencer.tracks.items()}

    def decode(self, records: Iterable[Record]) -> tuple[list[ReceivedBlock], list[DeadLetter]]:
        """Blocks of the records that were not taken in before, and dead letters for what breaks the contract."""
        decoded: list[ReceivedBlock] = []
        rejects: list[DeadLetter] = []
        for record in records:
            if self.next_offset is not None and record.offset < self.next_offset:
                continue
            try:
                blocks = decode_pack(record.value)
            except Rejected as error:
                blocks = self._good_blocks(record, error, rejects)
            decoded.extend(ReceivedBlock(record, _stamped(block, record)) for block in blocks)
        return decoded, rejects

    def _good_blocks(self, record: Record, error: Rejected, rejects: list[DeadLetter]) -> list[SampleBlock]:
        """What can be used of a record that is bad as a whole; each bad block of it is a dead letter alone."""
        try:
            packs = split_pack(record.value)
        except Malformed:
            packs = []
        if len(packs) < 2:
            rejects.append(self._letter(record, record.value, error))
            return []
        good: list[SampleBlock] = []
        for pack in packs:
            try:
                good += decode_pack(pack)
            except Rejected as bad:
                rejects.append(self._letter(record, pack, bad))
        return good

    def take(self, decoded: Sequence[ReceivedBlock], owners: Mapping[UUID, DeviceOwner], last_offset: int) -> Taken:
        """Sequence the blocks, step the engine, move next_offset past `last_offset`."""
        taken = Taken(self._take_owed())
        blocks: list[SampleBlock] = []
        for item in decoded:
            try:
                done = self._sequence(item.block, owners)
            except Rejected as error:
                taken.rejects.append(self._letter(item.record, encode_pack([item.block]), error))
                continue
            self._collect(done, owners, taken.rows)
            blocks.extend(done.blocks)
        with STEP_SECONDS.time():
            self._absorb(self._engine.step(blocks, self._state), taken.rows)
        SAMPLES_PROCESSED.inc(sum(block.samples.size for block in blocks))
        taken.rows.owners.update({device_id: owner.user_id for device_id, owner in owners.items()})
        self._newest_us = max([self._newest_us, *(block.received_at_us for block in blocks)])
        self._listened_s = 0.0
        self.next_offset = max(self.next_offset or 0, last_offset + 1)  # a batch may lie wholly before the checkpoint
        self.dirty = True
        return taken

    def close_idle(self, idle_after_s: float) -> Rows:
        """Give what silent devices still owe, and forget them; called once a second while nothing waits in Kafka.

        The clock is the newest block's, plus the time listened since it was taken in: while a worker catches up on old
        records, is kept waiting by the database or stands still, nobody is silent, so it decides what an undisturbed
        one decides. Of a device that only pauses the open stretch is given as far as it has come.
        """
        ended = self._take_owed()
        now_s = time.monotonic()
        self._listened_s += min(now_s - self._looked_at_s, _LISTENED_S)
        self._looked_at_s = now_s
        clock_us = self._newest_us + int(self._listened_s * 1_000_000)
        silent = self._sequencer.idle(clock_us - int(idle_after_s * 1_000_000))
        if silent:
            self._close(silent, idle_after_s, ended)
        ended.stretches.extend(self._sequencer.flush(clock_us - _PAUSED_US))
        return ended

    def _close(self, silent: Sequence[UUID], idle_after_s: float, ended: Rows) -> None:
        blocks: list[SampleBlock] = []
        for device_id in silent:
            done = self._sequencer.close(device_id)
            self._collect(done, {}, ended)
            blocks.extend(done.blocks)
        self._absorb(self._engine.step(blocks, self._state), ended)
        self._absorb(self._engine.close(silent, self._state), ended)
        ended.alarms.extend(self.board.close(silent, int(idle_after_s * 1_000_000)))
        self.dirty = True

    def _take_owed(self) -> Rows:
        owed, self._owed = self._owed, Rows()
        return owed

    def _sequence(self, block: SampleBlock, owners: Mapping[UUID, DeviceOwner]) -> Sequenced:
        owner = owners.get(block.device_id)
        if owner is None or not owner.is_active:
            raise UnknownDevice(
                f"device {block.device_id} is {'not active' if owner else 'not registered'}; "
                "register it with POST /api/v1/devices, or activate it, then replay this record"
            )
        home = topics.partition_of(block.device_id, self._partitions)
        if home != self.number:
            raise Malformed(
                f"device {block.device_id} was sent to partition {self.number} and belongs on {home}; "
                "use its id as the key and Kafka's default (murmur2) partitioner"
            )
        return self._sequencer.take(block)

    def _collect(self, done: Sequenced, owners: Mapping[UUID, DeviceOwner], into: Rows) -> None:
        if done.outcome == "repeated":
            BLOCKS_REPEATED.inc()
        if done.started is not None:
            into.recordings.append(_recording(done.started, owners[done.started.device_id]))
        into.stretches.extend(done.stretches)
        into.gaps.extend(done.gaps)

    def _absorb(self, step: Step[Any], into: Rows) -> None:
        self._state = step.state
        results = step.results
        if results.beats.size or results.metrics.size:
            into.decided.append(Decided(self.number, results))
        into.episodes.extend(rows.episodes(results))
        into.alarms.extend(self.board.take(results))

    def _letter(self, record: Record, value: bytes, error: Rejected) -> DeadLetter:
        return DeadLetter(record.key, value, error, topics.SAMPLES, self.number, record.offset, record.replays)


def _stamped(block: SampleBlock, record: Record) -> SampleBlock:
    """The block with a gateway clock that can be trusted.

    A device that publishes straight to Kafka has none, or claims any: the broker's stands in, and no claim runs
    ahead of it, because the newest block is the clock by which all other devices of the partition fall silent.
    """
    at_us = record.timestamp_us
    if block.received_at_us and (block.received_at_us <= at_us or at_us <= 0):
        return block
    return replace(block, received_at_us=max(0, at_us))


def _recording(first: SampleBlock, owner: DeviceOwner) -> Recording:
    return Recording(
        recording_id=first.recording_id,
        device_id=first.device_id,
        user_id=owner.user_id,
        started_at_us=first.recording_started_at_us,
        rate_hz=first.rate_hz,
        leads=first.leads,
        uv_per_lsb=first.uv_per_lsb,
    )
