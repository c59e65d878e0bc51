"""How well stated spans of a rhythm agree with annotated ones: by time and by episode."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from bench.accuracy.references import Stretch
from schemas.rhythms import LABELS

CLOSED: Final = 2
"""An episode row's state when its end is known (schemas.results.EPISODE_DTYPE)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples from `begin` up to but not including `end` that bear a label: an annotator's ("AFIB") or the engine's."""

    begin: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class TimeScore:
    """Seconds stated rightly, wrongly, missed and rightly left alone."""

    name: str
    true_s: float
    false_s: float
    missed_s: float
    rest_s: float

    @property
    def sensitivity(self) -> float | None:
        """Percent of the annotated time that is stated; None when nothing is annotated."""
        return _percent(self.true_s, self.missed_s)

    @property
    def specificity(self) -> float | None:
        """Percent of the other time in which it is not stated; None when there is no other time."""
        return _percent(self.rest_s, self.false_s)

    @property
    def predictivity(self) -> float | None:
        """Percent of the stated time that is annotated; None when nothing is stated."""
        return _percent(self.true_s, self.false_s)


@dataclass(frozen=True, slots=True)
class EpisodeScore:
    """Annotated episodes, those of them that a stated one touches; stated ones, those that touch an annotated one."""

    name: str
    episodes: int
    met: int
    stated: int
    right: int

    @property
    def sensitivity(self) -> float | None:
        """Percent of the annotated episodes met; None when there is none."""
        return _percent(self.met, self.episodes - self.met)

    @property
    def predictivity(self) -> float | None:
        """Percent of the stated episodes that are right; None when there is none."""
        return _percent(self.right, self.stated - self.right)


def annotated_spans(path: Path, count: int, annotator: str = "atr") -> tuple[Span, ...]:
    """Rhythm annotations of a WFDB record of `count` samples, each to the next or to the end; "(AFIB" is AFIB.

    Time before the first annotation bears none. Ventricular flutter between `[` and `]` is told by its rhythm
    annotation "(VFL", where there is one.
    """
    notes = wfdb.rdann(str(path), annotator)
    pairs = zip(notes.sample, notes.symbol, notes.aux_note, strict=True)
    changes = [(int(at), note.strip("\0 ()")) for at, symbol, note in pairs if symbol == "+" and note.startswith("(")]
    ends = [at for at, _ in changes[1:]] + [count]
    spans = (Span(at, min(end, count), label) for (at, label), end in zip(changes, ends, strict=True))
    return tuple(span for span in spans if span.end > span.begin)


def stated_spans(episodes: NDArray[Any], rate_hz: float) -> tuple[Span, ...]:
    """The engine's closed episodes (EPISODE_DTYPE) of a recording that began at 0 µs, as samples of `rate_hz`."""
    closed = episodes[episodes["state"] == CLOSED]
    ends = np.round(closed["ended_at_us"] * rate_hz / 1e6).astype(np.int64)
    rows = zip(closed["first_r_index"].tolist(), ends.tolist(), closed["rhythm"].tolist(), strict=True)
    return tuple(Span(begin, max(begin, end), LABELS[rhythm]) for begin, end, rhythm in rows)


def stretches_of(spans: Iterable[Span], labels: Collection[str]) -> tuple[Stretch, ...]:
    """Where a span of one of the labels is: in order, those that touch or overlap made one."""
    merged: list[Stretch] = []
    for span in sorted((s for s in spans if s.label in labels), key=lambda s: s.begin):
        if merged and span.begin <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].begin, max(merged[-1].end, span.end))
        else:
            merged.append(Stretch(span.begin, span.end))
    return tuple(merged)


def score_time(name: str, annotated: Sequence[Stretch], stated: Sequence[Stretch], count: int, rate_hz: float,
               left_out: Sequence[Stretch] = ()) -> TimeScore:  # fmt: skip
    """Seconds of agreement over samples [0, count), `left_out` not counted; stretches as stretches_of gives them."""
    truth, answer, counted = held(annotated, count), held(stated, count), ~held(left_out, count)
    parts = (truth & answer, ~truth & answer, truth & ~answer, ~truth & ~answer)
    return TimeScore(name, *(np.count_nonzero(part & counted) / rate_hz for part in parts))


def total_time(name: str, scores: Iterable[TimeScore]) -> TimeScore:
    """Gross: every second counts once."""
    each = list(scores)
    sums = (sum(getattr(s, part) for s in each) for part in ("true_s", "false_s", "missed_s", "rest_s"))
    return TimeScore(name, *sums)


def score_episodes(name: str, annotated: Sequence[Stretch], stated: Sequence[Stretch],
                   shortest: int = 1) -> EpisodeScore:  # fmt: skip
    """EC57's episode count: an episode is met when one of the other side overlaps it by a sample.

    Annotated and stated episodes shorter than `shortest` samples are not asked for, but may still meet others.
    """
    asked = [s for s in annotated if s.end - s.begin >= shortest]
    said = [s for s in stated if s.end - s.begin >= shortest]
    met = sum(_touches(s, stated) for s in asked)
    return EpisodeScore(name, len(asked), met, len(said), sum(_touches(s, annotated) for s in said))


def total_episodes(name: str, scores: Iterable[EpisodeScore]) -> EpisodeScore:
    """Every episode counts once."""
    each = list(scores)
    return EpisodeScore(name, *(sum(getattr(s, part) for s in each) for part in ("episodes", "met", "stated", "right")))


def held(stretches: Iterable[Stretch], count: int) -> NDArray[np.bool_]:
    """Of each of `count` samples, whether one of the stretches holds it."""
    mask = np.zeros(count, np.bool_)
    for stretch in stretches:
        mask[max(0, stretch.begin) : max(0, stretch.end)] = True
    return mask


def _touches(stretch: Stretch, others: Iterable[Stretch]) -> bool:
    return any(other.begin < stretch.end and stretch.begin < other.end for other in others)


def _percent(good: float, bad: float) -> float | None:
    return 100.0 * good / (good + bad) if good + bad > 0 else None
