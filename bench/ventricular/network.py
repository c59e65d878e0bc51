"""The network and its training: Adam on the cross entropy of three classes, in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.adam import Adam, Floats
from bench.ventricular.labels import Seconds
from processors.ecg.ventricular_odds import HIDDEN, OUTPUTS

BATCH: Final = 512
RATE: Final = 3e-3
SHRINK: Final = 1e-4
JITTER: Final = 0.1
LEAST_SPREAD: Final = 0.05
EPOCHS: Final = 6
MALIGNANT_WEIGHT: Final = 1.5
RARE_WEIGHT: Final = 6.0
"""mitdb has seven minutes of flutter and tachycardia in 22 h."""
COMMON_WEIGHT: Final = 0.6


@dataclass(frozen=True, slots=True)
class Lesson:
    """The seconds of a recording that are put to the network."""

    patient: str
    group: str
    inputs: Floats
    calm: NDArray[np.bool_]
    seconds: Seconds

    @property
    def weights(self) -> Floats:
        """What each second counts in training."""
        malignant = self.seconds.kinds > 0
        common = self.group.startswith("mitdb")
        share = np.where(malignant, RARE_WEIGHT if common else MALIGNANT_WEIGHT, COMMON_WEIGHT if common else 1.0)
        return np.asarray(self.seconds.weights * share * ~self.calm, np.float32)


@dataclass(frozen=True, slots=True)
class Network:
    """Weights as ventricular_odds.weigh_up takes them: `first` (INPUTS + 1, HIDDEN), `last` (HIDDEN + 1, OUTPUTS)."""

    first: Floats
    last: Floats

    def odds(self, inputs: Floats) -> Floats:
        """float32 (seconds, OUTPUTS)."""
        hidden = np.maximum(inputs @ self.first[:-1] + self.first[-1], 0)
        return np.asarray(hidden @ self.last[:-1] + self.last[-1], np.float32)


def fitted(lessons: Sequence[Lesson], seed: int) -> Network:
    """A network trained from a random start; the same lessons and seed give the same weights."""
    rng = np.random.default_rng(seed)
    weights = np.concatenate([lesson.weights for lesson in lessons])
    counts = weights > 0
    inputs = np.concatenate([lesson.inputs for lesson in lessons])[counts]
    kinds = np.concatenate([lesson.seconds.kinds for lesson in lessons])[counts]
    weights = weights[counts]
    mean, spread = inputs.mean(0), inputs.std(0) + LEAST_SPREAD
    scaled = np.asarray((inputs - mean) / spread, np.float32)
    w = rng.normal(0, 1 / np.sqrt(inputs.shape[1]), (inputs.shape[1], HIDDEN)).astype(np.float32)
    b = np.zeros(HIDDEN, np.float32)
    v = rng.normal(0, 1 / np.sqrt(HIDDEN), (HIDDEN, OUTPUTS)).astype(np.float32)
    c = np.zeros(OUTPUTS, np.float32)
    adam = Adam([w, b, v, c], EPOCHS * (len(kinds) // BATCH), RATE)
    for _ in range(EPOCHS):
        order = rng.permutation(len(kinds))
        for i in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[i : i + BATCH]
            x = scaled[chosen] + rng.normal(0, JITTER, (BATCH, scaled.shape[1])).astype(np.float32)
            h = x @ w + b
            active = np.maximum(h, 0)
            odds = active @ v + c
            p = np.exp(odds - odds.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(BATCH), kinds[chosen]] -= 1
            g = np.asarray(p * weights[chosen, np.newaxis] / BATCH, np.float32)
            back = (g @ v.T) * (h > 0)
            adam.descend([x.T @ back + SHRINK * w, back.sum(0), active.T @ g + SHRINK * v, g.sum(0)])
    return Network(
        np.concatenate([w / spread[:, None], [b - (mean / spread) @ w]]).astype(np.float32),
        np.concatenate([v, [c]]).astype(np.float32),
    )
