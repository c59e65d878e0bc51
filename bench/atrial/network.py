"""The recurrent network and its training: backpropagation through time and Adam, in plain numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.atrial.lessons import Lesson, Teacher
from processors.ecg.state import ATRIAL_INPUTS, ATRIAL_UNITS

Floats = NDArray[np.float32]

UNITS: Final = ATRIAL_UNITS
RATE: Final = 6e-3
LEAST_RATE: Final = 1e-4
SHRINK: Final = 1e-5
MOST_GRADIENT: Final = 0.05
REMEMBERS: Final = 4.0
"""Offset of the keep gates at the start: the network begins with a memory of some ten beats."""


@dataclass(frozen=True, slots=True)
class Weights:
    """As atrial_network.advance takes them; `last` has its offset at the end."""

    outer: Floats
    inner: Floats
    offsets: Floats
    last: Floats

    def parts(self) -> list[Floats]:
        return [self.outer, self.inner, self.offsets, self.last]

    @staticmethod
    def random(seed: int) -> Weights:
        rng = np.random.default_rng(seed)
        outer = rng.normal(0, 1 / np.sqrt(ATRIAL_INPUTS), (ATRIAL_INPUTS, 3 * UNITS))
        turns = [0.8 * np.linalg.qr(rng.normal(0, 1, (UNITS, UNITS)))[0] for _ in range(3)]
        offsets = np.concatenate([np.full(UNITS, REMEMBERS), np.zeros(2 * UNITS)])
        last = np.concatenate([rng.normal(0, 1 / np.sqrt(UNITS), UNITS), [0.0]])
        parts = (outer, np.concatenate(turns, 1), offsets, last)
        return Weights(*(part.astype(np.float32) for part in parts))


@dataclass(frozen=True, slots=True)
class _Beat:
    """What one step forward leaves for the step back, each (BATCH, UNITS)."""

    before: Floats
    keeps: Floats
    resets: Floats
    wanted: Floats
    after: Floats


def fitted(teacher: Teacher, lessons: int, seed: int) -> Weights:
    """Weights after so many lessons, from a random start."""
    weights = Weights.random(seed)
    parts = weights.parts()
    means, squares = [np.zeros_like(p) for p in parts], [np.zeros_like(p) for p in parts]
    for step in range(1, lessons + 1):
        gradients = _gradients(weights, teacher.lesson())
        size = np.sqrt(sum(float((g**2).sum()) for g in gradients))
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / lessons)) + LEAST_RATE
        for k, part in enumerate(parts):
            g = gradients[k] * min(1.0, MOST_GRADIENT / (size + 1e-12)) + SHRINK * part
            means[k] += 0.1 * (g - means[k])
            squares[k] += 0.001 * (g * g - squares[k])
            step_size = rate / (np.sqrt(squares[k] / (1 - 0.999**step)) + 1e-8)
            part -= (step_size * means[k] / (1 - 0.9**step)).astype(np.float32)  # noqa: PLW2901 - in place
    return weights


def _gradients(weights: Weights, lesson: Lesson) -> list[Floats]:
    """Of the mean cross entropy."""
    beats = _forward(weights, lesson.inputs)
    v, c = weights.last[:-1], weights.last[-1]
    odds = np.stack([beat.after @ v + c for beat in beats])
    wrong = (1 / (1 + np.exp(-np.clip(odds, -30, 30))) - lesson.right) * lesson.weights / max(1, lesson.weights.sum())
    return _backward(weights, lesson.inputs, beats, wrong.astype(np.float32))


def _forward(weights: Weights, inputs: Floats) -> list[_Beat]:
    state = np.zeros((inputs.shape[1], UNITS), np.float32)
    heard = inputs @ weights.outer + weights.offsets
    beats = []
    for x in heard:
        gates = _gate(x[:, : 2 * UNITS] + state @ weights.inner[:, : 2 * UNITS])
        keeps, resets = gates[:, :UNITS], gates[:, UNITS:]
        wanted = _squash(x[:, 2 * UNITS :] + (resets * state) @ weights.inner[:, 2 * UNITS :])
        after = wanted + keeps * (state - wanted)
        beats.append(_Beat(state, keeps, resets, wanted, after))
        state = after
    return beats


def _backward(weights: Weights, inputs: Floats, beats: list[_Beat], wrong: Floats) -> list[Floats]:
    inner = np.zeros_like(weights.inner)
    last = np.zeros_like(weights.last)
    heard = np.zeros((*wrong.shape, 3 * UNITS), np.float32)
    flow = np.zeros((wrong.shape[1], UNITS), np.float32)
    for t in range(len(beats) - 1, -1, -1):
        beat = beats[t]
        flow = flow + wrong[t][:, np.newaxis] * weights.last[:-1]
        last[:-1] += beat.after.T @ wrong[t]
        wanted = flow * (1 - beat.keeps) * (1 - np.abs(beat.wanted)) ** 2
        kept = wanted @ weights.inner[:, 2 * UNITS :].T
        keeps = flow * (beat.before - beat.wanted) * _gate_slope(beat.keeps)
        gates = np.concatenate([keeps, kept * beat.before * _gate_slope(beat.resets)], 1)
        inner[:, : 2 * UNITS] += beat.before.T @ gates
        inner[:, 2 * UNITS :] += (beat.resets * beat.before).T @ wanted
        heard[t] = np.concatenate([gates, wanted], 1)
        flow = flow * beat.keeps + kept * beat.resets + gates @ weights.inner[:, : 2 * UNITS].T
    last[-1] = wrong.sum()
    return [np.tensordot(inputs, heard, axes=([0, 1], [0, 1])), inner, heard.sum((0, 1)), last]


def _squash(x: Floats) -> Floats:
    return np.asarray(x / (1 + np.abs(x)), np.float32)


def _gate(x: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * _squash(x), np.float32)


def _gate_slope(gate: Floats) -> Floats:
    return np.asarray(0.5 * (1 - np.abs(2 * gate - 1)) ** 2, np.float32)
