"""The databases beside the repository, and which of their records to run over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.accuracy.records import record_names

ANNOTATORS: Final = {"mitdb": "atr", "nstdb": "atr", "qtdb": "q1c"}
"""The databases there is a measure for, and the file each is measured against."""


@dataclass(frozen=True, slots=True)
class Database:
    """Records of the folder `data`/`name`: all that are annotated, and those chosen."""

    data: Path
    name: str
    every: tuple[str, ...]
    chosen: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.data / self.name


def open_database(data: Path, name: str, chosen: Sequence[str] | None = None, first: int | None = None) -> Database:
    """All records, those named, or the first so many. Raises LookupError for a record that is not there."""
    every = tuple(record_names(data / name, ANNOTATORS[name]))
    if not every:
        raise LookupError(f"no annotated WFDB record in {data / name}; give the folder of the databases with --data")
    missing = sorted(set(chosen or ()) - set(every))
    if missing:
        raise LookupError(f"no record {', '.join(missing)} in {data / name}; there are {' '.join(every)}")
    return Database(data, name, every, tuple(chosen or every)[:first])
