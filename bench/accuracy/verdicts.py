"""Databases that say one thing of a whole record: challenge2017."""

from __future__ import annotations

import csv
from pathlib import Path


def read_verdicts(folder: Path) -> dict[str, str]:
    """N, A, O or ~ of each record. Raises LookupError when the folder has no REFERENCE.csv."""
    path = folder / "REFERENCE.csv"
    if not path.exists():
        raise LookupError(f"no {path}; give the folder of the databases with --data")
    with path.open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}
