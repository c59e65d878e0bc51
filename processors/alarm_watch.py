"""What is watched of one device: alarm conditions that come, last and go; pure, the same however rows are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from math import isnan
from typing import Any, Final
from uuid import UUID

from schemas import rhythms
from schemas.alarms import (
    EXTREME_BRADYCARDIA,
    EXTREME_TACHYCARDIA,
    KIND_BY_NAME,
    NO_DATA,
    RATE_MARGIN_BPM,
    UNREADABLE,
    AlarmEvent,
    AlarmLimits,
    alarm_id,
    state_of,
)

SECOND_US: Final = 1_000_000
SETTLE_US: Final = 5 * SECOND_US
"""The engine states the end of an episode some seconds after it. What is not urgent (to clear, to raise what began
under a bad signal) is decided that much later, when all that matters has been stated: so it is the same however blocks
are cut."""
BACK_US: Final = 10 * SECOND_US
"""A second so far before the last one is of an older recording; clocks are put right by less."""
_SIGNAL: Final = "signal"
_BAD_LABELS: Final = (rhythms.NOISE, rhythms.LEAD_OFF)


@dataclass(frozen=True, slots=True)
class Second:
    """What the alarms want to know of a metrics row; the rate is NaN where none could be measured.

    `slow_bpm` is the rate that the middle one of the last three intervals makes, when it is an extreme one; else None.
    A mean over eight beats takes 10 s to tell that a heart has become very slow.
    """

    start_us: int
    rate_bpm: float
    quality: float
    label: str | None
    slow_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the alarms want to know of an episode row."""

    label: str
    closed: bool
    started_at_us: int
    ended_at_us: int
    confidence: float


@dataclass(slots=True)
class _Rhythm:
    """A rhythm that alarms. What began under a bad signal is not raised before `due_us`; over since `ended_at_us`."""

    began_at_us: int
    due_us: int
    confidence: float
    ended_at_us: int | None = None
    alarm: AlarmEvent | None = None


@dataclass(slots=True)
class _Streak:
    """Seconds in a row that are over a limit or, once the alarm is raised, well within it again."""

    count: int = 0
    since_us: int = 0
    alarm: AlarmEvent | None = None


@dataclass(slots=True)
class Watch:
    """One device. `last_us` is the end of its newest second."""

    device_id: UUID
    recording_id: UUID
    limits: AlarmLimits
    last_us: int
    bad: bool = False
    rhythms: dict[str, _Rhythm] = field(default_factory=dict)
    streaks: dict[str, _Streak] = field(default_factory=dict)
    news: list[AlarmEvent] = field(default_factory=list)

    @property
    def is_calm(self) -> bool:
        """Whether it may be forgotten until something stirs: no condition, none on its way."""
        idle = all(streak.alarm is None and streak.count == 0 for streak in self.streaks.values())
        return not self.bad and not self.rhythms and idle

    @property
    def active(self) -> Iterator[AlarmEvent]:
        """The alarms whose condition lasts."""
        held: list[_Rhythm | _Streak] = [*self.rhythms.values(), *self.streaks.values()]
        return (each.alarm for each in held if each.alarm is not None)

    @property
    def suppressed(self) -> bool:
        """Whether the signal is too bad for a physiological alarm; a technical one stands instead."""
        signal = self.streaks.get(_SIGNAL)
        return self.bad or (signal is not None and signal.alarm is not None)

    def take_second(self, second: Second) -> None:
        """Follow signal and rate, then decide what has become due."""
        if second.start_us < self.last_us - BACK_US:
            self._end_all()
        elif second.start_us > self.last_us + SECOND_US // 2:
            self._break_streaks()
        end_us = second.start_us + SECOND_US
        self._follow_signal(second)
        if self.suppressed:
            self._postpone(end_us)
        else:
            self._follow_rate(second)
        self._decide(end_us)
        self.last_us = end_us

    def take_episode(self, row: Stated, at_us: int) -> None:
        """An episode opened, updated or closed, stated at `at_us`; a high one is raised at once."""
        known = self.rhythms.get(row.label)
        if row.closed:
            if known is not None and known.ended_at_us is None:
                known.ended_at_us = max(row.ended_at_us, known.began_at_us)
        elif known is not None and (known.alarm is not None or known.ended_at_us is None):
            known.ended_at_us = None  # it goes on, or has come back before it was cleared
        elif row.label not in self.limits.off:
            self._open(row, at_us)

    def close(self, silent_us: int) -> None:
        """The device fell silent: conditions end with its last second, and No Data is raised `silent_us` after it."""
        self._end_all()
        if NO_DATA not in self.limits.off:
            self.news.append(self._alarm(NO_DATA, self.last_us, self.last_us + silent_us))

    def _open(self, row: Stated, at_us: int) -> None:
        opened = _Rhythm(row.started_at_us, self.last_us, row.confidence)
        self.rhythms[row.label] = opened
        if not self.suppressed:
            self._raise_rhythm(row.label, opened, at_us)

    def _raise_rhythm(self, label: str, rhythm: _Rhythm, at_us: int) -> None:
        raised_at_us = max(at_us, rhythm.began_at_us)
        rhythm.alarm = self._alarm(label, rhythm.began_at_us, raised_at_us, confidence=rhythm.confidence)
        self.news.append(rhythm.alarm)

    def _postpone(self, end_us: int) -> None:
        """What began in a bad signal must outlast it."""
        for rhythm in self.rhythms.values():
            rhythm.due_us = end_us

    def _decide(self, end_us: int) -> None:
        for label, rhythm in list(self.rhythms.items()):
            if rhythm.alarm is not None:
                self._clear_rhythm(label, rhythm, end_us)
            elif end_us >= rhythm.due_us + KIND_BY_NAME[label].settle_s * SECOND_US:
                if rhythm.ended_at_us is None or rhythm.ended_at_us > rhythm.due_us:
                    self._raise_rhythm(label, rhythm, end_us)
                else:
                    del self.rhythms[label]

    def _clear_rhythm(self, label: str, rhythm: _Rhythm, end_us: int) -> None:
        over = rhythm.ended_at_us
        if over is not None and end_us >= over + KIND_BY_NAME[label].clear_after_s * SECOND_US + SETTLE_US:
            self._end(rhythm.alarm, over)
            del self.rhythms[label]

    def _follow_signal(self, second: Second) -> None:
        """A label that is vital was read all the same: then the signal is not what matters."""
        kind = KIND_BY_NAME.get(second.label or "")
        unreadable = second.quality < UNREADABLE and not (kind and kind.vital)
        self.bad = second.label in _BAD_LABELS or unreadable
        name = rhythms.LEAD_OFF if second.label == rhythms.LEAD_OFF else rhythms.NOISE
        self._follow(_SIGNAL, name, second, over=self.bad, within=not self.bad)

    def _follow_rate(self, second: Second) -> None:
        """A second without a rate says nothing either way."""
        low, high = self.limits.low_bpm, self.limits.high_bpm
        rate = None if isnan(second.rate_bpm) else second.rate_bpm
        lowest = min((each for each in (rate, second.slow_bpm) if each is not None), default=None)
        slow, fast = EXTREME_BRADYCARDIA, EXTREME_TACHYCARDIA
        if lowest is not None:
            within = lowest >= low + RATE_MARGIN_BPM
            self._follow(slow, slow, second, over=lowest <= low, within=within, value=lowest, limit=low)
        if rate is not None:
            within = rate <= high - RATE_MARGIN_BPM
            self._follow(fast, fast, second, over=rate >= high, within=within, value=rate, limit=high)

    def _follow(
        self,
        name: str,
        kind: str,
        second: Second,
        *,
        over: bool,
        within: bool,
        value: float | None = None,
        limit: float | None = None,
    ) -> None:
        streak = self.streaks.setdefault(name, _Streak())
        told = within if streak.alarm is not None else over and kind not in self.limits.off
        if not told:
            streak.count = 0
            return
        streak.since_us = second.start_us if streak.count == 0 else streak.since_us
        streak.count += 1
        if streak.alarm is not None:
            if streak.count >= KIND_BY_NAME[streak.alarm.kind].clear_after_s:
                self._end(streak.alarm, streak.since_us)
                self.streaks[name] = _Streak()
        elif streak.count >= self._raise_after_s(kind):
            streak.alarm = self._alarm(kind, streak.since_us, second.start_us + SECOND_US, value=value, limit=limit)
            streak.count = 0
            self.news.append(streak.alarm)

    def _raise_after_s(self, kind: str) -> int:
        return self.limits.delay_s if KIND_BY_NAME[kind].cause == "rate" else KIND_BY_NAME[kind].raise_after_s

    def _break_streaks(self) -> None:
        """Behind a gap one counts anew."""
        for streak in self.streaks.values():
            streak.count = 0

    def _end_all(self) -> None:
        for rhythm in self.rhythms.values():
            self._end(rhythm.alarm, self.last_us if rhythm.ended_at_us is None else rhythm.ended_at_us)
        for streak in self.streaks.values():
            self._end(streak.alarm, self.last_us)
        self.rhythms, self.streaks, self.bad = {}, {}, False

    def _end(self, alarm: AlarmEvent | None, ended_at_us: int) -> None:
        if alarm is not None:
            ended = max(ended_at_us, alarm.began_at_us)
            state = state_of(latching=alarm.latching, ended=True, acknowledged=False)
            self.news.append(replace(alarm, ended_at_us=ended, state=state))

    def _alarm(
        self,
        name: str,
        began_at_us: int,
        raised_at_us: int,
        value: float | None = None,
        limit: float | None = None,
        confidence: float | None = None,
    ) -> AlarmEvent:
        kind = KIND_BY_NAME[name]
        return AlarmEvent(
            alarm_id=alarm_id(self.device_id, name, began_at_us),
            device_id=self.device_id,
            recording_id=self.recording_id,
            user_id=None,
            kind=name,
            priority=kind.priority,
            category=kind.category,
            latching=kind.latching,
            state="raised",
            began_at_us=began_at_us,
            raised_at_us=raised_at_us,
            ended_at_us=None,
            acknowledged_at_us=None,
            acknowledged_by=None,
            value=value,
            limit=limit,
            confidence=confidence,
        )


def dump(watch: Watch) -> dict[str, Any]:
    """What must be kept of a device that is not calm, for JSON."""
    return {
        "recording_id": str(watch.recording_id),
        "bad": watch.bad,
        "rhythms": {name: _facts(each) for name, each in watch.rhythms.items()},
        "streaks": {name: _facts(each) for name, each in watch.streaks.items()},
    }


def load(device_id: UUID, last_us: int, kept: dict[str, Any]) -> Watch:
    """The watch that `dump` kept; its limits are the default ones until they are set."""
    return Watch(
        device_id=device_id,
        recording_id=UUID(kept["recording_id"]),
        limits=AlarmLimits(),
        last_us=last_us,
        bad=kept["bad"],
        rhythms={name: _Rhythm(**_told(facts)) for name, facts in kept["rhythms"].items()},
        streaks={name: _Streak(**_told(facts)) for name, facts in kept["streaks"].items()},
    )


def _facts(held: _Rhythm | _Streak) -> dict[str, Any]:
    facts = asdict(held)
    if held.alarm is not None:
        facts["alarm"] = {n: str(v) if isinstance(v, UUID) else v for n, v in asdict(held.alarm).items()}
    return facts


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    alarm = facts["alarm"]
    if alarm is None:
        return facts
    ids = {name: UUID(alarm[name]) for name in ("alarm_id", "device_id", "recording_id")}
    return {**facts, "alarm": AlarmEvent(**{**alarm, **ids})}
