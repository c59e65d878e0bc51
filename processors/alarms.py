"""The alarm board: every live device of a partition, screened in columns; only what stirs is looked at one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors import alarm_watch
from processors.alarm_intervals import MINUTE_MS, Intervals
from processors.alarm_told import ALARMS, Told, first_us, marked
from processors.alarm_watch import BACK_US, SECOND_US, Second, Watch
from schemas import rhythms
from schemas.alarms import DEFAULT_LIMITS, UNREADABLE, AlarmEvent, AlarmLimits
from schemas.results import Results

_FIRST_SLOTS: Final = 64


_SPOILS: Final = marked((rhythms.NOISE, rhythms.LEAD_OFF))


@dataclass(slots=True)
class AlarmNews:
    """What a run of results led to: alarms as the worker knows them, and devices that (re)appeared, with since when.

    Of an alarm twice in `events` the later one knows more. All alarms of a device from before it reappeared are over.
    """

    events: list[AlarmEvent] = field(default_factory=list)
    returned: dict[UUID, int] = field(default_factory=dict)

    def extend(self, other: AlarmNews) -> None:
        self.events.extend(other.events)
        self.returned.update(other.returned)

    def any(self) -> bool:
        return bool(self.events or self.returned)


class Board:
    """The devices of one partition, a slot each. No clock, no I/O: the same results and limits give the same alarms."""

    def __init__(self) -> None:
        self._slots: dict[int, int] = {}  # by the integer of the device's UUID, which is quicker to look up
        self._free: list[int] = []
        self._last_us = np.zeros(_FIRST_SLOTS, np.int64)
        self._low = np.zeros(_FIRST_SLOTS, np.float32)
        self._high = np.zeros(_FIRST_SLOTS, np.float32)
        self._awake = np.zeros(_FIRST_SLOTS, np.bool_)
        self._watches: dict[int, Watch] = {}
        self._intervals: dict[int, Intervals] = {}  # of slots that had an extreme one lately
        self._limits: Mapping[UUID, AlarmLimits] = {}

    @property
    def active(self) -> list[AlarmEvent]:
        """The alarms whose condition lasts."""
        return [alarm for watch in self._watches.values() for alarm in watch.active]

    def set_limits(self, limits: Mapping[UUID, AlarmLimits]) -> None:
        """From now on these, by device, and the default ones for all others."""
        if limits == self._limits:
            return
        changed = limits.keys() | self._limits.keys()
        self._limits = dict(limits)
        for device_id in changed:
            slot = self._slots.get(device_id.int)
            if slot is not None:
                self._apply_limits(device_id, slot)

    def take(self, results: Results) -> AlarmNews:
        """Follow every device of the results."""
        news = AlarmNews()
        table = results.metrics
        if not table.size and not results.episodes.size and not results.beats.size:
            return news
        slots = self._slots_of(results, news)
        stirred = np.flatnonzero(self._stirred(results, slots)).tolist()
        slot = slots[table["source"]]
        self._last_us[slot] = table["window_start_us"] + SECOND_US  # of equal slots the last one stays
        if stirred:
            told = Told(results)
            for number in stirred:
                self._follow(results, told, number, int(slots[number]), news)
        return news

    def close(self, device_ids: Iterable[UUID], silent_us: int) -> AlarmNews:
        """Devices that fell silent for `silent_us`: their conditions end, No Data is raised, they are forgotten."""
        news = AlarmNews()
        for device_id in device_ids:
            slot = self._slots.pop(device_id.int, None)
            if slot is None:
                continue
            watch = self._watches.pop(slot, None) or self._fresh(device_id, UUID(int=0), slot)
            self._intervals.pop(slot, None)
            watch.close(silent_us)
            news.events.extend(watch.news)
            self._awake[slot] = False
            self._free.append(slot)
        return news

    def dump(self) -> dict[str, Any]:
        """Everything but the limits, for JSON."""
        kept: dict[str, Any] = {}
        for number, slot in self._slots.items():
            facts: dict[str, Any] = {"last_us": int(self._last_us[slot])}
            kept[f"{number:032x}"] = facts
            if slot in self._watches:
                facts["watch"] = alarm_watch.dump(self._watches[slot])
            if slot in self._intervals:
                facts["beats"] = self._intervals[slot].beats
        return kept

    @classmethod
    def load(cls, kept: Mapping[str, Mapping[str, Any]]) -> Board:
        """The board that `dump` kept; set its limits before it goes on."""
        board = cls()
        for text, facts in kept.items():
            device_id = UUID(text)
            slot = board._new_slot(device_id)
            board._last_us[slot] = facts["last_us"]
            if "watch" in facts:
                board._watches[slot] = alarm_watch.load(device_id, facts["last_us"], facts["watch"])
                board._awake[slot] = True
            if "beats" in facts:
                board._intervals[slot] = Intervals([(at_us, rr_ms) for at_us, rr_ms in facts["beats"]])
        return board

    def _slots_of(self, results: Results, news: AlarmNews) -> NDArray[np.intp]:
        """The slot of each source; a device seen for the first time gets one, and is told of."""
        found = [self._slots.get(source.device_id.int, -1) for source in results.sources]
        slots = np.array(found, np.intp)
        for number in np.flatnonzero(slots < 0).tolist():
            source, since_us = results.sources[number], first_us(results, number)
            if since_us is None:
                continue  # nothing was decided of it yet
            slots[number] = self._slots.get(source.device_id.int, -1)
            if slots[number] < 0:
                slots[number] = self._new_slot(source.device_id)
                self._last_us[slots[number]] = since_us
                news.returned[source.device_id] = since_us
        return slots

    def _stirred(self, results: Results, slots: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which sources must be looked at: something is over a limit, or was and is not over yet."""
        stirred = np.zeros(len(slots), np.bool_)
        table, told = results.metrics, results.episodes
        source = table["source"]
        slot, rate = slots[source], table["heart_rate_bpm"]
        over = (rate <= self._low[slot]) | (rate >= self._high[slot])  # False for NaN
        over |= (table["quality"] < UNREADABLE) | _SPOILS[table["rhythm"]] | self._awake[slot]
        over |= table["window_start_us"] < self._last_us[slot] - BACK_US
        stirred[source[over]] = True
        stirred[told["source"][ALARMS[told["rhythm"]]]] = True
        beats = results.beats
        extreme = beats["rr_ms"] * self._low[slots[beats["source"]]] >= MINUTE_MS
        stirred[beats["source"][extreme]] = True
        if self._intervals:
            stirred |= np.isin(slots, list(self._intervals))
        # A device that a former source of this step has stirred is looked at in all of them.
        return np.isin(slots, slots[stirred]) & (slots >= 0)

    def _follow(self, results: Results, told: Told, number: int, slot: int, news: AlarmNews) -> None:
        source = results.sources[number]
        watch = self._watches.get(slot) or self._fresh(source.device_id, source.recording_id, slot)
        watch.recording_id = source.recording_id
        if slot not in self._watches:
            watch.last_us = first_us(results, number) or watch.last_us
        intervals = self._intervals.pop(slot, None) or Intervals()
        intervals.add(told.beats(number))
        for at_us, _, row in told.in_order(number, intervals, watch.limits.low_bpm):
            if isinstance(row, Second):
                watch.take_second(row)
            else:
                watch.take_episode(row, at_us)
        if intervals.forget(watch.last_us, watch.limits.low_bpm):
            self._intervals[slot] = intervals
        news.events.extend(watch.news)
        watch.news = []
        self._awake[slot] = not watch.is_calm
        if watch.is_calm:
            self._watches.pop(slot, None)
        else:
            self._watches[slot] = watch

    def _fresh(self, device_id: UUID, recording_id: UUID, slot: int) -> Watch:
        limits = self._limits.get(device_id, DEFAULT_LIMITS)
        return Watch(device_id, recording_id, limits, int(self._last_us[slot]))

    def _new_slot(self, device_id: UUID) -> int:
        slot = self._free.pop() if self._free else len(self._slots)
        if slot >= self._awake.size:
            for name in ("_last_us", "_low", "_high", "_awake"):
                grown = getattr(self, name)
                setattr(self, name, np.concatenate([grown, np.zeros_like(grown)]))
        self._slots[device_id.int] = slot
        self._awake[slot] = False
        self._apply_limits(device_id, slot)
        return slot

    def _apply_limits(self, device_id: UUID, slot: int) -> None:
        limits = self._limits.get(device_id, DEFAULT_LIMITS)
        self._low[slot], self._high[slot] = limits.low_bpm, limits.high_bpm
        if slot in self._watches:
            self._watches[slot].limits = limits


def dump(board: Board) -> bytes:
    """The board as bytes for the checkpoint; `load` gives it back."""
    return json.dumps(board.dump(), separators=(",", ":")).encode()


def load(data: bytes) -> Board:
    """The board that `dump` wrote."""
    return Board.load(json.loads(data)) if data else Board()
