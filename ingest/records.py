"""Recordings from files: WFDB, EDF or CSV, by the name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ingest.files.csv_file import read_csv
from ingest.files.edf_file import read_edf
from ingest.files.wfdb_file import read_wfdb
from ingest.sources import RecordSource
from schemas.errors import NotFound

_EDF_SUFFIXES: Final = frozenset({".edf", ".bdf", ".rec"})
_CSV_SUFFIXES: Final = frozenset({".csv"})


def read_record(path: Path | str, *, rate_hz: float | None = None) -> RecordSource:
    """The recording at `path`: `x.edf`, `x.csv`, or a WFDB record named `x`, `x.hea` or `x.dat`.

    `rate_hz` is for a CSV file that doesn't tell its own. Raises NotFound or Malformed. Takes seconds for
    a long file: call it in a thread when an event loop runs.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _EDF_SUFFIXES | _CSV_SUFFIXES and not path.is_file():
        raise NotFound(f"no file {path}; give the path of a WFDB, EDF or CSV recording")
    if suffix in _EDF_SUFFIXES:
        return read_edf(path)
    if suffix in _CSV_SUFFIXES:
        return read_csv(path, rate_hz=rate_hz)
    return read_wfdb(path)
