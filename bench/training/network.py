"""The network that decides, and its training: Adam on the cross entropy, in plain numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.adam import Adam, Floats
from processors.ecg.state import HIDDEN, INPUTS

if TYPE_CHECKING:
    from bench.training.lessons import Lessons

BATCH: Final = 512
RATE: Final = 2e-3
SHRINK: Final = 1e-5
LEAST_SPREAD: Final = 0.05
"""Added to each input's standard deviation, so that one that hardly varies isn't blown up."""


@dataclass(frozen=True, slots=True)
class Network:
    """Weights as decision.judge takes them: `first` (INPUTS + 1, HIDDEN), `last` (HIDDEN + 1,), offsets last."""

    first: Floats
    last: Floats

    @staticmethod
    def silent() -> Network:
        """One that accepts nothing."""
        last = np.zeros(HIDDEN + 1, np.float32)
        last[-1] = -1.0
        return Network(np.zeros((INPUTS + 1, HIDDEN), np.float32), last)


def fitted(lessons: Lessons, epochs: int, seed: int) -> Network:
    """A network trained from a random start."""
    rng = np.random.default_rng(seed)
    count = len(lessons.inputs)
    some = lessons.inputs[rng.integers(0, count, min(count, 100_000))].astype(np.float32)
    mean, spread = some.mean(0), some.std(0) + LEAST_SPREAD
    w = rng.normal(0, 1 / np.sqrt(INPUTS), (INPUTS, HIDDEN)).astype(np.float32)
    b = np.zeros(HIDDEN, np.float32)
    v = rng.normal(0, 1 / np.sqrt(HIDDEN), HIDDEN).astype(np.float32)
    c = np.zeros(1, np.float32)
    adam = Adam([w, b, v, c], epochs * (count // BATCH), RATE)
    for _ in range(epochs):
        order = rng.permutation(count)
        for i in range(0, count - BATCH + 1, BATCH):
            chosen = order[i : i + BATCH]
            x = (lessons.inputs[chosen].astype(np.float32) - mean) / spread
            h = x @ w + b
            active = np.maximum(h, 0)
            odds = active @ v + c
            p = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
            g = ((p - lessons.beats[chosen]) * lessons.weights[chosen] / BATCH).astype(np.float32)
            back = g[:, None] * v * (h > 0)
            adam.descend([x.T @ back + SHRINK * w, back.sum(0), active.T @ g, g.sum(keepdims=True)])
    return Network(
        np.concatenate([w / spread[:, None], [b - (mean / spread) @ w]]).astype(np.float32),
        np.concatenate([v, c]).astype(np.float32),
    )
