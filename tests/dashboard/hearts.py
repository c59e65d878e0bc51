"""Hearts for the fake backend: a looping signal with its beats, from a record or drawn from bell curves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

UV_PER_LSB: Final = 5.0
LOOP_S: Final = 60
# Where P, Q, R, S and T lie (s from R), how wide they are (s) and how high in lead II (mV).
WAVES: Final = (
    (-0.17, 0.024, 0.14),
    (-0.026, 0.009, -0.09),
    (0.0, 0.0105, 1.05),
    (0.028, 0.010, -0.19),
    (0.27, 0.05, 0.30),
)
TWELVE: Final = {
    "I": (0.6, 0.5, 0.7, 0.6, 0.6), "II": (1.0, 1.0, 1.0, 1.0, 1.0), "III": (0.4, 0.8, 0.3, 0.9, 0.4),
    "aVR": (-0.8, -0.8, -0.85, -0.8, -0.8), "aVL": (0.2, 0.2, 0.25, 0.3, 0.2), "aVF": (0.7, 0.9, 0.65, 0.9, 0.7),
    "V1": (0.4, 0.0, 0.25, 4.5, -0.3), "V2": (0.5, 0.0, 0.5, 5.5, 1.3), "V3": (0.5, 0.2, 0.85, 3.5, 1.5),
    "V4": (0.5, 0.8, 1.35, 2.0, 1.3), "V5": (0.5, 1.0, 1.2, 1.0, 1.0), "V6": (0.5, 1.0, 0.9, 0.5, 0.8),
}  # fmt: skip
AAMI: Final = {"N": "N", "L": "N", "R": "N", "A": "S", "a": "S", "J": "S", "V": "V", "F": "F"}


@dataclass(frozen=True, slots=True)
class Heart:
    """`samples` int16 of shape (leads, LOOP_S * rate), played round and round; `beats` are (index, class) in it."""

    rate_hz: int
    leads: tuple[str, ...]
    samples: NDArray[np.int16]
    beats: tuple[tuple[int, str], ...]


def record(name: str) -> Heart:
    """A minute of a MIT-BIH record; a drawn heart with premature beats when the recordings aren't there."""
    path = Path(os.environ.get("LEADWIRE_TEST_DATA", "../shared/data")) / "mitdb" / name
    if not path.with_suffix(".hea").exists():
        return drawn(("MLII", "V5"), rate_hz=360, every_s=0.82, premature_every=6)
    count = LOOP_S * 360
    read = wfdb.rdrecord(str(path), sampto=count)
    marks = wfdb.rdann(str(path), "atr", sampto=count)
    beats = tuple((int(at), AAMI[kind]) for at, kind in zip(marks.sample, marks.symbol, strict=True) if kind in AAMI)
    return Heart(360, tuple(read.sig_name), _lsb(read.p_signal.T), beats)


def drawn(
    leads: tuple[str, ...],
    *,
    rate_hz: int = 250,
    every_s: float = 0.8,
    spread: float = 0.02,
    atrial: bool = True,
    premature_every: int = 0,
    pause_s: float = 0.0,
    noise_mv: float = 0.012,
    seed: int = 1,
) -> Heart:
    """Beats every `every_s` (relative spread `spread`); each nth premature and wide; a pause in each 12 s if asked."""
    random = np.random.default_rng(seed)
    time_s = np.arange(LOOP_S * rate_hz) / rate_hz
    signal = random.normal(0, noise_mv, (len(leads), len(time_s)))
    signal += 0.04 * np.sin(2 * np.pi * 0.2 * time_s)
    beats: list[tuple[int, str]] = []
    at_s, number = 0.5, 0
    while at_s < LOOP_S - 0.6:
        early = bool(premature_every) and number % premature_every == premature_every - 1
        _add_beat(signal, time_s, at_s, leads, wide=early, atrial=atrial)
        beats.append((round(at_s * rate_hz), "V" if early else "N"))
        step = every_s * (1 + random.normal(0, spread)) * (1.35 if early else 1)
        next_early = bool(premature_every) and (number + 1) % premature_every == premature_every - 1
        at_s += step * (0.62 if next_early else 1) + (pause_s if pause_s and number % 12 == 11 else 0)
        number += 1
    return Heart(rate_hz, leads, _lsb(signal), tuple(beats))


def ruler(rate_hz: int = 500) -> Heart:
    """Lead II: a spike of exactly 1 mV at each second, nothing between; a beat at each, every fourth ventricular."""
    signal = np.zeros((1, LOOP_S * rate_hz))
    reach = rate_hz // 50
    for second in range(LOOP_S):
        around = np.arange(-reach, reach + 1)
        signal[0, (second * rate_hz + around) % signal.shape[1]] = 1 - np.abs(around) / reach
    beats = tuple((second * rate_hz, "V" if second % 4 == 3 else "N") for second in range(LOOP_S))
    return Heart(rate_hz, ("II",), _lsb(signal), beats)


def _add_beat(
    signal: NDArray[Any], time_s: NDArray[Any], at_s: float, leads: tuple[str, ...], *, wide: bool, atrial: bool
) -> None:
    near = (time_s > at_s - 0.4) & (time_s < at_s + 0.6)
    for row, lead in enumerate(leads):
        gains = TWELVE.get(lead, TWELVE["II"])
        for wave, ((shift, width, height), gain) in enumerate(zip(WAVES, gains, strict=True)):
            if wave == 0 and (wide or not atrial):
                continue
            stretch, turn = (3.2, -1.1 if wave == 4 else 1.25) if wide else (1.0, 1.0)
            bell = np.exp(-(((time_s[near] - at_s - shift) / (width * stretch)) ** 2) / 2)
            signal[row, near] += height * gain * turn * bell


def _lsb(millivolts: NDArray[Any]) -> NDArray[np.int16]:
    return np.round(millivolts * 1000 / UV_PER_LSB).astype(np.int16)
