"""Training, leaving one patient out at a time, and what the engine's hysteresis makes of the odds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.ventricular.network import Lesson, Network, fitted
from processors.ecg.ventricular import CERTAIN, ENTER, GAIN, LEAVE


@dataclass(frozen=True, slots=True)
class Scored:
    """Seconds of a lesson that count: found, false, missed, rightly left; and false statements, however long."""

    patient: str
    group: str
    found: int
    false: int
    missed: int
    rest: int
    alarms: int


def cross_validated(lessons: Sequence[Lesson], seed: int, say: Callable[[str], None]) -> list[Scored]:
    """Each patient of vfdb scored by a network that knows the others; a sixth of the other patients is left out."""
    folds = sorted({lesson.patient for lesson in lessons if lesson.group == "vfdb"})
    others = sorted({lesson.patient for lesson in lessons} - set(folds))
    scored = []
    for fold, patient in enumerate(folds):
        left_out = {patient, *others[fold :: len(folds)]}
        network = fitted([lesson for lesson in lessons if lesson.patient not in left_out], seed)
        scored += [score(lesson, network) for lesson in lessons if lesson.patient in left_out]
        say(f"without {patient}")
    return scored


def score(lesson: Lesson, network: Network) -> Scored:
    """The lesson's seconds under the network."""
    stated = decided(lesson, network)
    malignant = lesson.seconds.kinds > 0
    counts = lesson.seconds.weights >= 1
    parts = [stated & malignant, stated & ~malignant, ~stated & malignant, ~stated & ~malignant]
    sums = [int(np.count_nonzero(part & counts)) for part in parts]
    begins = np.flatnonzero(stated[1:] & ~stated[:-1])
    alarms = sum(not malignant[max(0, k - 2) : k + 6].any() and lesson.seconds.weights[k] > 0 for k in begins)
    return Scored(lesson.patient, lesson.group, sums[0], sums[1], sums[2], sums[3], alarms)


def decided(lesson: Lesson, network: Network) -> NDArray[np.bool_]:
    """What ventricular.weigh_second would make of it."""
    odds = network.odds(lesson.inputs)
    evidence = np.clip(odds[:, 1:].max(1) - odds[:, 0], -CERTAIN, CERTAIN)
    evidence[lesson.calm] = -CERTAIN
    stated = np.zeros(len(evidence), np.bool_)
    smoothed, on = -CERTAIN, False
    for k, value in enumerate(evidence):
        smoothed += GAIN * (value - smoothed)
        on = smoothed > ENTER or (on and smoothed >= LEAVE)
        stated[k] = on
    return stated
