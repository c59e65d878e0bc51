"""Spans: which stretches of samples an archived record holds, and when each began; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.clock import index_to_us


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch: samples [first_index, first_index + count) by a clock that stood at `started_at_us` at the first."""

    first_index: int
    count: int
    started_at_us: int

    @property
    def end_index(self) -> int:
        return self.first_index + self.count

    @property
    def order(self) -> tuple[int, int, int]:
        """Of several spans that hold a sample, the one that is first in this order is the one that is read."""
        return (self.first_index, -self.count, self.started_at_us)


@dataclass(frozen=True, slots=True)
class HeldSamples:
    """A stretch with what it holds: int16 of shape (leads, span.count)."""

    span: Span
    samples: NDArray[np.int16]


def to_runs(spans: Iterable[Span], rate_hz: float) -> list[list[int]]:
    """The spans in order, as runs [first_index, count, started_at_us, repeats].

    A run is `repeats` stretches of `count` samples, one after the other and each beginning when the first one's clock
    says so: an hour that went well is one run.
    """
    runs: list[list[int]] = []
    for span in sorted(spans, key=lambda span: span.order):
        if runs and _repeated(runs[-1], runs[-1][3], rate_hz) == span:
            runs[-1][3] += 1
        else:
            runs.append([span.first_index, span.count, span.started_at_us, 1])
    return runs


def from_runs(runs: Iterable[Sequence[int]], rate_hz: float) -> list[Span]:
    """The spans of runs as `to_runs` makes them, in order."""
    return [_repeated(run, number, rate_hz) for run in runs for number in range(run[3])]


def _repeated(run: Sequence[int], number: int, rate_hz: float) -> Span:
    first_index, count, started_at_us, _ = run
    passed = number * count
    return Span(first_index + passed, count, started_at_us + index_to_us(passed, rate_hz))


def combined(older: Iterable[HeldSamples], newer: Iterable[HeldSamples]) -> list[HeldSamples]:
    """Both, in order; of two that start at the same sample and moment the longer one, else the older."""
    chosen: dict[tuple[int, int], HeldSamples] = {}
    for held in (*older, *newer):
        key = (held.span.first_index, held.span.started_at_us)
        if key not in chosen or chosen[key].span.count < held.span.count:
            chosen[key] = held
    return sorted(chosen.values(), key=lambda held: held.span.order)


def owned(held: Iterable[HeldSamples]) -> list[HeldSamples]:
    """Every sample once, in order: of stretches that overlap the first in order has its say, of the rest what is left.

    What is cut off in front is not taken off `started_at_us`: this is for comparing samples.
    """
    parts = list[HeldSamples]()
    reached: int | None = None
    for each in sorted(held, key=lambda each: each.span.order):
        span = each.span
        begin = span.first_index if reached is None else max(reached, span.first_index)
        if begin < span.end_index:
            cut = Span(begin, span.end_index - begin, span.started_at_us)
            parts.append(HeldSamples(cut, each.samples[:, begin - span.first_index :]))
            reached = span.end_index
    return parts
