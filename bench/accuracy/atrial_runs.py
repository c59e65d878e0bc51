"""Atrial fibrillation by time on mitdb and afdb, and record by record on challenge2017."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.accuracy.records import record_names
from bench.accuracy.rhythm_answers import RhythmAnswer, answer_of_beats, answer_of_signal
from bench.accuracy.spans import (
    EpisodeScore,
    TimeScore,
    score_episodes,
    score_time,
    stretches_of,
    total_episodes,
    total_time,
)
from bench.accuracy.splits import Group, chosen_on, groups
from bench.accuracy.verdicts import read_verdicts
from processors.ecg.engines import EngineName
from schemas.rhythms import ATRIAL_FIBRILLATION, ATRIAL_FLUTTER

GOOD_PART: Final = 0.3
"""A record of challenge2017 is called fibrillation when it is stated for more of it; chosen on the first half."""
LONG_S: Final = 30.0
"""Episodes shorter than this are not asked for: what guidelines call an episode."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is counted as what: annotators' labels against ours. Flutter is fibrillation or it is something else."""

    name: str
    annotated: frozenset[str]
    stated: frozenset[str]


READINGS: Final = (
    Reading("AF, flutter is not", frozenset({"AFIB"}), frozenset({ATRIAL_FIBRILLATION})),
    Reading("AF or flutter", frozenset({"AFIB", "AFL"}), frozenset({ATRIAL_FIBRILLATION, ATRIAL_FLUTTER})),
)


@dataclass(frozen=True, slots=True)
class RhythmScore:
    """Time and episodes (of 30 s and more) of a record, or of several."""

    time: TimeScore
    episodes: EpisodeScore


@dataclass(frozen=True, slots=True)
class VerdictScore:
    """Records of challenge2017 called fibrillation rightly and wrongly, and those missed."""

    name: str
    right: int
    wrong: int
    missed: int
    rest: int

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and predictivity, percent."""
        return 100.0 * 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def mitdb_answers(data: Path, name: EngineName = "fast", block_s: float = 1.0) -> list[RhythmAnswer]:
    return [answer_of_signal(data / "mitdb" / n, name, block_s) for n in record_names(data / "mitdb", "atr")]


def afdb_answers(data: Path) -> list[RhythmAnswer]:
    return [answer_of_beats(data / "afdb_ann" / n) for n in record_names(data / "afdb_ann", "qrs")]


def score(answer: RhythmAnswer, reading: Reading, as_streamed: bool) -> RhythmScore:
    annotated = stretches_of(answer.annotated, reading.annotated)
    told = answer.told(reading.stated, as_streamed)
    long = round(LONG_S * answer.rate_hz)
    return RhythmScore(
        score_time(answer.name, annotated, told, answer.count, answer.rate_hz),
        score_episodes(answer.name, annotated, told, long),
    )


def total(name: str, scores: Sequence[RhythmScore]) -> RhythmScore:
    return RhythmScore(total_time(name, (s.time for s in scores)), total_episodes(name, (s.episodes for s in scores)))


def groups_of(db: str, names: Collection[str]) -> list[Group]:
    """DS1, DS2, paced and all of mitdb; the two halves and all of the others."""
    if db == "mitdb":
        return groups(db, list(names))
    chosen, every = chosen_on(list(names)), frozenset(names)
    return [Group("chosen on", chosen), Group("held back", every - chosen), Group("all", every)]


def verdict_scores(data: Path, name: EngineName = "fast", block_s: float = 1.0) -> list[VerdictScore]:
    """Fibrillation against the rest, noise included, by the share of a record it is stated for."""
    verdicts = read_verdicts(data / "challenge2017")
    called = {n: _is_called(answer_of_signal(data / "challenge2017" / n, name, block_s)) for n in sorted(verdicts)}
    return [
        _verdict_score(group, {n: verdicts[n] == "A" for n in group.records}, called)
        for group in groups_of("challenge2017", list(verdicts))
    ]


def _is_called(answer: RhythmAnswer) -> bool:
    told = sum(stretch.end - stretch.begin for stretch in answer.told({ATRIAL_FIBRILLATION}, as_streamed=False))
    return told > GOOD_PART * answer.count


def _verdict_score(group: Group, truth: dict[str, bool], called: dict[str, bool]) -> VerdictScore:
    counts = {pair: sum((truth[n], called[n]) == pair for n in truth) for pair in _PAIRS}
    return VerdictScore(group.name, *(counts[pair] for pair in _PAIRS))


_PAIRS: Final = ((True, True), (False, True), (True, False), (False, False))
"""Truth and call, in the order of VerdictScore."""
