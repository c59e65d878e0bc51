"""Boundaries and peaks of waves: as cardiologists marked them, and as an engine states them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from bench.accuracy.matching import WINDOW_S, pairs
from bench.accuracy.references import BEAT_SYMBOLS

POINTS: Final = (
    "p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak", "t_offset",
)  # fmt: skip
MARKS: Final = np.dtype([("r_index", "i8"), *[(point, "i8") for point in POINTS]])
"""A beat: its R peak, and sample positions, -1 where there is none. An engine's rows have columns of the same names."""
Marks = NDArray[Any]

ABSENT: Final = -1
_P, _T = "p", "t"


def read_marks(path: Path, annotator: str = "q1c") -> Marks:
    """The annotated beats of a record.

    The file is a sequence of waves, `p`, a beat's symbol, `t` or `u`, each with `(` before and `)` behind it where its
    boundary was marked; the T wave often has no onset. A P wave belongs to the beat that follows, a T wave to the one
    before; U waves are skipped, no engine is asked for them.
    """
    notes = wfdb.rdann(str(path), annotator)
    return marks_of(list(notes.symbol), notes.sample.tolist())


def marks_of(symbols: list[str], positions: list[int]) -> Marks:
    """As `read_marks`, of the annotations' symbols and positions."""
    rows: list[dict[str, int]] = []
    p_wave: dict[str, int] = {}
    for at, symbol in enumerate(symbols):
        before = positions[at - 1] if at and symbols[at - 1] == "(" else ABSENT
        behind = positions[at + 1] if at + 1 < len(symbols) and symbols[at + 1] == ")" else ABSENT
        if symbol == _P:
            p_wave = {"p_onset": before, "p_peak": positions[at], "p_offset": behind}
        elif symbol in BEAT_SYMBOLS:
            rows.append({"r_index": positions[at], "qrs_onset": before, "qrs_offset": behind, **p_wave})
            p_wave = {}
        elif symbol == _T and rows:
            rows[-1] |= {"t_onset": before, "t_peak": positions[at], "t_offset": behind}
    return np.array([tuple(row.get(name, ABSENT) for name in MARKS.names or ()) for row in rows], MARKS)


def marks_from(beats: NDArray[Any]) -> Marks:
    """The engine's rows, of them these columns."""
    marks = np.empty(len(beats), MARKS)
    for name in MARKS.names or ():
        marks[name] = beats[name]
    return marks


def aligned(reference: Marks, stated: Marks, rate_hz: float) -> Marks:
    """For each annotated beat what was stated of its partner, the beat paired with it within ±150 ms, or nothing."""
    marks = np.full(len(reference), ABSENT, np.int64).astype(MARKS)
    paired = pairs(reference["r_index"], stated["r_index"], WINDOW_S * rate_hz)
    marks[paired.reference] = stated[paired.found]
    return marks


def nearer(reference: Marks, first: Marks, second: Marks) -> Marks:
    """Point by point whichever of two aligned answers is nearer to the annotation; what is not annotated, if either."""
    marks = first.copy()
    for point in POINTS:
        target, one, other = reference[point], first[point], second[point]
        better = (other >= 0) & ((one < 0) | (np.abs(other - target) < np.abs(one - target)))
        marks[point] = np.where(better, other, one)
    return marks


def shifted(marks: Marks, by: int) -> Marks:
    """The marks `by` samples later."""
    moved = marks.copy()
    for name in MARKS.names or ():
        moved[name][marks[name] >= 0] += by
    return moved
