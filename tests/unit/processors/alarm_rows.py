"""Seconds and episodes of a device as an engine gives them, cut into steps anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID

import numpy as np

from processors.alarms import Board
from schemas import rhythms
from schemas.alarms import AlarmEvent
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source

DEVICE, OTHER = UUID(int=1), UUID(int=2)
START_US = 1_700_000_000_000_000
NAN = float("nan")
_STATES = ("opened", "updated", "closed")


@dataclass(frozen=True, slots=True)
class Told:
    """An episode row stated at the end of the second `at_s`."""

    label: str
    state: str
    at_s: int
    started_s: float
    ended_s: float
    confidence: float = 90.0


@dataclass(frozen=True, slots=True)
class Beat:
    """A second: what is measured in it."""

    at_s: int
    rate: float = 75.0
    quality: float = 0.9
    label: str | None = rhythms.NORMAL


@dataclass(frozen=True, slots=True)
class Peak:
    """A beat that is decided in the second `at_s`, and the interval before it."""

    at_s: int
    peak_s: float
    rr_ms: float


Row: TypeAlias = Beat | Told | Peak


def peaks(*rr_s: float, start: float = 0.0, ahead: bool = False) -> list[Row]:
    """Beats with these intervals; `ahead` ones are decided before the second they are in is given."""
    moments = [start + sum(rr_s[: i + 1]) for i in range(len(rr_s))]
    return [Peak(max(0, int(at) - ahead), at, rr * 1000) for at, rr in zip(moments, rr_s, strict=True)]


def seconds(*rates: float, start: int = 0, **others: object) -> list[Row]:
    """Seconds one after the other with these rates."""
    return [replace(Beat(start + i, rate), **others) for i, rate in enumerate(rates)]  # type: ignore[arg-type]  # fields


def opened(label: str, at_s: int, started_s: float | None = None) -> Told:
    return Told(label, "opened", at_s, at_s if started_s is None else started_s, at_s + 1)


def closed(label: str, at_s: int, ended_s: float, started_s: float = 0) -> Told:
    return Told(label, "closed", at_s, started_s, ended_s)


def step(rows: Iterable[Row], device_id: UUID = DEVICE) -> Results:
    """What an engine gives for one device in one step."""
    rows = list(rows)
    beats, told = [r for r in rows if isinstance(r, Beat)], [r for r in rows if isinstance(r, Told)]
    metrics, episodes = np.zeros(len(beats), METRICS_DTYPE), np.zeros(len(told), EPISODE_DTYPE)
    found = [r for r in rows if isinstance(r, Peak)]
    decided = np.zeros(len(found), BEAT_DTYPE)
    decided["at_us"], decided["rr_ms"] = [START_US + int(r.peak_s * 1e6) for r in found], [r.rr_ms for r in found]
    metrics["window_start_us"] = [START_US + r.at_s * 1_000_000 for r in beats]
    metrics["heart_rate_bpm"], metrics["quality"] = [r.rate for r in beats], [r.quality for r in beats]
    metrics["rhythm"] = [rhythms.LABELS.index(r.label) if r.label else -1 for r in beats]
    episodes["rhythm"] = [rhythms.LABELS.index(r.label) for r in told]
    episodes["state"] = [_STATES.index(r.state) for r in told]
    episodes["started_at_us"] = [START_US + int(r.started_s * 1e6) for r in told]
    episodes["ended_at_us"] = [START_US + int(r.ended_s * 1e6) for r in told]
    episodes["confidence"] = [r.confidence for r in told]
    source = Source(device_id, UUID(int=device_id.int + 100), ("II",))
    return Results((source,), decided, metrics, episodes, "test-1")


def together(*steps: Results) -> Results:
    """One step of several devices."""
    tables = {name: [getattr(each, name).copy() for each in steps] for name in ("beats", "metrics", "episodes")}
    for group in tables.values():
        for number, table in enumerate(group):
            table["source"] = number
    sources = tuple(source for each in steps for source in each.sources)
    beats, metrics, episodes = (np.concatenate(tables[name]) for name in ("beats", "metrics", "episodes"))
    return Results(sources, beats, metrics, episodes, "test-1")


def run(board: Board, rows: Sequence[Row], cuts: Iterable[int] = (), *, apart: bool = False) -> list[AlarmEvent]:
    """What the board tells of rows that come in steps; each step ends before a second of `cuts`.

    With `apart` the beats of each step come in a step of their own before it.
    """
    events: list[AlarmEvent] = []
    bounds = [-1, *sorted(cuts), 10**6]
    for first, end in pairwise(bounds):
        part = [row for row in rows if first <= row.at_s < end]
        beats = [row for row in part if isinstance(row, Peak)] if apart else []
        rest = [row for row in part if row not in beats] if apart else part
        for each in (beats, rest):
            events += board.take(step(each)).events if each else []
    return events


def s_of(at_us: int | None) -> float | None:
    """A moment as seconds from the start."""
    return None if at_us is None else (at_us - START_US) / 1e6
