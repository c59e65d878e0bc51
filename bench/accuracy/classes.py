"""Classes of beats counted as ANSI/AAMI EC57 does: every annotated beat and every detection, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from bench.accuracy.matching import WINDOW_S, pairs
from bench.accuracy.references import BEAT_SYMBOLS, Positions, inside, read_reference

CLASSES: Final = "NSVFQ"
NOTHING: Final = len(CLASSES)
"""Row of detections without a beat, column of beats without a detection."""
_SYMBOLS: Final = {"S": "AaJSn", "V": "VEr", "F": "F", "Q": "/fQ?"}
"""WFDB's symbols of a class; every other beat is N (EC57's table, with escape beats in N as de Chazal et al. 2004)."""
Counts = NDArray[np.int64]


def class_of(symbol: str) -> int:
    """Position in CLASSES of an annotation's class."""
    return next((CLASSES.index(name) for name, symbols in _SYMBOLS.items() if symbol in symbols), 0)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Positions of beats in order, and the class of each as its position in CLASSES."""

    at: Positions
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How often each annotated class (rows N S V F Q, nothing) was told as each (columns N S V F Q, nothing)."""

    name: str
    counts: Counts

    def beats(self, told: str) -> int:
        """Annotated beats of a class."""
        return int(self.counts[CLASSES.index(told)].sum())

    def hits(self, told: str) -> int:
        row = CLASSES.index(told)
        return int(self.counts[row, row])

    def missed(self, told: str) -> int:
        """Beats of the class that were told as another one or not found."""
        return self.beats(told) - self.hits(told)

    def false(self, told: str) -> int:
        """Other beats and false detections told as the class, less what EC57 exempts.

        An annotated F or Q told as V is no error of V, and an annotated Q told as S none of S.
        """
        column = self.counts[:, CLASSES.index(told)].copy()
        for exempt in {"V": "VFQ", "S": "SQ"}.get(told, told):
            column[CLASSES.index(exempt)] = 0
        return int(column.sum())

    def sensitivity(self, told: str) -> float | None:
        return 100.0 * self.hits(told) / self.beats(told) if self.beats(told) else None

    def predictivity(self, told: str) -> float | None:
        stated = self.hits(told) + self.false(told)
        return 100.0 * self.hits(told) / stated if stated else None


def read_classes(path: Path) -> Labelled:
    """The annotated beats of a record and their classes, ventricular flutter left out."""
    notes = wfdb.rdann(str(path), "atr")
    held = [(at, class_of(s)) for at, s in zip(notes.sample, notes.symbol, strict=True) if s in BEAT_SYMBOLS]
    both = np.array(held, np.int64).reshape(-1, 2)
    kept = ~inside(both[:, 0], read_reference(path).left_out)
    return Labelled(both[kept, 0], both[kept, 1])


def score_classes(name: str, annotated: Labelled, told: Labelled, rate_hz: float) -> ClassScore:
    """Pair beats at ±150 ms and count; detections in stretches that are left out must have been taken away before."""
    paired = pairs(annotated.at, told.at, WINDOW_S * rate_hz)
    counts = np.zeros((NOTHING + 1, NOTHING + 1), np.int64)
    np.add.at(counts, (annotated.classes[paired.reference], told.classes[paired.found]), 1)
    counts[:NOTHING, NOTHING] = np.bincount(np.delete(annotated.classes, paired.reference), minlength=NOTHING)
    counts[NOTHING, :NOTHING] = np.bincount(np.delete(told.classes, paired.found), minlength=NOTHING)
    return ClassScore(name, counts)


def total(name: str, scores: Sequence[ClassScore]) -> ClassScore:
    """Records together, every beat counted once."""
    return ClassScore(name, np.sum([score.counts for score in scores], axis=0))


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that are there: a record without a class has no figure of it."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
