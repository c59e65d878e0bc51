"""What the annotators of a database marked: beats, and the stretches that don't count."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

Positions = NDArray[np.int64]

BEAT_SYMBOLS: Final = frozenset("NLRBAaJSVrFejnE/fQ?")
_NORMAL_SYMBOLS: Final = BEAT_SYMBOLS - frozenset("VFEr?")
"""All but ventricular and fusion beats: those that WFDB's sigamp measures a signal's amplitude on."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples from `begin` up to but not including `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Positions of the beats; which of them are normal; ventricular flutter, which EC57 leaves out."""

    beats: Positions
    normal: Positions
    left_out: tuple[Stretch, ...]


def read_reference(path: Path, annotator: str = "atr") -> Reference:
    """The beat annotations of a record, those between `[` and `]` left out."""
    notes = wfdb.rdann(str(path), annotator)
    left_out = _flutter(notes)
    beats = outside(_positions(notes, BEAT_SYMBOLS), left_out)
    return Reference(beats, outside(_positions(notes, _NORMAL_SYMBOLS), left_out), left_out)


def inside(positions: Positions, stretches: tuple[Stretch, ...]) -> NDArray[np.bool_]:
    """Which of the positions fall into one of the stretches."""
    held = np.zeros(len(positions), np.bool_)
    for stretch in stretches:
        held |= (positions >= stretch.begin) & (positions < stretch.end)
    return held


def outside(positions: Positions, stretches: tuple[Stretch, ...]) -> Positions:
    """The positions that fall into none of the stretches."""
    return positions[~inside(positions, stretches)]


def _positions(notes: Any, symbols: frozenset[str]) -> Positions:
    pairs = zip(notes.sample, notes.symbol, strict=True)
    return np.array([at for at, symbol in pairs if symbol in symbols], np.int64)


def _flutter(notes: Any) -> tuple[Stretch, ...]:
    begun = None
    stretches = []
    for at, symbol in zip(notes.sample, notes.symbol, strict=True):
        if symbol == "[":
            begun = int(at)
        elif symbol == "]" and begun is not None:
            stretches.append(Stretch(begun, int(at) + 1))
            begun = None
    return tuple(stretches)
