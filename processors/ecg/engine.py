"""The fast engine: numba kernels over slots, one for each device and for each of its leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.interface import Step
from processors.ecg.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from processors.ecg.run import BEGIN, END, OPERATION, TAKE, compiled
from processors.ecg.slots import Held, SlotTable
from processors.ecg.snapshot import pack, unpack
from processors.ecg.state import BEAT_ROW, CLASSES
from schemas.samples import SampleBlock

VERSION: Final = "fast-1"

_BEATS_PER_S: Final = 5
"""More than the refractory time of 240 ms allows."""
_SPARE: Final = 40
"""Rows one operation may give beyond its own length: what was pending before it."""
_EPISODES_PER_ROW: Final = 4


class FastEngine:
    """Engine (see interface.py): causal, any block length, any rate from 100 to 1000 Hz, 1 to 12 leads.

    A beat comes out at most 1.05 s after its R peak, a metrics row 1.1 s after its second; in the first 2 s of a
    recording (and after a gap of more than 30 s) levels are learned and everything waits for the end of that time.
    """

    version = VERSION

    def new_state(self) -> SlotTable:
        return SlotTable()

    def step(self, blocks: Sequence[SampleBlock], state: SlotTable) -> Step[SlotTable]:
        plan = _Plan(state)
        for device_blocks in _by_device(blocks):
            for block in device_blocks:
                plan.take(block)
        return Step(plan.run(), state)

    def close(self, device_ids: Sequence[UUID], state: SlotTable) -> Step[SlotTable]:
        plan = _Plan(state)
        for device_id in device_ids:
            plan.end(device_id)
        return Step(plan.run(), state)

    def dump(self, state: SlotTable) -> bytes:
        return pack(state, VERSION)

    def load(self, data: bytes) -> SlotTable:
        return unpack(data, VERSION)


def _by_device(blocks: Sequence[SampleBlock]) -> list[list[SampleBlock]]:
    groups: dict[UUID, list[SampleBlock]] = {}
    for block in blocks:
        groups.setdefault(block.device_id, []).append(block)
    return list(groups.values())


class _Plan:
    """The operations of one step, in order, and the samples they take."""

    def __init__(self, state: SlotTable) -> None:
        self._state = state
        self._operations: list[tuple[int, int, int, int, int, int, int]] = []
        self._samples: list[NDArray[np.int16]] = []
        self._offset = 0
        self._seconds = 0.0
        self._sources: dict[tuple[UUID, UUID], int] = {}
        self._ended: list[Held] = []

    def take(self, block: SampleBlock) -> None:
        held = self._state.held.get(block.device_id)
        if held is None or not held.goes_on_with(block):
            if held is not None:
                self.end(block.device_id)
            held = self._state.open(block)
            self._operations.append((BEGIN, 0, held.slot, 0, 0, 0, 0))
        source = self._source(block.device_id, block.recording_id)
        count = block.samples.shape[1]
        operation = (TAKE, source, held.slot, block.first_index, count, self._offset, block.recording_started_at_us)
        self._operations.append(operation)
        self._samples.append(block.samples.reshape(-1))
        self._offset += count * len(block.leads)
        self._seconds += count / block.rate_hz

    def end(self, device_id: UUID) -> None:
        held = self._state.held.pop(device_id, None)
        if held is None:
            return
        source = self._source(device_id, held.recording_id)
        self._operations.append((END, source, held.slot, 0, 0, 0, 0))
        self._ended.append(held)

    def _source(self, device_id: UUID, recording_id: UUID) -> int:
        return self._sources.setdefault((device_id, recording_id), len(self._sources))

    def run(self) -> Results:
        """Carry the operations out; the slots of ended recordings are free afterwards."""
        count = len(self._operations)
        beats = np.empty(int(self._seconds * _BEATS_PER_S) + _SPARE * count, BEAT_ROW)
        metrics = np.empty(int(self._seconds) + _SPARE * count, METRICS_DTYPE)
        episodes = np.empty(_EPISODES_PER_ROW * (beats.size + metrics.size), EPISODE_DTYPE)
        made = np.zeros(3, np.int64)
        if count:
            samples = np.concatenate(self._samples) if self._samples else np.empty(0, np.int16)
            operations = np.array(self._operations, OPERATION)
            table = self._state
            compiled()(operations, samples, table.devices, table.leads, beats, metrics, episodes, made)
        for held in self._ended:
            self._state.free(held)
        sources = tuple(Source(*key) for key in self._sources)
        return Results(
            sources=sources,
            beats=_beat_columns(beats[: made[0]]),
            metrics=metrics[: made[1]].copy(),
            episodes=episodes[: made[2]].copy(),
            engine_version=VERSION,
        )


def _beat_columns(rows: NDArray[Any]) -> NDArray[Any]:
    beats = np.empty(rows.size, BEAT_DTYPE)
    for name in BEAT_DTYPE.names or ():
        beats[name] = CLASSES[rows["beat_class"]] if name == "beat_class" else rows[name]
    return beats
