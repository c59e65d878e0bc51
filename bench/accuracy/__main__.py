"""`python -m bench.accuracy`: tables of how well the engine finds beats and boundaries."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.accuracy import beat_tables, class_tables, wave_tables
from bench.accuracy.atrial_sections import atrial_section
from bench.accuracy.beat_runs import engine_detector, run_beats
from bench.accuracy.conditions import Condition
from bench.accuracy.databases import ANNOTATORS, Database, open_database
from bench.accuracy.day import day_section
from bench.accuracy.pages import Section, write
from bench.accuracy.records import data_folder
from bench.accuracy.sections import (
    BEAT_SECTIONS,
    CLASSES,
    Asked,
    beat_section,
    class_runs,
    class_section,
    made_by,
    protocol_parts,
    sections,
)
from bench.accuracy.ventricular_sections import ventricular_section
from bench.accuracy.wave_runs import PROTOCOLS, Protocol, engine_delineator, run_waves

RHYTHMS: Final[dict[str, Callable[[Path, Asked], Section]]] = {
    "af": atrial_section,
    "vfdb": ventricular_section,
    "day": day_section,
}
"""Rhythms there is a section for, each over the databases that have it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for, print it, and write it into docs/accuracy.md if told to."""
    parser = _parser()
    options = parser.parse_args(arguments)
    fixed_only = not (_is_one(options) or options.records or options.json)
    every = [*sorted(ANNOTATORS), CLASSES, *(RHYTHMS if fixed_only else ())]
    if options.db == CLASSES and _is_one(options):
        parser.error("classes are told of the first lead and of all, as recorded; leave out --lead, --rate and --noise")
    if options.write and (_is_one(options) or options.records):
        parser.error("--write takes whole standard runs only; leave out --lead, --rate, --noise and --records")
    if options.db in RHYTHMS and not fixed_only:
        parser.error(f"--db {options.db} is one fixed run; leave out --lead, --rate, --noise, --records and --json")
    for name in every if options.db == "all" else [options.db]:
        try:
            _run(name, options)
        except LookupError as error:
            parser.error(str(error))


def _run(name: str, options: argparse.Namespace) -> None:
    asked = Asked(_command(name, options), options.engine, options.block_s)
    if name in RHYTHMS:
        _tell([RHYTHMS[name](options.data, asked)], options)
        return
    db = open_database(options.data, "mitdb" if name == CLASSES else name, options.records)
    if options.json:
        told = _classes_json(db, asked) if name == CLASSES else _as_json(db, asked, options)
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    _tell(_sections(name, db, asked, options), options)


def _tell(made: Iterable[Section], options: argparse.Namespace) -> None:
    for section in made:
        sys.stdout.write(section.as_text() + "\n")
        if options.write:
            write(section)


def _sections(name: str, db: Database, asked: Asked, options: argparse.Namespace) -> Iterable[Section]:
    if name == CLASSES:
        return [class_section(class_runs(db, asked), asked)]
    return _one_section(db, asked, options) if _is_one(options) else sections(db, asked)


def _classes_json(db: Database, asked: Asked) -> dict[str, Any]:
    runs = [class_tables.run_json(run) for run in class_runs(db, asked)]
    return {"db": CLASSES, "engine_version": asked.version, "runs": runs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("--db", choices=[*ANNOTATORS, CLASSES, *RHYTHMS, "all"], default="mitdb")
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--records", nargs="+", help="these records only")
    parser.add_argument("--engine", choices=("fast", "neurokit2"), default="fast")
    parser.add_argument(
        "--block-s", type=float, default=1.0, help="length of the blocks sent; results don't depend on it"
    )
    one = parser.add_argument_group("one run instead of the standard ones")
    one.add_argument("--lead", type=int, help="this lead only (0 is the first); default: all together")
    one.add_argument("--rate", type=float, help="resampled to so many Hz")
    one.add_argument("--noise", choices=("bw", "em", "ma"), help="mixed in as nstdb was made")
    one.add_argument("--snr", type=float, default=6.0, help="signal to noise ratio in dB")
    parser.add_argument("--json", action="store_true", help="one JSON object per database, with every record")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/accuracy.md")
    return parser


def _is_one(options: argparse.Namespace) -> bool:
    return any(option is not None for option in (options.lead, options.rate, options.noise))


def _command(name: str, options: argparse.Namespace) -> str:
    """What to type for the same again."""
    told = {
        "records": " ".join(options.records or ()),
        "lead": options.lead,
        "rate": options.rate,
        "noise": options.noise,
    }
    told |= {"snr": options.snr} if options.noise else {}
    told |= {"engine": options.engine} if options.engine != "fast" else {}
    chosen = [f"--{option} {value}" for option, value in told.items() if value not in {None, ""}]
    return " ".join(["python -m bench.accuracy --db", name, *chosen]) if chosen else f"make accuracy DB={name}"


def _condition(options: argparse.Namespace) -> Condition:
    return Condition(options.lead, options.rate, options.noise, options.snr)


def _protocol(options: argparse.Namespace) -> Protocol:
    if options.rate is not None or options.noise is not None:
        _parser().error("boundaries are annotated at qtdb's own rate without noise; leave out --rate and --noise")
    return "all leads" if options.lead is None else int(options.lead)


def _one_section(db: Database, asked: Asked, options: argparse.Namespace) -> list[Section]:
    if db.name == "qtdb":
        run = run_waves(db, _protocol(options), engine_delineator(asked.engine, asked.block_s))
        return [Section(db.name, made_by(asked), tuple(protocol_parts(run)))]
    return [
        beat_section(db.name, [run_beats(db, _condition(options), engine_detector(asked.engine, asked.block_s))], asked)
    ]


def _as_json(db: Database, asked: Asked, options: argparse.Namespace) -> dict[str, Any]:
    about = {"db": db.name, "engine_version": asked.version}
    if db.name == "qtdb":
        delineate = engine_delineator(asked.engine, asked.block_s)
        protocols = [_protocol(options)] if _is_one(options) else PROTOCOLS
        waves = [wave_tables.run_json(run_waves(db, protocol, delineate)) for protocol in protocols]
        return {**about, **waves[0]} if _is_one(options) else {**about, "runs": waves}
    detect = engine_detector(asked.engine, asked.block_s)
    if _is_one(options):
        return {**about, **beat_tables.run_json(run_beats(db, _condition(options), detect))}
    conditions = [condition for each in BEAT_SECTIONS[db.name].values() for condition in each]
    return {**about, "runs": [beat_tables.run_json(run_beats(db, condition, detect)) for condition in conditions]}


if __name__ == "__main__":
    main()
