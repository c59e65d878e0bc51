"""CSV recordings: a header of leads, one row per sample, time in the first column if there is one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.files.channels import quantise, uv_per_unit
from ingest.sources import RecordSource, source_of
from schemas.errors import Malformed

_TIME_S: Final = {"time": 1.0, "t": 1.0, "time_s": 1.0, "seconds": 1.0, "time_ms": 1e-3, "time_us": 1e-6}
_UNIT: Final = re.compile(r"^(?P<name>.*?)\s*(?:\((?P<a>[^()]*)\)|\[(?P<b>[^\[\]]*)\])\s*$")
_COMMENT_RATE: Final = re.compile(r"^#\s*rate_hz\s*[:=]\s*(?P<rate>\S+)\s*$", re.IGNORECASE)
_STEP_UV: Final = 1.0
"""Values are kept to 1 µV, coarser only beyond ±32.767 mV."""


@dataclass(frozen=True, slots=True)
class Table:
    """The header's names and the values, shape (rows, columns), NaN = empty."""

    header: tuple[str, ...]
    values: NDArray[np.float64]
    rate_hz: float | None


def read_csv(path: Path, *, rate_hz: float | None = None) -> RecordSource:
    """Read a recording from text.

    For instance::

        # rate_hz: 250
        time,II,V1 (uV)
        0.000,0.012,-35
        0.004,,-33

    Values are millivolts unless the header says otherwise (`uV`, `mV`, `V`); empty or `nan` is missing. The first
    column may be the time in seconds (`time_ms`, `time_us` likewise); the rate is `rate_hz`, else the comment's,
    else the time's, which must then be even. Raises Malformed, naming the line.
    """
    try:
        table = _table(path, path.read_text(encoding="utf-8-sig").splitlines())
    except UnicodeDecodeError:
        raise Malformed(f"{path} is no UTF-8 text; save it as CSV in UTF-8") from None
    timed = table.header[0].strip().lower() in _TIME_S
    names = table.header[1:] if timed else table.header
    values = table.values[:, 1:] if timed else table.values
    rate = rate_hz or table.rate_hz or (_rate(path, table) if timed else None)
    if rate is None:
        raise Malformed(f"{path} tells no rate; add a line `# rate_hz: 250` or a first column `time`, or give the rate")
    units = [_unit(name) for name in names]
    return source_of(
        path.stem,
        rate,
        [unit.name for unit in units],
        lambda index: quantise(values[:, index] * units[index].uv, _STEP_UV, units[index].name),
    )


def _table(path: Path, lines: list[str]) -> Table:
    comments = [line for line in lines if line.startswith("#")]
    rates = [match["rate"] for line in comments if (match := _COMMENT_RATE.match(line))]
    rows = csv.reader("" if line.startswith("#") else line for line in lines)
    numbered = ((number, row) for number, row in enumerate(rows, start=1) if row)
    _, header = next(numbered, (0, []))
    if not header:
        raise Malformed(f"{path} is empty; the first line names the leads, such as time,II,V1")
    values = np.array(list(_values(path, numbered, len(header))), dtype=np.float64).reshape(-1, len(header))
    return Table(tuple(header), values, _number(path, 1, rates[0]) if rates else None)


def _values(path: Path, rows: Iterable[tuple[int, list[str]]], width: int) -> Iterator[list[float]]:
    for number, row in rows:
        if len(row) != width:
            raise Malformed(
                f"{path} line {number} has {len(row)} values for {width} columns; leave a missing one empty"
            )
        yield [_number(path, number, text) if text.strip() else np.nan for text in row]


def _number(path: Path, line: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Malformed(f"{path} line {line} has {text[:40]!r}; write numbers with a decimal point") from None


def _rate(path: Path, table: Table) -> float:
    time_s = table.values[:, 0] * _TIME_S[table.header[0].strip().lower()]
    steps = np.diff(time_s)
    if len(steps) == 0 or not np.all(np.isfinite(steps)) or time_s[-1] <= time_s[0]:
        raise Malformed(f"{path}: the time column does not go forward; correct it, or give the rate")
    mean = float(time_s[-1] - time_s[0]) / len(steps)
    if float(np.max(np.abs(steps - mean))) > mean / 2:
        raise Malformed(f"{path}: the time column has jumps; fill them with empty rows, or give the rate")
    return round(1 / mean, 3)


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str
    uv: float


def _unit(header: str) -> _Unit:
    match = _UNIT.match(header)
    if match is None:
        return _Unit(header.strip(), 1000.0)
    factor = uv_per_unit(match["a"] or match["b"] or "mV")
    if factor is None:
        raise Malformed(f"column {header!r} is no voltage; use (uV), (mV) or (V), or drop the column")
    return _Unit(match["name"], factor)
