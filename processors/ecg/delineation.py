"""The waves of one beat: P, QRS and T boundaries and peaks in its windows; what is not there is left out."""

from __future__ import annotations

from math import nan
from typing import Final

import numpy as np

from processors.ecg import delineation_weights as weights
from processors.ecg.kernel import Record, kernel
from processors.ecg.positions import (
    QRS_FIRST,
    QRS_PLACES,
    QRS_REACH,
    QRS_STEP,
    compress,
    next_qrs,
    see_p,
    see_qrs,
    see_t,
)
from processors.ecg.scores import likeliest, missing, place_three, score, settle
from processors.ecg.state import BEFORE, P_ONSET, QRS_OFFSET, QRS_ONSET, SPAN, T_ONSET
from processors.ecg.velocity import find_velocities, highest

QRS_SETTLE: Final = 8
P_SETTLE: Final = (8, 8, 8)
T_SETTLE: Final = (10, 6, 12)
"""A boundary is the mean place over what the network finds likely within so many places of the likeliest: 64 ms for the
QRS complex, 100 for P, 160 to 200 for T, whose ends are the less certain the flatter they are."""
P_GAP: Final = 2
T_GAP: Final = 2
P_ABSENT: Final = 0.5
T_ABSENT: Final = 0.5
SHORTEST: Final = 8
LONGEST: Final = 62
"""A QRS complex lasts 32 to 248 ms; anything else is not measured."""


@kernel
def delineate(work: Record, count: int) -> None:
    """Fill work.marks (points of the window, NaN = absent) from the first `count` windows.

    work.rr is the interval before the beat in points, work.p_like tells how far its P is that of the average.
    """
    work.marks[:] = nan
    find_velocities(work, count)
    top = highest(work.fast, BEFORE - QRS_REACH, BEFORE + QRS_REACH + 1)
    if top <= 0.0:
        return
    compress(work.fast, 0, SPAN, top, work.curve)
    see_qrs(work, -1)
    score(work, QRS_PLACES, weights.ONSET_ENTER, weights.ONSET_START, weights.ONSET_LEAVE, weights.ONSET_END)
    onset = BEFORE - edge_of(work)
    see_qrs(work, 1)
    score(work, QRS_PLACES, weights.OFFSET_ENTER, weights.OFFSET_START, weights.OFFSET_LEAVE, weights.OFFSET_END)
    offset = BEFORE + edge_of(work)
    if offset - onset < SHORTEST or offset - onset > LONGEST:
        return
    work.marks[QRS_ONSET] = onset
    work.marks[QRS_OFFSET] = offset
    first = int(np.rint(onset))
    end = int(np.rint(offset))
    following = next_qrs(work, top, end)
    possible = see_p(work, count, first, end, work.rr, work.p_like)
    score(work, in_eights(possible), weights.P_ENTER, weights.P_START, weights.P_LEAVE, weights.P_END)
    mark_wave(work, possible, P_ONSET, 2, 0, P_GAP, P_SETTLE, P_ABSENT)
    possible = see_t(work, count, first, end, following, work.rr)
    score(work, in_eights(possible), weights.T_ENTER, weights.T_START, weights.T_LEAVE, weights.T_END)
    mark_wave(work, possible, T_ONSET, 0, 2, T_GAP, T_SETTLE, T_ABSENT)


@kernel
def in_eights(places: int) -> int:
    """So many places or a few more: loops go in eights."""
    return (places + 7) // 8 * 8


@kernel
def edge_of(work: Record) -> float:
    """Distance of the QRS's edge from the middle, in points."""
    at = likeliest(work.scores[0], 0, QRS_PLACES)
    place = settle(work.scores[0], 0, QRS_PLACES, at, QRS_SETTLE)
    return QRS_FIRST + QRS_STEP * place


@kernel
def mark_wave(work: Record, possible: int, mark: int, first: int, last: int, gap: int, reach: tuple[int, int, int],
              absent: float) -> None:  # fmt: skip
    """Put the three boundaries of P or T in work.marks[mark:mark + 3] unless the wave is more likely not there."""
    if not place_three(work, possible, first, last, gap):
        return
    if missing(work.scores[1], possible) > absent:
        return
    way = work.places[1] - work.places[0]
    peak = settle(work.scores[1], work.chosen[first] + 1, work.chosen[last], work.chosen[1], reach[1])
    lower = settle(work.scores[first], 0, work.chosen[1], work.chosen[first], reach[first])
    higher = settle(work.scores[last], work.chosen[1] + 1, possible, work.chosen[last], reach[last])
    work.marks[mark + 1] = work.places[0] + way * peak
    work.marks[mark + first] = work.places[0] + way * min(lower, peak)
    work.marks[mark + last] = work.places[0] + way * max(higher, peak)
