"""One pass over a database that scores beats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from bench.accuracy.answers import answers
from bench.accuracy.beats import BeatScore, BeatTotal, score_beats, total
from bench.accuracy.conditions import Condition, annotated
from bench.accuracy.databases import Database
from bench.accuracy.noise import noisy_stretches
from bench.accuracy.records import Record
from bench.accuracy.references import Positions
from bench.accuracy.splits import groups
from processors.ecg.engines import EngineName

NOISY: Final = ", noisy minutes"
LATE: Final = ", noisy minutes, 2nd half"
Detector: TypeAlias = Callable[[Record], Positions]


@dataclass(frozen=True, slots=True)
class BeatRun:
    """Scores of each record; `noisy` counts the minutes with noise only, `late` those of them in the second half.

    Both are empty without noise. The detector learned from the first half of each recorded noise, not from the second.
    """

    name: str
    db: Database
    scores: tuple[BeatScore, ...]
    noisy: tuple[BeatScore, ...] = ()
    late: tuple[BeatScore, ...] = ()

    def totals(self) -> list[BeatTotal]:
        """Of each group of records of which one was run, then of their noisy minutes."""
        noisy = [*self._grouped(self.noisy, NOISY), *self._grouped(self.late, LATE)]
        return [*self._grouped(self.scores, ""), *noisy]

    def _grouped(self, scores: tuple[BeatScore, ...], suffix: str) -> list[BeatTotal]:
        names = groups(self.db.name, self.db.every)
        members = [(group.name, [s for s in scores if s.name in group.records]) for group in names]
        return [total(name + suffix, held) for name, held in members if held]


def engine_detector(name: EngineName = "fast", block_s: float = 1.0) -> Detector:
    """Our own engine, streaming, as a detector of R peaks."""
    return lambda record: answers(record, name, block_s).beats["r_index"]


def run_beats(db: Database, condition: Condition, detect: Detector) -> BeatRun:
    """Every chosen record under a condition. In nstdb the noise is there already, in the same minutes."""
    scores, noisy, late = [], [], []
    for name in db.chosen:
        put = annotated(db.folder / name, condition)
        found, rate_hz = detect(put.record), put.record.rate_hz
        scores.append(score_beats(name, put.reference, found, rate_hz))
        if condition.noise is not None or db.name == "nstdb":
            within = noisy_stretches(put.record)
            behind = tuple(stretch for stretch in within if 2 * stretch.begin >= put.record.count)
            noisy.append(score_beats(name, put.reference, found, rate_hz, within))
            late.append(score_beats(name, put.reference, found, rate_hz, behind))
    return BeatRun(condition.name, db, tuple(scores), tuple(noisy), tuple(late))
