"""Scores of atrial fibrillation as tables."""

from __future__ import annotations

from collections.abc import Sequence

from bench.accuracy.atrial_runs import READINGS, Reading, RhythmScore, VerdictScore, groups_of, score, total
from bench.accuracy.rhythm_answers import RhythmAnswer
from bench.accuracy.tables import figure, table

_SCORED = ("AF s", "false s", "missed s", "Se %", "Sp %", "PPV %", "episodes", "Se %", "stated", "PPV %")


def totals_table(db: str, answers: Sequence[RhythmAnswer], readings: Sequence[Reading] = READINGS) -> str:
    """A row for each reading, way of telling and group of records."""
    rows = []
    for reading in readings:
        for way, as_streamed in (("episodes", False), ("as streamed", True)):
            scores = [score(answer, reading, as_streamed) for answer in answers]
            for group in groups_of(db, [answer.name for answer in answers]):
                held = [s for s in scores if s.time.name in group.records]
                if held:
                    rows.append((reading.name, way, group.name, *_cells(total(group.name, held))))
    return table(("counted", "told by", "records", *_SCORED), rows, words=3)


def records_table(answers: Sequence[RhythmAnswer], reading: Reading) -> str:
    """A row for each record, by its episodes."""
    scores = [score(answer, reading, as_streamed=False) for answer in answers]
    return table(("record", *_SCORED), [(s.time.name, *_cells(s)) for s in scores])


def verdicts_table(scores: Sequence[VerdictScore]) -> str:
    headings = ("records", "AF", "found", "false", "of others", "Se %", "PPV %", "F1 %")
    return table(headings, [_verdict_cells(s) for s in scores])


def _verdict_cells(s: VerdictScore) -> tuple[str, ...]:
    counts = (s.right + s.missed, s.right, s.wrong, s.wrong + s.rest)
    rates = (100 * s.right / max(1, s.right + s.missed), 100 * s.right / max(1, s.right + s.wrong), s.f1)
    return (s.name, *map(str, counts), *(figure(rate, 1) for rate in rates))


def _cells(both: RhythmScore) -> tuple[str, ...]:
    time, episodes = both.time, both.episodes
    seconds = (time.true_s + time.missed_s, time.false_s, time.missed_s)
    rates = (time.sensitivity, time.specificity, time.predictivity)
    return (
        *(figure(s, 0) for s in seconds),
        *(figure(rate, 1) for rate in rates),
        *(str(episodes.episodes), figure(episodes.sensitivity, 1), str(episodes.stated)),
        figure(episodes.predictivity, 1),
    )
