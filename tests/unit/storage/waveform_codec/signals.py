"""Blocks of every kind a device, or nobody, could send."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Signal = Callable[[np.random.Generator, int], NDArray[np.int64]]

KINDS: dict[str, Signal] = {
    "noise of every size": lambda rng, n: np.round(rng.normal(0, 2 ** rng.uniform(-2, 15), n)).astype(np.int64),
    "all int16": lambda rng, n: rng.integers(-32768, 32768, n),
    "one value": lambda rng, n: np.full(n, rng.integers(-32768, 32768)),
    "steps": lambda rng, n: np.repeat(rng.integers(-32768, 32768, n // 50 + 1), 50)[:n],
    "extremes in turn": lambda rng, n: np.where(np.arange(n) % rng.integers(2, 9) == 0, -32768, 32767),
    "saturated": lambda rng, n: np.round(rng.normal(0, 60000, n)).astype(np.int64),
    "a walk": lambda rng, n: np.cumsum(rng.integers(-20, 21, n)),
    "missing in between": lambda rng, n: np.where(rng.random(n) < 0.05, -32768, np.cumsum(rng.integers(-3, 4, n))),
    "missing for long": lambda rng, n: np.where(np.arange(n) // 200 % 2 == 0, -32768, rng.integers(-9, 9, n)),
    "a loud sine": lambda rng, n: np.round(32000 * np.sin(np.arange(n) * rng.uniform(0.001, 3))).astype(np.int64),
    "one spike": lambda rng, n: np.where(np.arange(n) == n // 2, 32767, 0),
    "a loud square wave": lambda rng, n: np.where(np.arange(n) // rng.integers(1, 40) % 2 == 0, -32768, 32767),
}


def block(rng: np.random.Generator, leads: int, count: int) -> NDArray[np.int16]:
    """A kind drawn for each lead; int16 of shape (leads, count)."""
    kinds = rng.choice(list(KINDS), leads)
    samples = np.empty((leads, count), np.int16)
    for row, kind in zip(samples, kinds, strict=True):
        row[:] = np.clip(KINDS[kind](rng, count), -32768, 32767)
    return samples


def like_ecg(leads: int = 2, count: int = 2500) -> NDArray[np.int16]:
    """Pulses and a little noise at 250 Hz; the seed is fixed."""
    rng = np.random.default_rng(3)
    at = np.arange(count) % 200
    beat = 180 * np.exp(-(((at - 60) / 3) ** 2)) + 40 * np.exp(-(((at - 120) / 18) ** 2))
    samples: NDArray[np.int16] = np.round(beat + rng.normal(0, 2, (leads, count))).astype(np.int16)
    return samples
