"""An example ready to be driven through the detector, and what is to be learned from its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.accuracy.beats import BeatScore, score_beats
from bench.accuracy.matching import WINDOW_S
from bench.accuracy.references import Reference, Stretch
from bench.training import drive
from bench.training.corpus import Example
from bench.training.network import Network
from processors.ecg.state import DEVICE, INNER_RATE_HZ, LEAD, WORK

EASY = 0.1
"""Share kept of the decisions that were right beyond doubt; each of those counts for ten."""
BEYOND_DOUBT = 5.0
TAUGHT = 0.3
"""Share kept of the decisions with the true history."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Inputs float16 (count, INPUTS), whether each is a beat, how much each counts."""

    inputs: NDArray[np.float16]
    beats: NDArray[np.bool_]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Exercise:
    """A conditioned example: signal and envelope (leads, count) at the inner rate; its reference in inner indices."""

    name: str
    kind: str
    rate_hz: float
    uv_per_lsb: tuple[float, ...]
    signal: NDArray[np.int16]
    envelope: NDArray[np.float32]
    reference: Reference
    truth: NDArray[np.int8]

    @property
    def inner_hz(self) -> float:
        return self.rate_hz / max(1, round(self.rate_hz / INNER_RATE_HZ))


@dataclass(frozen=True, slots=True)
class Drive:
    """What the detector did: every decision (drive.LOG), and the beats in the end."""

    log: NDArray[Any]
    beats: NDArray[np.int64]


def joined(parts: Sequence[Lessons]) -> Lessons:
    """All of them one after the other."""
    return Lessons(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.beats for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def exercise(example: Example) -> Exercise:
    """Condition an example and mark which of its candidates are beats."""
    record = example.record
    devices, leads = _slots(record.rate_hz, record.uv_per_lsb)
    divisor = int(devices["divisor"][0])
    shape = (len(leads), record.samples.shape[1] // divisor)
    signal, envelope = np.zeros(shape, np.int16), np.zeros(shape, np.float32)
    _conditioned(devices, leads, np.zeros(1, WORK), record.samples, signal, envelope)
    beats = record.beats // divisor
    left_out = tuple(Stretch(s.begin // divisor, s.end // divisor) for s in record.left_out)
    made = Exercise(
        record.name, example.kind, record.rate_hz, record.uv_per_lsb, signal, envelope,
        Reference(beats, beats, left_out), np.zeros(shape[1], np.int8),
    )  # fmt: skip
    log = driven(made, Network.silent()).log
    truth = made.truth.copy()
    truth[np.clip(log["u"][labels(made, log) == 1], 0, shape[1] - 1)] = 1
    return replace(made, truth=truth)


def driven(made: Exercise, network: Network, teach: bool = False) -> Drive:
    """Let the detector go through an exercise with its own decisions as history, or with the true ones."""
    devices, leads = _slots(made.rate_hz, made.uv_per_lsb)
    log = np.zeros(made.signal.shape[1] // 25, drive.LOG)
    beats = np.zeros(len(log), np.int64)
    nets = network.first, network.last
    works = np.zeros(1, WORK)
    rows, found = _drive(devices, leads, made.signal, made.envelope, made.truth, teach, *nets, log, beats, works)
    return Drive(log[:rows], np.sort(beats[:found]))


def labels(made: Exercise, log: NDArray[Any]) -> NDArray[np.int8]:
    """1 for the candidate that stands for an annotated beat, 0 for others, -1 where nobody annotated.

    Of the candidates within 150 ms it is the highest, nearness considered.
    """
    hz = made.inner_hz
    window = WINDOW_S * hz
    u, e = log["u"], log["e"]
    marked = np.zeros(len(u), np.int8)
    beats = made.reference.beats
    for beat in beats:
        low, high = np.searchsorted(u, (beat - window, beat + window))
        if low < high:
            marked[low + np.argmax(e[low:high] * (1.15 - np.abs(u[low:high] - beat) / window))] = 1
    for stretch in made.reference.left_out:
        marked[(u > stretch.begin - hz) & (u < stretch.end + hz)] = -1
    if len(beats):
        marked[(u < beats[0] - 0.3 * hz) & (marked != 1)] = -1
        marked[u > beats[-1] + 0.3 * hz] = -1
    return marked


def learned_from(made: Exercise, network: Network, rng: np.random.Generator, teach: bool) -> Lessons:
    """The decisions of one exercise as lessons; those that were right beyond doubt are thinned out."""
    log = driven(made, network, teach).log
    marked = labels(made, log)
    kept = (log["kind"] > 0) & (marked >= 0)
    weights = np.ones(len(log), np.float32)
    if teach:
        kept &= rng.random(len(log)) < TAUGHT
    else:
        easy = np.where(marked > 0, log["logit"], -log["logit"]) > BEYOND_DOUBT
        kept &= ~easy | (rng.random(len(log)) < EASY)
        weights[easy] = 1.0 / EASY
    return Lessons(log["inputs"][kept].astype(np.float16), marked[kept] > 0, weights[kept])


def score(made: Exercise, network: Network) -> BeatScore:
    """Beats found, invented and missed, by the envelope's peak (the engine refines the position further)."""
    return score_beats(made.name, made.reference, driven(made, network).beats, made.inner_hz)


def _slots(rate_hz: float, uv_per_lsb: tuple[float, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    devices, leads = np.zeros(1, DEVICE), np.zeros(len(uv_per_lsb), LEAD)
    divisor = max(1, round(rate_hz / INNER_RATE_HZ))
    devices["rate_hz"], devices["divisor"], devices["inner_hz"] = rate_hz, divisor, rate_hz / divisor
    devices["leads"] = len(leads)
    devices["lead"][0, : len(leads)] = np.arange(len(leads))
    leads["gain_uv"] = uv_per_lsb
    return devices, leads


@njit(error_model="numpy")
def _conditioned(devices: Any, leads: Any, works: Any, raw: Any, xs: Any, es: Any) -> None:
    drive.conditioned(devices[0], leads, works[0], raw, xs, es)


@njit(error_model="numpy")
def _drive(devices: Any, leads: Any, xs: Any, es: Any, truth: Any, teach: Any, first: Any, last: Any, log: Any,
           beats: Any, works: Any) -> Any:  # fmt: skip
    return drive.drive(devices[0], leads, xs, es, truth, teach, first, last, log, beats, works[0])
