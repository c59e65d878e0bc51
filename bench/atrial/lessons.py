"""Stretches of histories as the network is to learn them: other rates, jitter, and P evidence taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.atrial.corpus import Told
from processors.ecg.atrial import BEHIND, LEAST
from processors.ecg.atrial_network import LONGEST_RR_MS, describe
from processors.ecg.state import ATRIAL_INPUTS, blank_devices

LENGTH: Final = 200
BATCH: Final = 96
SHARES: Final = {"afdb_ann": 0.36, "mitdb": 0.27, "challenge2017": 0.27, "imagined": 0.1}
SHORTEST: Final = 20
OTHER_RATE: Final = 0.22
JITTER_MS: Final = (0.0, 1.0, 3.0, 6.0)
BLIND: Final = 0.4
"""Share of the stretches whose P evidence is taken away."""
CLASSLESS: Final = 0.2
"""Share of them that no beat's class is known of."""
AT_CHANGE: Final = 0.4
IN_FIBRILLATION: Final = 0.3


@dataclass(frozen=True, slots=True)
class Lesson:
    """`inputs` (LENGTH, BATCH, ATRIAL_INPUTS), what is right and how much it counts (LENGTH, BATCH), all float32."""

    inputs: NDArray[np.float32]
    right: NDArray[np.float32]
    weights: NDArray[np.float32]


class Teacher:
    """Draws lessons from a corpus: first the database, then the record, then where in it."""

    def __init__(self, corpus: Sequence[Told], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._by_kind = {
            kind: [told for told in corpus if told.kind == kind and len(told.fibrillates) > LEAST + BEHIND]
            for kind in SHARES
        }

    def lesson(self) -> Lesson:
        inputs = np.zeros((LENGTH, BATCH, ATRIAL_INPUTS), np.float32)
        right, weights = np.zeros((LENGTH, BATCH), np.float32), np.zeros((LENGTH, BATCH), np.float32)
        for b in range(BATCH):
            told = self._record()
            stretch = self._stretch(told)
            x, heard = self._heard(told, stretch)
            count = len(x)
            if count <= BEHIND:
                continue
            truth = told.fibrillates[stretch][heard]
            inputs[:count, b] = x
            right[BEHIND:count, b] = truth[:-BEHIND]
            right[:BEHIND, b] = truth[0]
            weights[LEAST:count, b] = 1.0
        return Lesson(inputs, right, weights)

    def _record(self) -> Told:
        kind = self._rng.choice(list(SHARES), p=list(SHARES.values()))
        return self._by_kind[kind][self._rng.integers(len(self._by_kind[kind]))]

    def _stretch(self, told: Told) -> slice:
        """Often across a change of rhythm or in fibrillation, which most records have little of."""
        count = len(told.fibrillates)
        begin = int(self._rng.integers(0, max(1, count - LENGTH)))
        dice = self._rng.random()
        changes = np.flatnonzero(np.diff(told.fibrillates))
        inside = np.flatnonzero(told.fibrillates)
        if told.kind == "challenge2017":
            begin = 0 if dice > AT_CHANGE else int(self._rng.integers(0, max(1, count - SHORTEST)))
        elif len(changes) and dice < AT_CHANGE:
            begin = int(self._rng.choice(changes)) - int(self._rng.integers(0, LENGTH))
        elif len(inside) and dice < AT_CHANGE + IN_FIBRILLATION:
            begin = int(self._rng.choice(inside)) - int(self._rng.integers(0, LENGTH))
        begin = min(max(0, begin), max(0, count - SHORTEST))
        return slice(begin, begin + LENGTH)

    def _heard(self, told: Told, stretch: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Inputs of the beats of a stretch that are heard, and which those are."""
        rng, history = self._rng, told.history
        rr = history.rr_ms[stretch] * np.exp(rng.uniform(-OTHER_RATE, OTHER_RATE))
        rr = rr + rng.normal(0.0, 1.0, len(rr)) * rng.choice(JITTER_MS)
        ventricular = history.ventricular[stretch] & (rng.random() >= CLASSLESS)
        p_percent = history.p_percent[stretch] * (rng.random() >= BLIND)
        heard = heard_beats(rr, ventricular, history.readable[stretch])
        return inputs_of(rr, heard, p_percent, history.has_p[stretch]), heard


def heard_beats(rr: NDArray[Any], ventricular: NDArray[np.bool_], readable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What atrial.follow_atrial puts to the network."""
    after = np.concatenate([[False], ventricular[:-1]])
    return np.asarray((rr < LONGEST_RR_MS) & (rr > 0.0) & readable & ~ventricular & ~after, np.bool_)


def inputs_of(rr: NDArray[Any], heard: NDArray[np.bool_], p_percent: NDArray[np.int64],
              has_p: NDArray[np.bool_]) -> NDArray[np.float32]:  # fmt: skip
    """The kernel's own description of each heard beat, shape (heard, ATRIAL_INPUTS)."""
    out = np.zeros((int(heard.sum()), ATRIAL_INPUTS), np.float32)
    _describer()(blank_devices(1), rr[heard], p_percent[heard], has_p[heard], out)
    return out


@cache
def _describer() -> Callable[..., None]:
    @njit(error_model="numpy")
    def describe_all(devices: Any, rr: Any, p_percent: Any, has_p: Any, out: Any) -> None:
        for i in range(rr.size):
            describe(devices[0], rr[i], p_percent[i], has_p[i], out[i])

    return describe_all
