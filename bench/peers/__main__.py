"""`python -m bench.peers`: the open libraries and Leadwire through one scorer in one run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.accuracy import beat_tables, wave_tables
from bench.accuracy.beat_runs import run_beats
from bench.accuracy.conditions import Condition, annotated
from bench.accuracy.databases import ANNOTATORS, Database, open_database
from bench.accuracy.pages import Section, write
from bench.accuracy.records import Record, data_folder, read_record
from bench.accuracy.references import Positions
from bench.accuracy.wave_runs import Protocol, run_waves
from bench.accuracy.waves import Marks, read_marks, shifted
from bench.peers import tables
from bench.peers.catalogue import ALL, DELINEATORS, DETECTORS, SLOW, Peer
from bench.peers.contest import Entry, ours, theirs
from bench.peers.subprocesses import PYTHON


@dataclass(frozen=True, slots=True)
class Outcome:
    """For the page, and as JSON."""

    section: Section
    plain: dict[str, Any]


_FIRST_LEAD: Final = Condition(lead=0)
_PROTOCOLS: Final[tuple[Protocol, ...]] = ("nearer lead", 0)
_AROUND_S: Final = 60.0
"""Before and behind a record's annotated beats, most often half a minute of 15; one peer needs a core for as long."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run everybody, print the tables, and write them into docs/accuracy.md if told to."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not PYTHON.exists():
        parser.error(f"there is no {PYTHON}; `make peers` makes the peers' environment")
    if options.write and (options.peers or options.records):
        parser.error("--write takes whole runs only; leave out --peers and --records")
    for name in sorted(ANNOTATORS) if options.db == "all" else [options.db]:
        try:
            db = open_database(options.data, name, first=options.records)
        except LookupError as error:
            parser.error(str(error))
        outcome = _waves(db, options) if name == "qtdb" else _beats(db, options)
        sys.stdout.write((json.dumps(outcome.plain, indent=2) if options.json else outcome.section.as_text()) + "\n")
        if options.write:
            write(outcome.section)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--db", choices=[*ANNOTATORS, "all"], default="mitdb")
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--records", type=int, help="only the first so many")
    parser.add_argument("--peers", nargs="+", choices=sorted(ALL), metavar="NAME", help="only these")
    parser.add_argument("--jobs", type=int, default=1, help="peers at a time; speeds are CPU time")
    parser.add_argument("--slow", action="store_true", help="on mitdb, the slowest methods too")
    parser.add_argument("--reuse", action="store_true", help="take what peers said of the same samples in earlier runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/accuracy.md")
    return parser


def _beats(db: Database, options: argparse.Namespace) -> Outcome:
    records = [annotated(db.folder / name, _FIRST_LEAD).record for name in db.chosen]
    entries = [
        ours(records, (0,)),
        *theirs(_chosen(DETECTORS, db, options), records, (0,), options.jobs, options.reuse),
    ]
    runs = [run_beats(db, _FIRST_LEAD, partial(_positions, entry)) for entry in entries]
    plain = [{**tables.entry_json(e), **beat_tables.run_json(run)} for e, run in zip(entries, runs, strict=True)]
    return Outcome(
        tables.beat_section(db.name, _command(db, options), entries, runs), {"db": db.name, "entries": plain}
    )


def _waves(db: Database, options: argparse.Namespace) -> Outcome:
    begins, records = {}, []
    for name in db.chosen:
        record, beats = read_record(db.folder / name), read_marks(db.folder / name)["r_index"]
        around = round(_AROUND_S * record.rate_hz)
        begins[name] = max(0, int(beats[0]) - around)
        records.append(record.excerpt(begins[name], int(beats[-1]) + around))
    peers = _chosen(DELINEATORS, db, options)
    entries = [ours(records, (0, 1)), *theirs(peers, records, (0, 1), options.jobs, options.reuse)]
    runs = {p: [run_waves(db, p, partial(_placed, entry, begins)) for entry in entries] for p in _PROTOCOLS}
    plain = [
        {**tables.entry_json(entry), "runs": [wave_tables.run_json(held[i]) for held in runs.values()]}
        for i, entry in enumerate(entries)
    ]
    section = tables.wave_section(db.name, _command(db, options), entries, list(runs.values()))
    return Outcome(section, {"db": db.name, "entries": plain})


def _chosen(peers: Sequence[Peer], db: Database, options: argparse.Namespace) -> list[Peer]:
    if options.peers:
        return [peer for peer in peers if peer.name in options.peers]
    return [peer for peer in peers if options.slow or db.name != "mitdb" or peer.name not in SLOW]


def _positions(entry: Entry, record: Record) -> Positions:
    return entry.marks[record.name, 0]["r_index"]


def _placed(entry: Entry, begins: dict[str, int], record: Record, lead: int | None) -> Marks:
    """What was said of the excerpt, in positions of the record."""
    return shifted(entry.marks[record.name, lead], begins[record.name])


def _command(db: Database, options: argparse.Namespace) -> str:
    return f"make peers DB={db.name}{' SLOW=1' if options.slow else ''}{' REUSE=1' if options.reuse else ''}"


if __name__ == "__main__":
    main()
