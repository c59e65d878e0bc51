"""What kind of beat: a small trained network's answer to the beat's traits (docs/classifier.md)."""

from __future__ import annotations

from math import exp, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.ecg.class_inputs import describe_beat
from processors.ecg.class_weights import FIRST, LAST
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEAT_MASK, CLASS_ANSWERS, CLASS_N, CLASS_Q, CLASS_UNITS, TRAITS


@kernel
def answer(work: Record, count: int) -> None:
    """Fill work.answers with the log odds of each class, up to a common term: the mean over leads.

    FIRST is float32 (TRAITS + 1, UNITS), LAST (UNITS + 1, CLASS_ANSWERS); the last row of each holds offsets.
    """
    hidden = work.class_hidden
    for a in range(CLASS_ANSWERS):
        work.answers[a] = LAST[CLASS_UNITS, a]
    share = np.float32(1.0 / count)
    for k in range(count):
        x = work.traits[k]
        for h in range(CLASS_UNITS):
            hidden[h] = FIRST[TRAITS, h]
        for i in range(0, TRAITS, 4):
            a0 = x[i]
            a1 = x[i + 1]
            a2 = x[i + 2]
            a3 = x[i + 3]
            for h in range(CLASS_UNITS):
                hidden[h] += (a0 * FIRST[i, h] + a1 * FIRST[i + 1, h]) + (a2 * FIRST[i + 2, h] + a3 * FIRST[i + 3, h])
        for h in range(CLASS_UNITS):
            if hidden[h] > 0.0:
                for a in range(CLASS_ANSWERS):
                    work.answers[a] += share * hidden[h] * LAST[h, a]


@kernel
def certainty(work: Record, chosen: int) -> float:
    """The network's probability of the class chosen."""
    total = 0.0
    for a in range(CLASS_ANSWERS):
        total += exp(float(work.answers[a] - work.answers[chosen]))
    return 1.0 / total


@kernel
def classify(device: Record, leads: NDArray[Any], count: int, row: Record, alike: float, sure: float, quality: float,
             work: Record) -> None:  # fmt: skip
    """Fill the row's class (AAMI) and confidence from 0 to 100; `count` leads were gathered before.

    `alike` is the QRS's likeness to the running average, `sure` the detector's probability that there is a beat.
    """
    describe_beat(device, leads, count, row, alike, sure, quality, work)
    if quality <= 0.0:
        row.beat_class = CLASS_Q
        row.confidence = 0.0
        return
    answer(work, count)
    chosen = CLASS_N
    for a in range(1, CLASS_ANSWERS):
        if work.answers[a] > work.answers[chosen]:
            chosen = a
    row.beat_class = chosen
    row.confidence = 100.0 * quality * sure * certainty(work, chosen)


@kernel
def usual_rr(device: Record) -> float:
    """Median RR in ms of the last 8 beats that have one, 0 when fewer than 3 have."""
    return usual(device, device.beat_rr, 8)


@kernel
def usual(device: Record, values: NDArray[Any], most: int) -> float:
    """Median of the last `most` beats' values, those not NaN; 0 when fewer than 3 are there."""
    count = int(min(device.beats, most))
    found = 0
    for i in range(count):
        found += 0 if isnan(values[(device.beats - 1 - i) & BEAT_MASK]) else 1
    if found < 3:
        return 0.0
    for i in range(count):
        mine = values[(device.beats - 1 - i) & BEAT_MASK]
        below = 0
        for j in range(count):
            other = values[(device.beats - 1 - j) & BEAT_MASK]
            if other < mine or (other == mine and j < i):
                below += 1
        if below == (found - 1) // 2 and not isnan(mine):
            return float(mine)
    return 0.0
