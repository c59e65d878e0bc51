"""A day of sinus rhythm under movement noise: how often something urgent is stated that isn't there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.pages import Part, Section
from bench.accuracy.rates import resampled
from bench.accuracy.records import Record, read_record
from bench.accuracy.sections import Asked, made_by
from bench.accuracy.tables import table
from bench.accuracy.ventricular_runs import OPENED, Streamed, streamed
from ingest.simulation.strips import make_bank
from schemas import rhythms
from schemas.rhythms import LABELS
from schemas.samples import Lead

HOURS: Final = 24
RATE_HZ: Final = 250.0
LEADS: Final[tuple[Lead, ...]] = ("II", "V1")
UV_PER_LSB: Final = 2.5
STRIP_S: Final = 300.0
VARIANTS: Final = 24
NOISES: Final = ("bw", "em", "ma")
SNR_DB: Final = (6.0, 12.0)
STRETCH_S: Final = (10.0, 120.0)
NOISY_SHARE: Final = 0.5
SEEDS: Final = (11, 12, 13)
FAST_BPM: Final = 140.0
SLOW_BPM: Final = 40.0
URGENT: Final = (
    rhythms.VENTRICULAR_FIBRILLATION, rhythms.VENTRICULAR_FLUTTER, rhythms.SUSTAINED_TACHYCARDIA, rhythms.ASYSTOLE,
)  # fmt: skip
BESIDE: Final = (rhythms.NON_SUSTAINED_TACHYCARDIA, rhythms.IDIOVENTRICULAR, rhythms.PAUSE, rhythms.NOISE)


@dataclass(frozen=True, slots=True)
class Day:
    """How many episodes of each label there were, stretches of extreme rates shown, and seconds too noisy to read."""

    name: str
    opened: dict[str, int]
    extreme: int


def day_section(data: Path, asked: Asked) -> Section:
    """Two leads and one, each for three days of other hearts and other noise."""
    days = []
    for leads in (2, 1):
        for seed in SEEDS:
            said = streamed(noisy_day(data, seed, leads), asked.engine, 60.0)
            days.append(counted(f"{leads} lead{'s' if leads > 1 else ''}, day {seed}", said))
    return Section("day", made_by(asked), (Part("High-priority statements in 24 h of sinus rhythm", _table(days)),))


def noisy_day(data: Path, seed: int, leads: int, hours: float = HOURS) -> Record:
    """Simulated sinus rhythm of 60 to 85 a minute; in half of the time bw, em or ma of nstdb at 6 to 12 dB.

    The noise is of the second halves of the recordings, which nothing was trained on, each stretch from another place;
    its ratio is counted as `noise.with_noise` does, and it begins and ends without a step.
    """
    rng = np.random.default_rng(seed)
    bank = make_bank(rhythms=("normal",), leads=LEADS[:leads], strip_s=STRIP_S, variants=VARIANTS, seed=seed)
    count = round(hours * 3600 * RATE_HZ)
    pieces: list[NDArray[np.int16]] = []
    while sum(piece.shape[1] for piece in pieces) < count:
        pieces.append(bank["normal"][int(rng.integers(VARIANTS))].samples)
    clean = np.concatenate(pieces, axis=1)[:, :count]
    added = _noise([_second_half(data, name) for name in NOISES], clean, rng)
    samples = np.clip(np.rint(clean + added), -32767, 32767).astype(np.int16)
    return Record(f"day {seed}", RATE_HZ, LEADS[:leads], (UV_PER_LSB,) * leads, samples)


def _second_half(data: Path, name: str) -> NDArray[np.float64]:
    """Noise whose RMS value in one second is 1 on average, (signals, samples) at RATE_HZ."""
    record = resampled(read_record(data / "nstdb" / name), RATE_HZ)
    half: NDArray[np.float64] = record.mv[:, record.count // 2 :]
    size = round(RATE_HZ)
    seconds = half[:, : half.shape[1] // size * size].reshape(len(half), -1, size)
    return np.asarray(half / seconds.std(axis=2).mean(axis=1)[:, np.newaxis])


def _noise(
    noises: Sequence[NDArray[np.float64]], clean: NDArray[np.int16], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Steps of the converter to add to the clean day."""
    first = clean[:, : round(STRIP_S * RATE_HZ)]
    heights = np.percentile(first, 99.9, axis=1) - np.percentile(first, 0.1, axis=1)
    added = np.zeros(clean.shape)
    at = 0
    while at < clean.shape[1]:
        count = min(clean.shape[1] - at, round(rng.uniform(*STRETCH_S) * RATE_HZ))
        if rng.random() < NOISY_SHARE:
            source = noises[int(rng.integers(len(noises)))]
            from_ = int(rng.integers(source.shape[1] - count))
            gain = 10 ** (-rng.uniform(*SNR_DB) / 20) * np.sqrt(1 / 8)
            for lead, height in enumerate(heights):
                wave = source[lead % len(source), from_ : from_ + count]
                added[lead, at : at + count] = gain * height * (wave - np.linspace(wave[0], wave[-1], count))
        at += count
    return added


def counted(name: str, said: Streamed) -> Day:
    """Episodes opened, and stretches of seconds that show a rate out of bounds."""
    opened = said.episodes[said.episodes["state"] == OPENED]["rhythm"]
    rate = said.metrics["heart_rate_bpm"]
    out = (rate >= FAST_BPM) | (rate <= SLOW_BPM)
    starts = int(np.count_nonzero(out[1:] & ~out[:-1]))
    return Day(name, {label: int(np.count_nonzero(opened == LABELS.index(label))) for label in URGENT + BESIDE}, starts)


def _table(days: Sequence[Day]) -> str:
    headings = ["day", "high priority", *URGENT, "extreme rate", *BESIDE]
    rows = []
    for day in days:
        urgent = sum(day.opened[label] for label in URGENT) + day.extreme
        told = [day.opened[label] for label in URGENT] + [day.extreme] + [day.opened[label] for label in BESIDE]
        rows.append([day.name, str(urgent), *map(str, told)])
    return table(headings, rows)
