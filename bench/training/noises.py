"""Noise to train under: recorded, and made up of steps, bumps, muscle and mains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

Wave = NDArray[np.float64]


class Noises:
    """The first halves of the Noise Stress Test recordings, and synthetic noise; all of unit power."""

    def __init__(self, data: Path) -> None:
        self._recorded: dict[str, Wave] = {}
        for name in ("em", "ma", "bw"):
            signal = wfdb.rdrecord(str(data / "nstdb" / name)).p_signal
            self._recorded[name] = signal[: len(signal) // 2]

    def draw(self, rng: np.random.Generator, kind: str, count: int, rate_hz: float) -> Wave:
        """`count` samples of em, ma or bw as recorded, or of mains, emg or jolts."""
        if kind in self._recorded:
            wave = _stretch(self._recorded[kind][:, rng.integers(2)], rng, count, rate_hz)
        elif kind == "mains":
            hz = rng.choice((50.0, 60.0)) * rng.uniform(0.998, 1.002)
            wave = np.sin(2 * np.pi * hz * np.arange(count) / rate_hz)
        elif kind == "emg":
            wave = _muscle(rng, count, rate_hz)
        else:
            wave = _jolts(rng, count, rate_hz)
        power = np.sqrt(np.mean((wave - wave.mean()) ** 2))
        return np.asarray((wave - wave.mean()) / max(power, 1e-9))


def _stretch(source: Wave, rng: np.random.Generator, count: int, rate_hz: float) -> Wave:
    """A random stretch of a recording at 360 Hz, at another rate, either way up."""
    need = int(count * 360 / rate_hz) + 400
    if need < len(source):
        start = rng.integers(len(source) - need)
        source = source[start : start + need]
    else:
        source = np.tile(source, need // len(source) + 1)[:need]
    return np.asarray(resample_poly(source, round(rate_hz), 360)[:count] * rng.choice((-1.0, 1.0)))


def _muscle(rng: np.random.Generator, count: int, rate_hz: float) -> Wave:
    """Noise of 15 to 90 Hz whose strength changes within seconds."""
    band = butter(2, (15, min(90.0, 0.45 * rate_hz)), "bandpass", fs=rate_hz, output="sos")
    slow = butter(2, 1.0, "low", fs=rate_hz, output="sos")
    strength = np.abs(sosfilt(slow, rng.normal(0, 1, count)))
    return np.asarray(sosfilt(band, rng.normal(0, 1, count)) * strength)


def _jolts(rng: np.random.Generator, count: int, rate_hz: float) -> Wave:
    """Steps and bumps as a moved electrode makes, of QRS-like to T-like width."""
    wave = np.zeros(count)
    t = np.arange(int(2 * rate_hz)) / rate_hz
    for start in np.flatnonzero(rng.random(count) < 0.7 / rate_hz):
        rise, fall = np.exp(rng.uniform(np.log(0.005), np.log(0.15), 2))
        bump = (1 - np.exp(-t / rise)) * np.exp(-t / (fall * rng.choice((1.0, 4.0)))) * rng.normal(0, 1)
        part = wave[start : start + len(bump)]
        part += bump[: len(part)]
    return wave
