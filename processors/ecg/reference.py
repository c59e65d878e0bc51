"""The reference engine: neurokit2 on the last seconds of each device, behind the same interface; slow."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import deepcopy
from importlib.metadata import version
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.interface import StateMismatch, Step
from processors.ecg.reference_beats import take_beats
from processors.ecg.reference_look import choose_main, look
from processors.ecg.reference_metrics import metrics_row
from processors.ecg.reference_rhythm import Episodes, Second
from processors.ecg.reference_state import Held, begin, pack, unpack
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas.samples import MISSING, SampleBlock

MARGIN_S: Final = 2
"""Beats younger than this are left to the next look: neurokit2's delineation needs the beat that follows."""
FIRST_LOOK_S: Final = 6
LONGEST_GAP_S: Final = 2.0
"""neurokit2 is shown a line across a shorter gap (nothing is measured there); after a longer one it starts afresh."""
_MAGIC: Final = b"LWN2"

State = dict[UUID, Held]


class ReferenceEngine:
    """Engine (see interface.py) over neurokit2's detectors and delineators, each lead's last 12 s once a second.

    Looks are aligned to the seconds of the recording, so the block length changes nothing. Beats come 2 to 3 s after
    their R peak and a metrics row 2 s after its second, in the first 6 s at their end. Beats are called N or Q, and of
    rhythms it states what rate and evenness say, pauses and an unreadable signal; the rest is the fast engine's.
    """

    version = f"neurokit2-{version('neurokit2')}-2"

    def new_state(self) -> State:
        return {}

    def step(self, blocks: Sequence[SampleBlock], state: State) -> Step[State]:
        rows = _Rows(self.version)
        order = {device_id: i for i, device_id in enumerate(dict.fromkeys(b.device_id for b in blocks))}
        for block in sorted(blocks, key=lambda b: order[b.device_id]):
            held = state.get(block.device_id)
            if held is None or not held.goes_on_with(block):
                if held is not None:
                    _Recording(held, rows, block.device_id).finish()
                held = state[block.device_id] = begin(block)
            _Recording(held, rows, block.device_id).take(block)
        return Step(rows.results(), state)

    def close(self, device_ids: Sequence[UUID], state: State) -> Step[State]:
        rows = _Rows(self.version)
        for device_id in device_ids:
            held = state.pop(device_id, None)
            if held is not None:
                _Recording(held, rows, device_id).finish()
        return Step(rows.results(), state)

    def copy(self, state: State) -> State:
        return deepcopy(state)

    def dump(self, state: State) -> bytes:
        """Larger than the fast engine's: 12 s of signal of each lead, some 4 KB at 250 Hz."""
        return self._header() + pack(state)

    def load(self, data: bytes) -> State:
        header = self._header()
        if not data.startswith(header):
            raise StateMismatch(f"{len(data)} bytes that are no state of {self.version}; start from an empty state")
        try:
            return unpack(data[len(header) :])
        except (zlib.error, ValueError, TypeError, KeyError) as error:
            raise StateMismatch(f"damaged state of {self.version} ({error}); start from an empty state") from None

    def _header(self) -> bytes:
        return _MAGIC + self.version.encode() + b"\n"


class _Rows:
    """Rows of one step, by source."""

    def __init__(self, engine_version: str) -> None:
        self._version = engine_version
        self._sources: dict[Source, int] = {}
        self.beats: list[NDArray[Any]] = []
        self.metrics: list[NDArray[Any]] = []
        self.episodes: list[NDArray[Any]] = []

    def number_of(self, source: Source) -> int:
        return self._sources.setdefault(source, len(self._sources))

    def results(self) -> Results:
        return Results(
            sources=tuple(self._sources),
            beats=np.array(self.beats, BEAT_DTYPE),
            metrics=np.array(self.metrics, METRICS_DTYPE),
            episodes=np.array(self.episodes, EPISODE_DTYPE),
            engine_version=self._version,
        )


class _Recording:
    """One recording's samples from block to rows: gaps, seconds, looks."""

    def __init__(self, held: Held, rows: _Rows, device_id: UUID) -> None:
        self._held = held
        self._rows = rows
        self._source = rows.number_of(Source(device_id, held.recording_id, held.leads))
        self._episodes = Episodes(held, self._source, rows.episodes)

    def take(self, block: SampleBlock) -> None:
        held = self._held
        held.clock.keep(block.first_index, block.recording_started_at_us)
        missed = block.first_index - held.next_index
        if missed > LONGEST_GAP_S * held.rate_hz:
            self._look(held.next_index)
            held.restart(block.first_index)
        elif missed > 0:
            held.skip(block.first_index)
            self._extend(np.full((len(held.leads), missed), MISSING, np.int16))
        self._extend(block.samples[:, max(0, held.next_index - block.first_index) :])

    def finish(self) -> None:
        self._look(self._held.next_index)
        self._episodes.close(self._held.next_index)

    def _extend(self, samples: NDArray[np.int16]) -> None:
        """Take in samples up to each end of a second, and look there."""
        held = self._held
        at = 0
        while at < samples.shape[1]:
            end = held.clock.first_of(held.next_look + 1)
            part = samples[:, at : at + max(0, end - held.next_index)]
            held.append(part)
            at += part.shape[1]
            if held.next_index == end:
                held.next_look += 1
                if held.window.shape[1] >= FIRST_LOOK_S * held.rate_hz:
                    self._look(held.clock.first_of(held.next_look - MARGIN_S))

    def _look(self, until: int) -> None:
        """Decide the beats before index `until`, and give the seconds that are over by then (all, at the end)."""
        held = self._held
        if until <= held.given_until:
            return
        seen = look(held)
        last = held.clock.second_of(until - 1) + 1 if until == held.next_index else held.clock.second_of(until)
        due = [k for k in range(held.next_row, last) if held.came(*self._extent(k)) > 0]
        qualities = {k: seen.qualities(k) for k in due}
        for k in due:
            choose_main(held, qualities[k])
        take_beats(seen, until, self._source, self._rows.beats)
        for k in due:
            second = Second(k, *self._extent(k), max(one.quality for one in qualities[k]))
            self._episodes.follow(second)
            self._rows.metrics.append(metrics_row(held, self._source, second, qualities[k]))
        held.next_row = max(held.next_row, last)

    def _extent(self, second: int) -> tuple[int, int]:
        return self._held.clock.first_of(second), self._held.clock.first_of(second + 1)
