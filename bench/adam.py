"""Adam, by which the networks of bench.training and bench.ventricular learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Adam:
    """Kingma and Ba 2015, with the step size going down from `rate` to zero along a half cosine.

    `parameters` are changed in place.
    """

    def __init__(self, parameters: list[Floats], steps: int, rate: float) -> None:
        self._parameters = parameters
        self._means = [np.zeros_like(p) for p in parameters]
        self._squares = [np.zeros_like(p) for p in parameters]
        self._step = 0
        self._steps = steps
        self._rate = rate

    def descend(self, gradients: Sequence[Floats]) -> None:
        """One step against the gradients, one for each of the parameters."""
        self._step += 1
        rate = self._rate * 0.5 * (1 + np.cos(np.pi * self._step / self._steps)) + 1e-5
        for k, gradient in enumerate(gradients):
            self._means[k] += 0.1 * (gradient - self._means[k])
            self._squares[k] += 0.001 * (gradient**2 - self._squares[k])
            mean = self._means[k] / (1 - 0.9**self._step)
            self._parameters[k] -= rate * mean / (np.sqrt(self._squares[k] / (1 - 0.999**self._step)) + 1e-8)
