"""The network that tells classes, and its training: Adam on the cross entropy, in plain numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.state import CLASS_ANSWERS, CLASS_UNITS, TRAITS

if TYPE_CHECKING:
    from bench.classes.lessons import Lessons

Floats = NDArray[np.float32]

TWINS: Final = 2
"""Networks of half the hidden units each, from different starts; the mean of their answers is one network's."""
EPOCHS: Final = 6
BATCH: Final = 2048
RATE: Final = 3e-3
SHRINK: Final = 1e-4
HIDDEN_FROM_VIEW: Final = 0.2
"""Share of the traits that is blanked out in each example, anew each time: no trait alone may decide."""
LEAST_SPREAD: Final = 0.05


@dataclass(frozen=True, slots=True)
class Network:
    """Weights as classification.answer takes them: (TRAITS + 1, units) and (units + 1, CLASS_ANSWERS), offsets last."""

    first: Floats
    last: Floats

    def answers(self, traits: Floats, leads: NDArray[np.int64]) -> Floats:
        """Log odds (n, CLASS_ANSWERS) of beats seen on one lead or two; traits (n, 2, TRAITS)."""
        hidden = np.maximum(traits[:, 0] @ self.first[:-1] + self.first[-1], 0)
        two = leads > 1
        hidden[two] = (hidden[two] + np.maximum(traits[two, 1] @ self.first[:-1] + self.first[-1], 0)) / 2
        return np.asarray(hidden @ self.last[:-1] + self.last[-1], np.float32)

    def leaning(self, towards: Floats) -> Network:
        """The same network with something added to each answer."""
        last = self.last.copy()
        last[-1] += towards
        return Network(self.first, last)


def fitted(lessons: Lessons, seed: int) -> Network:
    """A network trained from random starts."""
    twins = [_fitted(lessons, CLASS_UNITS // TWINS, seed + twin) for twin in range(TWINS)]
    last = np.concatenate([twin.last[:-1] / TWINS for twin in twins])
    offset = np.mean([twin.last[-1] for twin in twins], 0, keepdims=True)
    return Network(np.concatenate([twin.first for twin in twins], 1), np.concatenate([last, offset]).astype(np.float32))


class _Adam:
    """Kingma and Ba 2015, with the step size going down to zero along a half cosine."""

    def __init__(self, parameters: list[Floats], steps: int) -> None:
        self._parameters = parameters
        self._means = [np.zeros_like(p) for p in parameters]
        self._squares = [np.zeros_like(p) for p in parameters]
        self._step = 0
        self._steps = steps

    def descend(self, gradients: list[Floats]) -> None:
        self._step += 1
        rate = np.float32(RATE * 0.5 * (1 + np.cos(np.pi * self._step / self._steps)) + 1e-5)
        for k, gradient in enumerate(gradients):
            self._means[k] += np.float32(0.1) * (gradient - self._means[k])
            self._squares[k] += np.float32(0.001) * (gradient**2 - self._squares[k])
            mean = self._means[k] / np.float32(1 - 0.9**self._step)
            square = self._squares[k] / np.float32(1 - 0.999**self._step)
            self._parameters[k] -= rate * mean / (np.sqrt(square) + np.float32(1e-8))


def _fitted(lessons: Lessons, units: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    count = len(lessons.classes)
    some = lessons.traits[rng.integers(0, count, min(count, 60_000)), 0]
    mean, spread = some.mean(0), some.std(0) + np.float32(LEAST_SPREAD)
    w = rng.normal(0, 1 / np.sqrt(TRAITS), (TRAITS, units)).astype(np.float32)
    b = np.zeros(units, np.float32)
    v = rng.normal(0, 1 / np.sqrt(units), (units, CLASS_ANSWERS)).astype(np.float32)
    c = np.zeros(CLASS_ANSWERS, np.float32)
    adam = _Adam([w, b, v, c], EPOCHS * max(1, count // BATCH))
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        for i in range(0, max(1, count - BATCH + 1), BATCH):
            chosen = order[i : i + BATCH]
            adam.descend(_gradients(lessons, chosen, (w, b, v, c), mean, spread, rng))
    first = np.concatenate([w / spread[:, None], [b - (mean / spread) @ w]]).astype(np.float32)
    return Network(first, np.concatenate([v, [c]]).astype(np.float32))


def _gradients(
    lessons: Lessons,
    chosen: NDArray[np.int64],
    weights: tuple[Floats, Floats, Floats, Floats],
    mean: Floats,
    spread: Floats,
    rng: np.random.Generator,
) -> list[Floats]:
    """Of the weighted cross entropy of a batch; a beat's hidden units are the mean of its leads'."""
    w, b, v, c = weights
    two = lessons.leads[chosen] > 1
    chosen = np.concatenate([chosen[two], chosen[~two]])
    both, count = int(two.sum()), len(chosen)
    x = (np.concatenate([lessons.traits[chosen, 0], lessons.traits[chosen[:both], 1]]) - mean) / spread
    x *= rng.random(x.shape, dtype=np.float32) > HIDDEN_FROM_VIEW
    h = x @ w + b
    active = np.maximum(h, 0)
    of_beat = active[:count].copy()
    of_beat[:both] = (of_beat[:both] + active[count:]) / 2
    g = _shares(of_beat @ v + c)
    g[np.arange(count), lessons.classes[chosen]] -= 1
    g *= (lessons.weights[chosen] / count)[:, None]
    back = g @ v.T
    back[:both] /= 2
    back = np.concatenate([back, back[:both]]) * (h > 0)
    shrink = np.float32(SHRINK)
    return [x.T @ back + shrink * w, back.sum(0), of_beat.T @ g + shrink * v, g.sum(0)]


def _shares(odds: Floats) -> Floats:
    powers = np.exp(odds - odds.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True), np.float32)
