"""Beat detection against annotated databases: Se and PPV at ±150 ms, per record and in total."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import wfdb
from numpy.typing import NDArray

from processors.ecg.engines import EngineName, engine
from schemas.samples import LEADS, SampleBlock

Positions = NDArray[np.int64]

WINDOW_S = 0.15
"""ANSI/AAMI EC57: a detection belongs to a beat at most this far from it."""
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
MITDB_TRAIN = frozenset(
    "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split()  # noqa: SIM905  # as the paper lists them
)
MITDB_TEST = frozenset(
    "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split()  # noqa: SIM905  # as the paper lists them
)
"""DS1 and DS2 of de Chazal et al. 2004; the four paced records are in neither."""


@dataclass(frozen=True, slots=True)
class Score:
    """Beats found, invented and missed; `offset_ms` is the median of detection minus annotation."""

    record: str
    found: int
    false: int
    missed: int
    offset_ms: float | None = None

    @property
    def sensitivity(self) -> float:
        return 100.0 * self.found / max(1, self.found + self.missed)

    @property
    def predictivity(self) -> float:
        return 100.0 * self.found / max(1, self.found + self.false)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A record with its reference: int16 samples (leads, count), beat positions, stretches that don't count."""

    name: str
    rate_hz: float
    leads: tuple[str, ...]
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]
    beats: Positions
    left_out: tuple[tuple[int, int], ...]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="mitdb")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("LEADWIRE_TEST_DATA", "../shared/data")))
    parser.add_argument("--lead", type=int, default=None, help="one lead only (0 is the first); default: all together")
    parser.add_argument("--engine", choices=("fast", "neurokit2"), default="fast")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    folder = options.data / options.db
    scores = [
        score(read(folder / name, options.lead), options.engine)
        for name in sorted(p.stem for p in folder.glob("*.hea"))
    ]
    if not scores:
        raise SystemExit(f"no WFDB record in {folder}; give the folder of the databases with --data")
    sys.stdout.write(as_json(scores, options) if options.json else as_table(scores, options.db))


def read(path: Path, lead: int | None = None) -> Annotated:
    """A WFDB record and its `.atr`, one lead or all.

    Ventricular flutter and fibrillation (between `[` and `]`) is left out of the count, as EC57 does.
    """
    record = wfdb.rdrecord(str(path), physical=False)
    notes = wfdb.rdann(str(path), "atr")
    chosen = list(range(record.n_sig)) if lead is None else [lead]
    centred = (record.d_signal - np.array(record.baseline)).astype(np.int16).T[chosen]
    beats = [at for at, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol in BEAT_SYMBOLS]
    return Annotated(
        name=path.name,
        rate_hz=float(record.fs),
        leads=tuple(record.sig_name[i] for i in chosen),
        uv_per_lsb=tuple(1000.0 / record.adc_gain[i] for i in chosen),
        samples=np.ascontiguousarray(centred),
        beats=np.array(beats, np.int64),
        left_out=_flutter(notes),
    )


def _flutter(notes: Any) -> tuple[tuple[int, int], ...]:
    begun = None
    stretches = []
    for at, symbol in zip(notes.sample, notes.symbol, strict=True):
        if symbol == "[":
            begun = int(at)
        elif symbol == "]" and begun is not None:
            stretches.append((begun, int(at)))
            begun = None
    return tuple(stretches)


def blocks(record: Annotated, block_s: float = 1.0) -> Iterator[SampleBlock]:
    """The record as a device would send it."""
    unnamed = iter(("ECG1", "ECG2", "ECG3"))
    names = tuple(name if name in LEADS else next(unnamed) for name in record.leads)
    size = round(record.rate_hz * block_s)
    for first in range(0, record.samples.shape[1], size):
        yield SampleBlock(
            device_id=UUID(int=1),
            recording_id=UUID(int=2),
            first_index=first,
            started_at_us=round(first * 1_000_000 / record.rate_hz),
            rate_hz=record.rate_hz,
            leads=names,  # type: ignore[arg-type] # checked against LEADS above
            uv_per_lsb=record.uv_per_lsb,
            samples=record.samples[:, first : first + size],
        )


def detect(record: Annotated, name: EngineName = "fast") -> Positions:
    """R positions of the whole record, streamed in 1 s blocks; nothing is left out at the start."""
    chosen = engine(name)
    state = chosen.new_state()
    found = []
    for block in blocks(record):
        step = chosen.step([block], state)
        state = step.state
        found.append(step.results.beats["r_index"])
    found.append(chosen.close([UUID(int=1)], state).results.beats["r_index"])
    return np.concatenate(found)


def score(record: Annotated, name: EngineName = "fast") -> Score:
    found = detect(record, name)
    for begin, end in record.left_out:
        found = found[(found < begin) | (found > end)]
    return match(record.name, record.beats, found, WINDOW_S * record.rate_hz, record.rate_hz)


def match(name: str, reference: Positions, found: Positions, window: float, rate_hz: float) -> Score:
    """Pair each beat with at most one detection, both in order; a nearer partner that follows is preferred."""
    offsets: list[int] = []
    i = j = 0
    while i < len(reference) and j < len(found):
        away = int(found[j] - reference[i])
        if abs(away) > window:
            i, j = (i, j + 1) if away < 0 else (i + 1, j)
        elif j + 1 < len(found) and abs(found[j + 1] - reference[i]) < abs(away):
            j += 1
        elif i + 1 < len(reference) and abs(found[j] - reference[i + 1]) < abs(away):
            i += 1
        else:
            offsets.append(away)
            i, j = i + 1, j + 1
    hits = len(offsets)
    offset_ms = round(float(np.median(offsets)) * 1000 / rate_hz, 2) if offsets else None
    return Score(name, hits, len(found) - hits, len(reference) - hits, offset_ms)


def total(name: str, scores: Sequence[Score]) -> Score:
    """Gross: all beats of all records counted together."""
    return Score(name, sum(s.found for s in scores), sum(s.false for s in scores), sum(s.missed for s in scores))


def totals(scores: Sequence[Score], db: str) -> list[Score]:
    groups = [total("all", scores)]
    if db == "mitdb":
        groups.insert(0, total("DS1", [s for s in scores if s.record in MITDB_TRAIN]))
        groups.insert(1, total("DS2", [s for s in scores if s.record in MITDB_TEST]))
    return groups


def as_table(scores: Sequence[Score], db: str) -> str:
    lines = [f"{'record':8}{'found':>8}{'false':>7}{'missed':>7}{'Se %':>9}{'PPV %':>9}{'offset ms':>11}"]
    for s in [*scores, *totals(scores, db)]:
        offset = "" if s.offset_ms is None else f"{s.offset_ms:11.1f}"
        figures = f"{s.found:8}{s.false:7}{s.missed:7}{s.sensitivity:9.3f}{s.predictivity:9.3f}"
        lines.append(f"{s.record:8}{figures}{offset}")
    return "\n".join(lines) + "\n"


def as_json(scores: Sequence[Score], options: argparse.Namespace) -> str:
    def plain(s: Score) -> dict[str, Any]:
        return {**asdict(s), "sensitivity": round(s.sensitivity, 3), "predictivity": round(s.predictivity, 3)}

    return json.dumps(
        {
            "db": options.db,
            "lead": options.lead,
            "engine_version": engine(options.engine).version,
            "records": [plain(s) for s in scores],
            "totals": [plain(s) for s in totals(scores, options.db)],
        },
        indent=2,
    )


if __name__ == "__main__":
    main()
