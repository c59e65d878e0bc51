"""The standard runs over each database, and the section of the page that each fills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.accuracy import beat_tables, class_tables, wave_tables
from bench.accuracy.beat_runs import BeatRun, engine_detector, run_beats
from bench.accuracy.class_runs import ClassRun, run_classes, split_groups
from bench.accuracy.conditions import Condition
from bench.accuracy.databases import Database
from bench.accuracy.pages import Part, Section
from bench.accuracy.splits import groups
from bench.accuracy.wave_runs import PROTOCOLS, WaveRun, engine_delineator, run_waves
from processors.ecg.engines import EngineName, engine


@dataclass(frozen=True, slots=True)
class Asked:
    """By which command, the engine under test, and how long the blocks are that it is sent."""

    command: str
    engine: EngineName = "fast"
    block_s: float = 1.0

    @property
    def version(self) -> str:
        return engine(self.engine).version


BEAT_SECTIONS: Final[dict[str, dict[str, tuple[Condition, ...]]]] = {
    "mitdb": {
        "mitdb": (Condition(lead=0), Condition()),
        "mitdb-250": (Condition(lead=0, rate_hz=250.0), Condition(rate_hz=250.0)),
        "mitdb-noise": tuple(Condition(lead, None, "em", snr_db) for snr_db in (6.0, 0.0) for lead in (0, None)),
    },
    "nstdb": {"nstdb": (Condition(lead=0), Condition())},
}
CLASSES: Final = "classes"
"""The section of beat classes; its records are mitdb's."""
_RECORD_BY_RECORD: Final = frozenset({"mitdb", "nstdb"})
"""Sections with a table of the records beside the totals."""


def sections(db: Database, asked: Asked) -> Iterator[Section]:
    """Run what the page says of a database, section by section."""
    if db.name == "qtdb":
        yield wave_section(db, asked)
    for name, conditions in BEAT_SECTIONS.get(db.name, {}).items():
        runs = [run_beats(db, condition, engine_detector(asked.engine, asked.block_s)) for condition in conditions]
        yield beat_section(name, runs, asked)


def beat_section(name: str, runs: list[BeatRun], asked: Asked) -> Section:
    """Totals of each run; the records' scores folded."""
    parts = [Part("Totals", beat_tables.totals_table(runs))]
    for run in runs if name in _RECORD_BY_RECORD else []:
        parts.append(Part(f"Each record, {run.name}", beat_tables.records_table(run), folded=True))
        if run.noisy:
            parts.append(Part(f"Each record, {run.name}, noisy minutes", beat_tables.noisy_table(run), folded=True))
    return Section(name, made_by(asked), tuple(parts))


def class_section(runs: Sequence[ClassRun], asked: Asked) -> Section:
    """Totals of each run, which class was told as which, and the records' scores folded."""
    parts = [Part("Totals", class_tables.totals_table(runs))]
    for run in runs:
        there = [group for group in split_groups(run.db) if run.of(group)]
        parts += [Part(f"{g.name}, {run.name}", class_tables.confusion_table(run, g), folded=True) for g in there]
        parts.append(Part(f"Each record, {run.name}", class_tables.records_table(run), folded=True))
    return Section(CLASSES, made_by(asked), tuple(parts))


def class_runs(db: Database, asked: Asked) -> list[ClassRun]:
    """The first lead alone, then all leads."""
    return [run_classes(db, lead, asked.engine, asked.block_s) for lead in (0, None)]


def wave_section(db: Database, asked: Asked) -> Section:
    """Three protocols, each for the half held back, the half chosen on and all; the records under the last protocol."""
    runs = [run_waves(db, protocol, engine_delineator(asked.engine, asked.block_s)) for protocol in PROTOCOLS]
    parts = [part for run in runs for part in protocol_parts(run)]
    each = Part(f"Each record, {runs[-1].name}", wave_tables.records_table(runs[-1]), folded=True)
    return Section(db.name, made_by(asked), (*parts, each))


def protocol_parts(run: WaveRun) -> list[Part]:
    """A table for each group of records that one was run of."""
    names = [group.name for group in groups(run.db.name, run.db.every)]
    return [Part(f"{run.name}, {name}", wave_tables.totals_table(run, name)) for name in names if run.totals(name)]


def made_by(asked: Asked) -> str:
    """The line above a section's tables."""
    return f"`{asked.command}`, engine {asked.version}"
