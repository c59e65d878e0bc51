"""Class scores as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.accuracy.class_runs import ClassRun, split_groups
from bench.accuracy.classes import CLASSES, ClassScore, mean, total
from bench.accuracy.splits import Group
from bench.accuracy.tables import figure, table

ECTOPIC: Final = {"V": "VEB", "S": "SVEB"}
"""The classes EC57 asks figures of, and what it calls them."""


def totals_table(runs: Sequence[ClassRun]) -> str:
    """A row for each run and group of records: gross figures, then means over the records that have the class."""
    headings = ["run", "records", "number"]
    for name in ECTOPIC.values():
        headings += [f"{name}s", f"{name} Se %", f"{name} PPV %", "mean Se %", "mean PPV %"]
    rows = [
        _total_cells(run.name, group, run.of(group)) for run in runs for group in split_groups(run.db) if run.of(group)
    ]
    return table(headings, rows, words=2)


def confusion_table(run: ClassRun, group: Group) -> str:
    """Annotated classes down, told ones across, over the records of a group."""
    counts = total(group.name, run.of(group)).counts
    rows = [
        (name, *(str(value) for value in row))
        for name, row in zip([*CLASSES, "no beat"], counts, strict=True)
    ]  # fmt: skip
    return table(("annotated as", *(f"told as {name}" for name in CLASSES), "not found"), rows)


def records_table(run: ClassRun) -> str:
    """A row for each record."""
    headings = ["record"]
    for name in ECTOPIC.values():
        headings += [f"{name}s", "false", "missed", "Se %", "PPV %"]
    return table(headings, [(score.name, *_cells(score)) for score in run.scores])


def run_json(run: ClassRun) -> dict[str, Any]:
    return {
        "run": run.name,
        "records": [_plain(score) for score in run.scores],
        "totals": [_plain(total(group.name, run.of(group))) for group in split_groups(run.db) if run.of(group)],
    }


def _total_cells(run: str, group: Group, scores: Sequence[ClassScore]) -> tuple[str, ...]:
    gross = total(group.name, scores)
    cells = [run, group.name, str(len(scores))]
    for told in ECTOPIC:
        cells += [str(gross.beats(told)), figure(gross.sensitivity(told), 2), figure(gross.predictivity(told), 2)]
        cells.append(figure(mean([score.sensitivity(told) for score in scores]), 2))
        cells.append(figure(mean([score.predictivity(told) for score in scores]), 2))
    return tuple(cells)


def _cells(score: ClassScore) -> list[str]:
    cells = []
    for told in ECTOPIC:
        cells += [str(score.beats(told)), str(score.false(told)), str(score.missed(told))]
        cells += [figure(score.sensitivity(told), 2), figure(score.predictivity(told), 2)]
    return cells


def _plain(score: ClassScore) -> dict[str, Any]:
    told = {
        name: {
            "beats": score.beats(letter),
            "hits": score.hits(letter),
            "false": score.false(letter),
            "sensitivity": score.sensitivity(letter),
            "predictivity": score.predictivity(letter),
        }
        for letter, name in ECTOPIC.items()
    }
    return {"records": score.name, **told, "counts": score.counts.tolist()}
