"""A one-layer network over places, fitted by gradient descent to where boundaries were marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.delineation.windows import Seen

BATCH: Final = 48
RATE: Final = 5e-3
DECAY: Final = 1e-3
IMPOSSIBLE: Final = -1e9
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tables:
    """Weights as the engine uses them: enter (inputs, hidden), start, leave (hidden, boundaries), end."""

    enter: Floats
    start: Floats
    leave: Floats
    end: Floats


@dataclass(frozen=True, slots=True)
class Target:
    """Where each boundary is (n, boundaries), NaN = not there; which are known; weights; how sharp, in points."""

    places: Floats
    known: NDArray[np.bool_]
    weights: Floats
    spread: tuple[float, ...]
    may_miss: bool


def fit(seen: Seen, target: Target, hidden: int, steps: int, seed: int = 0) -> Tables:
    """Cross-entropy between the network's likelihood over places (and "none") and the marks, each a bit spread."""
    rng = np.random.default_rng(seed)
    inputs, outputs = seen.inputs.shape[2], target.places.shape[1]
    some = seen.inputs[rng.permutation(len(seen.inputs))[:1500]].reshape(-1, inputs).astype(float)
    mean, width = some.mean(0), some.std(0) + 1e-2
    weights = [
        rng.normal(0, 1 / np.sqrt(inputs), (inputs, hidden)),
        np.zeros(hidden),
        rng.normal(0, 0.3 / np.sqrt(hidden), (hidden, outputs)),
        np.zeros(outputs),
    ]
    chances = np.cumsum(target.weights / target.weights.sum())
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(1, steps + 1):
        chosen = np.searchsorted(chances, rng.random(BATCH)).clip(0, len(chances) - 1)
        scaled = (seen.inputs[chosen].reshape(-1, inputs) - mean) / width
        slopes = _slopes(weights, scaled, seen, target, chosen)
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-5
        for i, slope in enumerate(slopes):
            first[i] = 0.9 * first[i] + 0.1 * slope
            second[i] = 0.999 * second[i] + 0.001 * slope * slope
            weights[i] -= rate * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
            if weights[i].ndim == 2:
                weights[i] -= rate * DECAY * weights[i]
    return Tables(weights[0] / width[:, None], weights[1] - (mean / width) @ weights[0], weights[2], weights[3])


def _slopes(weights: list[Floats], scaled: Floats, seen: Seen, target: Target, chosen: NDArray[Any]) -> list[Floats]:
    raw = scaled @ weights[0] + weights[1]
    units = raw / (1 + abs(raw))
    places, outputs = seen.places.shape[1], len(weights[3])
    scores = (units @ weights[2] + weights[3]).reshape(len(chosen), places, outputs)
    likely = likelihood(scores, seen.possible[chosen], may_miss=target.may_miss)
    away = likely - _wanted(seen, target, chosen)
    away = (away * target.known[chosen][:, None])[:, :places].reshape(-1, outputs) / len(chosen)
    back = (away @ weights[2].T) / (1 + abs(raw)) ** 2
    return [scaled.T @ back, back.sum(0), units.T @ away, away.sum(0)]


def likelihood(scores: Floats, possible: NDArray[np.bool_], *, may_miss: bool) -> Floats:
    """Softmax over places (n, places, boundaries), with "none" as one more place of score 0 where it may be."""
    scores = np.where(possible[:, :, None], scores, IMPOSSIBLE)
    if may_miss:
        scores = np.concatenate([scores, np.zeros_like(scores[:, :1])], 1)
    likely = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(likely / likely.sum(1, keepdims=True))


def _wanted(seen: Seen, target: Target, chosen: NDArray[Any]) -> Floats:
    places = target.places[chosen]
    absent = np.isnan(places)
    away = abs(seen.places[chosen][:, :, None] - np.where(absent, 0, places)[:, None])
    wanted = np.exp(-away / np.array(target.spread)) * seen.possible[chosen][:, :, None]
    wanted = np.where(absent[:, None], 0, wanted)
    if target.may_miss:
        wanted = np.concatenate([wanted, np.where(absent, 1.0, 1e-9)[:, None]], 1)
    return np.asarray(wanted / (wanted.sum(1, keepdims=True) + 1e-300))
