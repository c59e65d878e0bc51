"""Everybody on the same recordings: Leadwire streaming, the peers off-line, what each said and how long it took."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import numpy as np

from bench.accuracy.answers import answers
from bench.accuracy.records import Record
from bench.accuracy.waves import ABSENT, MARKS, Marks, marks_from
from bench.peers import kept
from bench.peers.catalogue import Peer
from bench.peers.subprocesses import PeerProcess, hand_over

OURS: Final = "leadwire"
Leads: TypeAlias = tuple[int | None, ...]


@dataclass(slots=True)
class Entry:
    """What one entrant said: marks by record and lead (None: all together); `failed` tells the reason by record."""

    name: str
    version: str = ""
    cpu_s: float = 0.0
    samples: int = 0
    marks: dict[tuple[str, int | None], Marks] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def samples_per_s(self) -> float:
        """Of one lead, per second of CPU time."""
        return self.samples / max(self.cpu_s, 1e-9)

    def add(self, record: Record, lead: int | None, marks: Marks, cpu_s: float) -> None:
        self.marks[record.name, lead] = marks
        self.cpu_s += cpu_s
        self.samples += record.count * (len(record.leads) if lead is None else 1)


def ours(records: Sequence[Record], leads: Leads) -> Entry:
    """The engine, streaming in blocks of 1 s."""
    entry = Entry(OURS)
    answers(records[0].only(0))  # compiles, or loads from the cache
    for record in records:
        for lead in leads:
            found = answers(record if lead is None else record.only(lead))
            entry.version = found.engine_version
            entry.add(record, lead, marks_from(found.beats), found.cpu_s)
    return entry


def theirs(peers: Sequence[Peer], records: Sequence[Record], leads: Leads, jobs: int, reuse: bool) -> list[Entry]:
    """Each peer over all records, `jobs` at a time, with kept answers if `reuse`. Tells of each on standard error."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        files = {record.name: hand_over(record, Path(folder)) for record in records}
        return list(pool.map(partial(_one, records=records, leads=leads, files=files, reuse=reuse), peers))


def _one(peer: Peer, records: Sequence[Record], leads: Leads, files: dict[str, Path], reuse: bool) -> Entry:
    with PeerProcess(peer.name) as process:
        entry = Entry(peer.name, process.version)
        for record in records:
            for lead in leads:
                told = kept.read(peer.name, entry.version, record, lead) if reuse else None
                if told is None:
                    told = process.ask(files[record.name], lead)
                    kept.keep(peer.name, entry.version, record, lead, told)
                entry.add(record, lead, marks_of_columns(told["columns"]), told["cpu_s"])
                if told["error"]:
                    entry.failed[record.name] = told["error"]
    sys.stderr.write(f"{peer.name}: {entry.cpu_s:.0f} s, failed on {len(entry.failed)} of {len(records)} records\n")
    return entry


def marks_of_columns(columns: dict[str, list[int]]) -> Marks:
    """Beats in order; those without an R peak are none."""
    marks = np.full(len(columns["r_index"]), ABSENT, np.int64).astype(MARKS)
    for name, column in columns.items():
        marks[name] = column
    return np.sort(marks[marks["r_index"] >= 0], order="r_index")
