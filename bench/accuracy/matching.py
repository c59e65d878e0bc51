"""Which detection belongs to which annotated beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.accuracy.references import Positions

WINDOW_S: Final = 0.15
"""ANSI/AAMI EC57: a detection belongs to a beat at most this far from it."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions in the reference and in the answer that belong together, in order, each at most once."""

    reference: Positions
    found: Positions


def pairs(reference: Positions, found: Positions, window: float) -> Pairs:
    """Pair annotated beats with detections, both sorted, `window` in samples.

    The rule of EC57's comparator (WFDB's bxb): the earlier of the two is paired with the other when that is within the
    window and nearer than what follows the other; else the earlier has no partner.
    """
    beats, marks = reference.tolist(), found.tolist()
    paired: list[tuple[int, int]] = []
    i = j = 0
    while i < len(beats) and j < len(marks):
        away = abs(marks[j] - beats[i])
        mark_is_first = marks[j] < beats[i]
        if mark_is_first:
            rival = abs(marks[j + 1] - beats[i]) if j + 1 < len(marks) else np.inf
        else:
            rival = abs(marks[j] - beats[i + 1]) if i + 1 < len(beats) else np.inf
        if away <= window and away < rival:
            paired.append((i, j))
            i, j = i + 1, j + 1
        elif mark_is_first:
            j += 1
        else:
            i += 1
    both = np.array(paired, np.int64).reshape(-1, 2)
    return Pairs(both[:, 0], both[:, 1])
