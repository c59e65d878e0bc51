"""Strips: a minute or two of a rhythm that joins to itself, synthesised once and played by many patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.waves import VIEWS, BeatWaves, LeadView, healthy_beat
from schemas.errors import Malformed
from schemas.samples import Lead

Rhythm = Literal[
    "normal", "bradycardia", "tachycardia", "atrial_fibrillation", "pvc", "premature", "pause", "noise", "gap"
]
RHYTHMS: Final[tuple[Rhythm, ...]] = get_args(Rhythm)

UV_PER_LSB: Final = 2.5
_MV_TO_LSB: Final = 1000 / UV_PER_LSB

Kind = Literal["sinus", "early", "wide", "fibrillating"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A beat to draw: the time to the next one, and its kind."""

    rr_s: float
    kind: Kind = "sinus"


@dataclass(frozen=True, slots=True)
class Strip:
    """int16 `samples` (leads, count), 0 = 0 mV, and where the R peaks are; its end joins its beginning."""

    rhythm: Rhythm
    rate_hz: float
    leads: tuple[Lead, ...]
    samples: NDArray[np.int16]
    r_indices: NDArray[np.int64]
    wide: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return int(self.samples.shape[1])


def make_bank(
    *,
    rhythms: Sequence[Rhythm] = RHYTHMS,
    rate_hz: float = 250.0,
    leads: Sequence[Lead] = ("II",),
    strip_s: float = 120.0,
    variants: int = 3,
    seed: int = 0,
) -> dict[Rhythm, tuple[Strip, ...]]:
    """`variants` strips of each rhythm; the same arguments give the same samples. Raises Malformed.

    Takes seconds (neurokit2's import most of them): call it in a thread when an event loop runs.
    """
    check_rhythms(rhythms)
    unknown = [lead for lead in leads if lead not in VIEWS]
    if unknown or not leads:
        raise Malformed(f"leads {list(leads)} can't be simulated; choose from {', '.join(VIEWS)}")
    waves = healthy_beat(seed)
    return {
        rhythm: tuple(
            make_strip(rhythm, waves, rate_hz, tuple(leads), strip_s, [seed, RHYTHMS.index(rhythm), variant])
            for variant in range(variants)
        )
        for rhythm in dict.fromkeys(rhythms)
    }


def check_rhythms(rhythms: Sequence[str]) -> None:
    """Raise Malformed for a rhythm that can't be simulated, or for none."""
    unknown = [rhythm for rhythm in rhythms if rhythm not in RHYTHMS]
    if unknown or not rhythms:
        raise Malformed(f"rhythms {list(unknown)} can't be simulated; choose from {', '.join(RHYTHMS)}")


def make_strip(
    rhythm: Rhythm, waves: BeatWaves, rate_hz: float, leads: tuple[Lead, ...], strip_s: float, seed: Sequence[int]
) -> Strip:
    """One strip of at least `strip_s`, drawn from `seed` alone."""
    random = np.random.default_rng(list(seed))
    beats = _plan(rhythm, strip_s, random)
    r_s = np.concatenate([[0.0], np.cumsum([beat.rr_s for beat in beats[:-1]])]) + 0.5
    count = round(sum(beat.rr_s for beat in beats) * rate_hz)
    noise = _noise(rhythm, count, rate_hz, random)
    mv = np.stack([_draw(VIEWS[lead], waves, beats, r_s, count, rate_hz) for lead in leads]) + noise
    lsb = np.clip(np.rint(mv * _MV_TO_LSB), -32767, 32767).astype(np.int16)
    lsb.flags.writeable = False  # many patients share it
    r_indices = np.rint(r_s * rate_hz).astype(np.int64) % count
    return Strip(rhythm, rate_hz, leads, lsb, r_indices, np.array([beat.kind == "wide" for beat in beats]))


def _plan(rhythm: Rhythm, strip_s: float, random: np.random.Generator) -> list[Planned]:
    beats: list[Planned] = []
    rr_s = 60 / random.uniform(*_RATE_RANGE_BPM.get(rhythm, (60.0, 85.0)))
    add = _PLANS.get(rhythm, _steady)
    while sum(beat.rr_s for beat in beats) < strip_s:
        beats += add(rr_s, len(beats), random)
    return beats


_RATE_RANGE_BPM: Final[dict[Rhythm, tuple[float, float]]] = {
    "bradycardia": (38.0, 52.0), "tachycardia": (108.0, 145.0), "atrial_fibrillation": (75.0, 120.0),
}  # fmt: skip


def _steady(rr_s: float, beat: int, random: np.random.Generator) -> list[Planned]:
    """Respiration moves the interval by 3 %, chance by 1 %."""
    return [Planned(rr_s * (1 + 0.03 * float(np.sin(beat * 1.3)) + 0.01 * random.standard_normal()))]


def _fibrillation(rr_s: float, _beat: int, random: np.random.Generator) -> list[Planned]:
    """Intervals without order, coefficient of variation about 0.22, none under 300 ms; no P waves."""
    return [Planned(max(0.3, rr_s * float(random.gamma(20.0, 1 / 20.0))), "fibrillating")]


def _ectopic(kind: Kind, early: float, after: float) -> Callable[[float, int, np.random.Generator], list[Planned]]:
    def add(rr_s: float, beat: int, random: np.random.Generator) -> list[Planned]:
        steady = [one for n in range(int(random.integers(3, 9))) for one in _steady(rr_s, beat + n, random)]
        return [*steady, Planned(rr_s * early), Planned(rr_s * after, kind)]

    return add


def _pause(rr_s: float, beat: int, random: np.random.Generator) -> list[Planned]:
    if beat % 20 == 15:
        return [Planned(float(random.uniform(2.6, 3.8)))]
    return _steady(rr_s, beat, random)


_PLANS: Final[dict[Rhythm, Callable[[float, int, np.random.Generator], list[Planned]]]] = {
    "atrial_fibrillation": _fibrillation,
    "pvc": _ectopic("wide", 0.6, 1.4),  # a compensatory pause: together two intervals
    "premature": _ectopic("early", 0.65, 1.1),  # the sinus node is reset: less than two
    "pause": _pause,
}


def _draw(
    view: LeadView, waves: BeatWaves, beats: list[Planned], r_s: NDArray[np.float64], count: int, rate_hz: float
) -> NDArray[np.float64]:
    mv = np.zeros(count)
    for index, beat in enumerate(beats):
        first = int((r_s[index] - 0.6) * rate_hz)
        at = np.arange(first, first + int(1.6 * rate_hz))
        np.add.at(mv, at % count, _beat_mv(view, waves, beat.kind, beats[index - 1].rr_s, at / rate_hz - r_s[index]))
    if beats[0].kind == "fibrillating":
        mv += _fibrillation_waves(view, count, rate_hz)
    return mv


def _beat_mv(
    view: LeadView, waves: BeatWaves, kind: Kind, rr_before_s: float, seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    stretch = float(np.clip(np.sqrt(rr_before_s), 0.7, 1.15))  # QT follows the root of RR (Bazett 1920)
    if kind == "wide":
        return 1.3 * view.qrs * waves.qrs.at(seconds, 2.2) - 0.9 * view.t * waves.t.at(seconds - 0.06)
    mv = view.qrs * waves.qrs.at(seconds) + view.t * waves.t.at(seconds, stretch)
    if kind == "sinus":
        mv += view.p * waves.p.at(seconds, min(1.0, stretch))
    elif kind == "early":
        mv += 0.6 * view.p * waves.p.at(seconds + 0.03)  # from another place in the atrium, on the T wave before it
    return mv


def _fibrillation_waves(view: LeadView, count: int, rate_hz: float) -> NDArray[np.float64]:
    """0.05 mV near 6 Hz, wandering, in whole cycles of the strip."""
    turns = np.arange(count) * (2 * np.pi / count)
    cycles = round(6 * count / rate_hz)
    slow = round(0.3 * count / rate_hz)
    waves: NDArray[np.float64] = view.p * 0.05 * np.sin(cycles * turns + 2 * np.sin(slow * turns))
    return waves


def _noise(rhythm: Rhythm, count: int, rate_hz: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Muscle noise and baseline wander; for `noise`, every second 15 s no complex can be told from it."""
    turns = np.arange(count) * (2 * np.pi / count)
    wander = np.sin(round(0.25 * count / rate_hz) * turns + random.uniform(0, 6))
    quiet: NDArray[np.float64] = 0.05 * wander + 0.01 * random.standard_normal(count)
    if rhythm != "noise":
        return quiet
    loud = (np.arange(count) // (15 * rate_hz)) % 2 == 1
    steps = np.repeat(random.uniform(-1, 1, count // 50 + 1), 50)[:count]  # an electrode that comes loose
    noisy: NDArray[np.float64] = quiet + loud * (0.7 * random.standard_normal(count) + steps)
    return noisy
