"""One step of the fast engine: what is to be done in which slot, and the rows that come of it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.run import BEGIN, END, OPERATION, TAKE, compiled
from processors.ecg.slots import Held, SlotTable
from processors.ecg.state import BEAT_ROW, CLASSES, WORK, Slots
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas.samples import SampleBlock

_BEATS_PER_S: Final = 5
"""More than the refractory time of 240 ms allows."""
_SPARE: Final = 40
"""Rows one operation may give beyond its own length: what was pending before it."""
_EPISODES_PER_ROW: Final = 4


class Plan:
    """The operations of one step, in order, and the samples they take.

    This runs once for every block of every device, so it is kept to a dozen cheap lines: one look-up by device,
    numbers appended to one list.
    """

    def __init__(self, state: SlotTable) -> None:
        self._state = state
        self._numbers: list[int] = []  # OPERATION after OPERATION
        self._samples: list[NDArray[np.int16]] = []
        self._offset = 0
        self._seconds = 0.0
        self._position: dict[int, int] = {}  # slot -> position in sources
        self._sources: list[Source] = []
        self._ended: list[Held] = []

    def take(self, block: SampleBlock) -> None:
        held = self._state.held.get(block.device_id)
        if held is None or not held.goes_on_with(block):
            if held is not None:
                self.end(block.device_id)
            held = self._state.open(block)
            self._add(BEGIN, held, 0, 0, 0)
        leads, count = block.samples.shape
        self._add(TAKE, held, block.first_index, count, block.started_at_us)
        self._samples.append(block.samples.ravel())
        self._offset += count * leads
        self._seconds += count / block.rate_hz

    def end(self, device_id: UUID) -> None:
        held = self._state.held.pop(device_id, None)
        if held is not None:
            self._add(END, held, 0, 0, 0)
            self._ended.append(held)

    def _add(self, kind: int, held: Held, first: int, count: int, started_at_us: int) -> None:
        slot = held.slot
        source = self._position.get(slot)
        if source is None:
            source = self._position[slot] = len(self._sources)
            self._sources.append(held.source)
        self._numbers += (kind, source, slot, first, count, self._offset, started_at_us)

    def run(self, version: str, works: Slots | None = None) -> Results:
        """Carry the operations out; the slots of ended recordings are free afterwards.

        `works` is WORK (1,) for who wants to look at what a beat was judged by.
        """
        works = np.zeros(1, WORK) if works is None else works
        operations = np.array(self._numbers, np.int64).view(OPERATION)
        beats = np.empty(int(self._seconds * _BEATS_PER_S) + _SPARE * operations.size, BEAT_ROW)
        metrics = np.empty(int(self._seconds) + _SPARE * operations.size, METRICS_DTYPE)
        episodes = np.empty(_EPISODES_PER_ROW * (beats.size + metrics.size), EPISODE_DTYPE)
        made = np.zeros(3, np.int64)
        if operations.size:
            samples = np.concatenate(self._samples) if self._samples else np.empty(0, np.int16)
            table = self._state
            compiled()(operations, samples, table.devices, table.leads, beats, metrics, episodes, made, works)
        for held in self._ended:
            self._state.free(held)
        return Results(
            sources=tuple(self._sources),
            beats=_beat_columns(beats[: made[0]]),
            metrics=metrics[: made[1]].copy(),
            episodes=episodes[: made[2]].copy(),
            engine_version=version,
        )


def _beat_columns(rows: NDArray[Any]) -> NDArray[Any]:
    beats = np.empty(rows.size, BEAT_DTYPE)
    for name in BEAT_DTYPE.names or ():
        beats[name] = CLASSES[rows["beat_class"]] if name == "beat_class" else rows[name]
    return beats
