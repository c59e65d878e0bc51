"""Wards for the fake backend: devices with patients, hearts and figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid5

from tests.dashboard import hearts
from tests.dashboard.hearts import Heart

_NAMES = UUID("6f1f4f5e-0d3b-4d0c-9d5e-2f0f7d2c9a11")


@dataclass(frozen=True, slots=True)
class Bed:
    """A device and who wears it. `silent_s` is how long ago it was last heard; None means it is live."""

    number: int
    patient: str
    heart: Heart
    label: str | None
    rate: float
    confidence: float = 94.0
    quality: float = 0.96
    silent_s: float | None = None
    gap_every: int = 0

    @property
    def device_id(self) -> str:
        return str(uuid5(_NAMES, f"device {self.number}"))

    @property
    def user_id(self) -> str:
        return str(uuid5(_NAMES, f"user {self.number}"))

    @property
    def recording_id(self) -> str:
        return str(uuid5(_NAMES, f"recording {self.number}"))

    @property
    def serial(self) -> str:
        return f"LW-{20480 + self.number * 7:05d}"

    def rate_at(self, second: int) -> float:
        """A heart rate that drifts over minutes, as resting people's do."""
        drift = 0.05 * math.sin(second / 71) + 0.03 * math.sin(second / 17 + self.number)
        return round(self.rate * (1 + drift), 1)


def ward() -> list[Bed]:
    """Twelve beds with everything a dashboard has to show."""
    limb = ("I", "II", "III")
    fibrillating = hearts.drawn(limb, every_s=0.52, spread=0.22, atrial=False, noise_mv=0.03, seed=3)
    noisy = hearts.drawn(("II",), noise_mv=0.35, seed=7)
    return [
        Bed(0, "Margaret Ellison", hearts.record("100"), "Normal Sinus Rhythm", 74, 98),
        Bed(1, "Ruth Adeyemi", hearts.record("208"), "Premature Ventricular Complexes", 103, 88, 0.91),
        Bed(2, "Jonas Weber", fibrillating, "Atrial Fibrillation", 118, 81, 0.88),
        Bed(
            3, "Ingrid Solheim", hearts.drawn(tuple(hearts.TWELVE), rate_hz=500, seed=2), "Normal Sinus Rhythm", 75, 97
        ),
        Bed(4, "Tomasz Nowak", hearts.drawn(limb, every_s=0.95, pause_s=2.6, seed=4), "Pause", 52, 90, 0.93),
        Bed(5, "Aiko Tanaka", hearts.drawn(("II", "V5"), every_s=1.25, seed=5), "Sinus Bradycardia", 48, 92, 0.97),
        Bed(6, "Daniel Okafor", hearts.drawn(("I", "II"), every_s=0.49, seed=6), "Sinus Tachycardia", 122, 90, 0.94),
        Bed(7, "Helena Costa", hearts.drawn(limb, seed=8), "Normal Sinus Rhythm", 75, 95, 0.9, gap_every=5),
        Bed(8, "Peter Lindqvist", hearts.drawn(("II",), seed=9), "Normal Sinus Rhythm", 66, 95, silent_s=252),
        Bed(9, "Amara Diallo", hearts.drawn(("II",), seed=10), None, 0, 0, silent_s=math.inf),
        Bed(10, "Viktor Hrubý", noisy, "Unreadable Signal", 0, 76, 0.12),
        Bed(11, "Screen Ruler", hearts.ruler(), "Irregular Rhythm", 60, 41, 1.0),
    ]


def hospital(count: int) -> list[Bed]:
    """The ward and as many more beds as make `count`, quiet ones mostly."""
    beds = ward()
    given = ("Anna", "Bruno", "Chiara", "David", "Elif", "Farid", "Greta", "Hugo", "Iris", "Jan", "Karla", "Luis")
    family = ("Abel", "Berg", "Conti", "Dahl", "Evans", "Fischer", "Garcia", "Horvat", "Ito", "Jensen", "Keller")
    shared = [bed.heart for bed in beds[3:8]]
    for number in range(len(beds), count):
        name = f"{given[number % 12]} {family[number % 11]}"
        label, rate = _complaint(number)
        silent_s = 3600.0 if number % 29 == 0 else None
        beds.append(Bed(number, name, shared[number % 5], label, rate, 70 + number % 30, 0.8, silent_s))
    return beds[:count]


def _complaint(number: int) -> tuple[str, float]:
    rare: list[tuple[Callable[[int], bool], str, float]] = [
        (lambda n: n % 97 == 0, "Atrial Fibrillation", 110),
        (lambda n: n % 41 == 0, "Premature Ventricular Complexes", 78),
        (lambda n: n % 37 == 0, "Sinus Bradycardia", 51),
    ]
    return next(
        ((label, rate) for fits, label, rate in rare if fits(number)), ("Normal Sinus Rhythm", 60 + number % 30)
    )
