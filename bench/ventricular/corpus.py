"""The recordings the network learns from, with what each second is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.accuracy.records import Record, read_record, record_names
from bench.accuracy.spans import annotated_spans
from bench.accuracy.splits import DS1, PACED, chosen_on
from bench.training.noises import Noises
from bench.ventricular.labels import Seconds, all_other, seconds_of
from ingest.simulation.strips import Rhythm, make_bank

SIMULATED: Final[tuple[Rhythm, ...]] = ("normal", "tachycardia", "bradycardia")
SPEEDS: Final = (0.85, 1.15, 1.3)
KINDS: Final = ("em", "ma", "bw", "emg", "jolts", "none")
SHARES: Final = (0.40, 0.20, 0.12, 0.08, 0.10, 0.10)
FIRST_CHALLENGE: Final = 600


@dataclass(frozen=True, slots=True)
class Example:
    """A recording as it is put to the engine; `patient` keeps its variants together, `group` tells where it is from."""

    patient: str
    group: str
    record: Record
    seconds: Seconds


def corpus(data: Path, seed: int) -> Iterator[Example]:
    """First half of vfdb; DS1 and the paced records of mitdb; first half of challenge2017; noise; simulated rhythms."""
    rng = np.random.default_rng(seed)
    noises = Noises(data)
    for path in chosen_records(data):
        yield from _vfdb(path, noises, rng)
    for name in sorted(DS1 | PACED):
        yield from _mitdb(data / "mitdb" / name, noises, rng)
    for name in challenge_names(data)[:FIRST_CHALLENGE]:
        record = read_record(data / "challenge2017" / name)
        yield Example(name, "challenge", record, all_other(int(record.count / record.rate_hz)))
    for rhythm, strips in make_bank(rhythms=SIMULATED, leads=("II", "V1"), strip_s=600.0, variants=4, seed=3).items():
        for i, strip in enumerate(strips):
            record = Record(f"{rhythm}{i}", 250.0, ("II", "V1"), (2.5, 2.5), strip.samples)
            spoiled = with_noises(record, noises, rng)
            yield Example(record.name, "simulated", spoiled, all_other(int(record.count / record.rate_hz)))


def chosen_records(data: Path) -> list[Path]:
    """Every other record of vfdb in sorted order, the first included."""
    return [data / "vfdb" / name for name in sorted(chosen_on(record_names(data / "vfdb", "atr")))]


def challenge_names(data: Path) -> list[str]:
    """The records of challenge2017, sorted."""
    with (data / "challenge2017" / "REFERENCE.csv").open() as file:
        return sorted(row[0] for row in csv.reader(file))


def _vfdb(path: Path, noises: Noises, rng: np.random.Generator) -> Iterator[Example]:
    record = read_record(path)
    variants = [record, record.only(0), record.only(1)]
    for i, speed in enumerate(SPEEDS):
        gains = tuple(uv * float(rng.uniform(0.4, 2.0)) for uv in record.uv_per_lsb)
        turned = np.ascontiguousarray(record.samples[:: -1 if i % 2 else 1])
        variants.append(replace(record, rate_hz=record.rate_hz * speed, uv_per_lsb=gains, samples=turned))
    variants.append(with_noises(record, noises, rng, (3.0, 15.0)))
    for variant in variants:
        spans = annotated_spans(path, record.count)
        seconds = seconds_of(spans, int(variant.count / variant.rate_hz), variant.rate_hz)
        yield Example(record.name, "vfdb", variant, seconds)


def _mitdb(path: Path, noises: Noises, rng: np.random.Generator) -> Iterator[Example]:
    record = read_record(path)
    seconds = seconds_of(annotated_spans(path, record.count), int(record.count / record.rate_hz), record.rate_hz)
    spoiled = with_noises(record, noises, rng)
    for group, variant in (("mitdb", record), ("mitdb", record.only(0)), ("mitdb, noise", spoiled),
                           ("mitdb, noise", with_noises(record.only(int(rng.integers(2))), noises, rng))):  # fmt: skip
        yield Example(record.name, group, variant, seconds)


def with_noises(record: Record, noises: Noises, rng: np.random.Generator,
                snr_db: tuple[float, float] = (-6.0, 12.0)) -> Record:  # fmt: skip
    """Stretches of 10 to 60 s under one kind of noise each, ended without a step; ratios of noise of unit power."""
    uv = np.array(record.uv_per_lsb)[:, np.newaxis]
    signal = record.samples * uv
    heights = [_height(lead, record.rate_hz) for lead in signal]
    added = np.zeros_like(signal)
    at = 0
    while at < record.count:
        count = min(record.count - at, int(rng.uniform(10, 60) * record.rate_hz))
        kind = str(rng.choice(KINDS, p=SHARES))
        share = 10 ** (-rng.uniform(*snr_db) / 20) * np.sqrt(1 / 8)
        for lead, height in enumerate(heights if kind != "none" and count > 2 * record.rate_hz else []):
            wave = noises.draw(rng, kind, count, round(record.rate_hz))[:count]
            wave = wave - np.linspace(wave[0], wave[-1], count)
            added[lead, at : at + count] = share * height * rng.choice((1.0, 1.0, 0.5)) * wave
        at += count
    samples = np.clip(np.rint((signal + added) / uv), -32767, 32767).astype(np.int16)
    return replace(record, samples=samples)


def _height(lead: np.ndarray, rate_hz: float) -> float:
    """Median peak to peak of pieces of 1.5 s."""
    pieces = np.array_split(lead, max(1, int(lead.size / rate_hz / 1.5)))
    return float(np.median([np.ptp(piece) for piece in pieces]))
