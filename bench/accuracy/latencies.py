"""How long after an event's onset its label is stated."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from bench.accuracy.spans import stretches_of
from bench.accuracy.tables import table
from bench.accuracy.ventricular_runs import Told, VentricularAnswer

SHORTEST_S: Final = 10.0
"""Shorter events are not asked for: they may be over before they have to be stated."""
BOUND_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the onset of an event until its label was stated: 0 when it was before, infinite when never."""

    event: str
    group: str
    record: str
    onset_s: float
    after_s: float


def first_told(told: Iterable[Told], labels: Collection[str], onset_s: float, end_s: float) -> float:
    """Seconds from `onset_s` until one of the labels is stated; infinite when none is before `end_s`."""
    begins = [each.begin_s for each in told if each.label in labels and each.begin_s < end_s and each.end_s > onset_s]
    return max(0.0, min(begins) - onset_s) if begins else inf


def latencies(answer: VentricularAnswer, event: str, codes: Collection[str], labels: Collection[str]) -> list[Latency]:
    """Of each annotated stretch of the codes that lasts SHORTEST_S; neighbouring stretches are one event."""
    events = []
    for stretch in stretches_of(answer.annotated, codes):
        onset_s, end_s = stretch.begin / answer.rate_hz, stretch.end / answer.rate_hz
        if end_s - onset_s >= SHORTEST_S:
            after_s = first_told(answer.told, labels, onset_s, end_s)
            events.append(Latency(event, answer.group, answer.name, onset_s, after_s))
    return events


def latencies_table(events: Iterable[Latency]) -> str:
    """Of each kind of event and group: how many, how many within BOUND_S, and the middle and the longest delay."""
    held: dict[tuple[str, str], list[float]] = {}
    for each in events:
        held.setdefault((each.event, each.group), []).append(each.after_s)
    rows = []
    for (event, group), values in held.items():
        soon = sum(value <= BOUND_S for value in values)
        middle = float(np.median(values))
        rows.append([event, group, str(len(values)), str(soon), f"{100 * soon / len(values):.1f}",
                     _seconds(middle), _seconds(max(values)), str(sum(value == inf for value in values))])  # fmt: skip
    headings = ["event", "records", "events", f"stated in {BOUND_S:g} s", "%", "median s", "longest s", "never"]
    return table(headings, rows, 2)


def late_table(events: Iterable[Latency]) -> str:
    """Each event that was stated late or never."""
    late = [each for each in events if each.after_s > BOUND_S]
    rows = [[e.event, e.group, e.record, f"{e.onset_s:.0f}", _seconds(e.after_s)] for e in late]
    return table(["event", "records", "record", "onset s", "stated after s"], rows, 3)


def _seconds(value: float) -> str:
    return "never" if value == inf else f"{value:.1f}"
