"""The waves of one heart beat, cut from neurokit2's ECGSYN, and how each lead sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Lead

_RATE_HZ: Final = 500

_ANGLES_DEG: Final = (-55, -9, 0, 9, 100)
_WEIGHTS: Final = (1.0, -14, 83, -21, 0.3)
_WIDTHS_RAD: Final = (0.16, 0.06, 0.06, 0.06, 0.4)
"""P, Q, R, S and T of ECGSYN's model. Its own defaults make a QRS of 165 ms, which no healthy heart has."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave in mV on a grid of 2 ms; `from_s` is its first point's time from the R peak."""

    from_s: float
    mv: NDArray[np.float64]

    def at(self, seconds: NDArray[np.float64], stretch: float = 1.0) -> NDArray[np.float64]:
        """Its value at `seconds` from the R peak, when it lasts `stretch` times as long; 0 outside."""
        grid = self.from_s + np.arange(len(self.mv)) / _RATE_HZ
        return np.interp(seconds / stretch, grid, self.mv, left=0.0, right=0.0)


@dataclass(frozen=True, slots=True)
class BeatWaves:
    """P, QRS and T of lead II of a healthy beat at 60 a minute."""

    p: Wave
    qrs: Wave
    t: Wave


@dataclass(frozen=True, slots=True)
class LeadView:
    """How much of lead II's P, QRS and T a lead shows (typical of a normal axis, not of any one person)."""

    p: float
    qrs: float
    t: float

    def plus(self, other: LeadView, mine: float, its: float) -> LeadView:
        """`mine` times this and `its` times the other."""
        return LeadView(self.p * mine + other.p * its, self.qrs * mine + other.qrs * its, self.t * mine + other.t * its)


def _views() -> dict[Lead, LeadView]:
    one, two = LeadView(0.6, 0.55, 0.6), LeadView(1, 1, 1)
    return {
        "I": one, "II": two,
        "III": two.plus(one, 1, -1),     # Einthoven and Goldberger: the limb leads are two in six
        "aVR": one.plus(two, -0.5, -0.5),
        "aVL": one.plus(two, 1, -0.5),
        "aVF": two.plus(one, 1, -0.5),
        "V1": LeadView(0.4, -0.7, -0.3), "V2": LeadView(0.4, -0.5, 0.6), "V3": LeadView(0.5, 0.4, 0.8),
        "V4": LeadView(0.6, 1.1, 0.9), "V5": LeadView(0.6, 1.1, 0.8), "V6": LeadView(0.6, 0.9, 0.6),
    }  # fmt: skip


VIEWS: Final[Mapping[Lead, LeadView]] = MappingProxyType(_views())


def healthy_beat(seed: int) -> BeatWaves:
    """The waves of ECGSYN's beat (McSharry et al. 2003, IEEE Trans Biomed Eng 50:289), the same for the same seed."""
    import neurokit2  # noqa: PLC0415  # two seconds of start-up that only the simulator needs

    signal = neurokit2.ecg_simulate(
        duration=12, sampling_rate=_RATE_HZ, heart_rate=60, heart_rate_std=0, noise=0, method="ecgsyn",
        random_state=seed, random_state_distort=seed, ti=_ANGLES_DEG, ai=_WEIGHTS, bi=_WIDTHS_RAD,
    )  # fmt: skip
    signal = np.asarray(signal, dtype=np.float64)
    around = signal[4 * _RATE_HZ : 5 * _RATE_HZ]  # a whole beat from the middle, past ECGSYN's first swing
    r_index = 4 * _RATE_HZ + int(np.argmax(around))
    return BeatWaves(
        p=_cut(signal, r_index, -0.34, -0.08),
        qrs=_cut(signal, r_index, -0.08, 0.09),
        t=_cut(signal, r_index, 0.09, 0.5),
    )


def _cut(signal: NDArray[np.float64], r_index: int, from_s: float, to_s: float) -> Wave:
    part = signal[r_index + round(from_s * _RATE_HZ) : r_index + round(to_s * _RATE_HZ) + 1]
    flat = part - np.linspace(part[0], part[-1], len(part))  # ends at 0 mV, so waves join without a step
    return Wave(from_s, flat)
