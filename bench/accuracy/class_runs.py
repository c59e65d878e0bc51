"""One pass over mitdb that scores classes of beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.accuracy.answers import answers
from bench.accuracy.classes import CLASSES, ClassScore, Labelled, read_classes, score_classes
from bench.accuracy.databases import Database
from bench.accuracy.records import Record, read_record
from bench.accuracy.references import inside, read_reference
from bench.accuracy.splits import PACED, Group, groups
from processors.ecg.engines import EngineName


@dataclass(frozen=True, slots=True)
class ClassRun:
    """Scores of each record; `lead` None is all leads together."""

    name: str
    db: Database
    scores: tuple[ClassScore, ...]

    def of(self, group: Group) -> list[ClassScore]:
        return [score for score in self.scores if score.name in group.records]


def split_groups(db: Database) -> list[Group]:
    """The training and the test records; EC57 leaves the paced ones out."""
    return [group for group in groups(db.name, db.every) if group.name in {"DS1", "DS2"}]


def run_classes(db: Database, lead: int | None, engine: EngineName, block_s: float) -> ClassRun:
    """Every chosen record but the paced ones, streamed through an engine that knows nothing of the patient."""
    names = [name for name in db.chosen if name not in PACED]
    scores = tuple(_scored(db, name, lead, engine, block_s) for name in names)
    return ClassRun("all leads" if lead is None else f"lead {lead}", db, scores)


def _scored(db: Database, name: str, lead: int | None, engine: EngineName, block_s: float) -> ClassScore:
    path = db.folder / name
    record = read_record(path)
    put: Record = record if lead is None else record.only(lead)
    beats = answers(put, engine, block_s).beats
    beats = beats[~inside(beats["r_index"], read_reference(path).left_out)]
    classes = np.array([CLASSES.index(told) for told in beats["beat_class"]], np.int64)
    return score_classes(name, read_classes(path), Labelled(beats["r_index"], classes), record.rate_hz)
