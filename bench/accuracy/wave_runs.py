"""One pass over qtdb that scores boundaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal, TypeAlias

from bench.accuracy.answers import answers
from bench.accuracy.boundaries import PointScore, PointTotal, score_points, total_of_point
from bench.accuracy.databases import Database
from bench.accuracy.records import Record, read_record
from bench.accuracy.splits import groups
from bench.accuracy.waves import POINTS, Marks, aligned, marks_from, nearer, read_marks
from processors.ecg.engines import EngineName

Delineator: TypeAlias = Callable[[Record, int | None], Marks]
"""What is stated of a record, by one of its leads or (None) by all together."""
Protocol: TypeAlias = int | Literal["nearer lead", "all leads"]
"""One lead alone; each lead alone and of each point the mark nearer to the annotation; all together, one answer."""
PROTOCOLS: Final[tuple[Protocol, ...]] = ("nearer lead", 0, "all leads")


@dataclass(frozen=True, slots=True)
class WaveRecord:
    """The number of a record's annotated beats, and the scores of their points."""

    name: str
    beats: int
    points: tuple[PointScore, ...]


@dataclass(frozen=True, slots=True)
class WaveRun:
    """Boundaries under one protocol."""

    name: str
    db: Database
    records: tuple[WaveRecord, ...]

    def totals(self, group: str) -> list[PointTotal]:
        """Of each point in one group of records (see splits.py); empty when none of them was run."""
        names = next(g.records for g in groups(self.db.name, self.db.every) if g.name == group)
        records = [r for r in self.records if r.name in names]
        beats = sum(r.beats for r in records)
        return [total_of_point(p, beats, [s for r in records for s in r.points]) for p in POINTS] if records else []


def engine_delineator(name: EngineName = "fast", block_s: float = 1.0) -> Delineator:
    """Our own engine, streaming."""

    def delineate(record: Record, lead: int | None) -> Marks:
        return marks_from(answers(record if lead is None else record.only(lead), name, block_s).beats)

    return delineate


def run_waves(db: Database, protocol: Protocol, delineate: Delineator) -> WaveRun:
    """Every chosen record against its manual boundaries."""
    records = []
    for name in db.chosen:
        record, reference = read_record(db.folder / name), read_marks(db.folder / name)
        stated = _stated(record, reference, protocol, delineate)
        points = score_points(name, reference, stated, record.rate_hz)
        records.append(WaveRecord(name, len(reference), tuple(points)))
    return WaveRun(f"lead {protocol}" if isinstance(protocol, int) else protocol, db, tuple(records))


def _stated(record: Record, reference: Marks, protocol: Protocol, delineate: Delineator) -> Marks:
    """What the protocol takes as the answer, aligned with the reference."""

    def answer(lead: int | None) -> Marks:
        return aligned(reference, delineate(record, lead), record.rate_hz)

    if protocol == "all leads":
        return answer(None)
    if isinstance(protocol, int):
        return answer(protocol)
    return reduce(lambda one, other: nearer(reference, one, other), map(answer, range(len(record.leads))))
