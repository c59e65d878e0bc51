"""Which records train and which only test, their conditioned leads, beats as the engine detects them, and reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
import wfdb
from numpy.typing import NDArray
from scipy.signal import lfilter

from processors.ecg.engine import FastEngine
from processors.ecg.filters import BASELINE_HZ
from processors.ecg.state import MARKS
from schemas.samples import SampleBlock

QTDB_TRAIN: Final = (
    "sel103", "sel116", "sel14046", "sel16265", "sel16483", "sel16786", "sel17152", "sel223", "sel231",
    "sel233", "sel306", "sel308", "sel32", "sel38", "sel41", "sel43", "sel45", "sel49",
    "sel52", "sel808", "sel820", "sel840", "sel871", "sel883", "sele0104", "sele0114", "sele0121",
    "sele0124", "sele0129", "sele0136", "sele0203", "sele0211", "sele0409", "sele0603", "sele0607",
)  # fmt: skip
"""Every other of the 70 records in the order of their names; the 35 others are never trained on."""
WITHOUT_P: Final = (
    "106", "109", "114", "116", "118", "124", "201", "203", "205", "208", "215", "223",
)  # fmt: skip
"""Training records of mitdb (DS1) whose ventricular beats, or beats in atrial fibrillation, have no P wave."""
FIBRILLATING: Final = ("201", "203")
NOT_FOR_BEATS: Final = ("203",)
MATCH_S: Final = 0.15
LEAD_IN_S: Final = 15
LEAD_OUT_S: Final = 4
LONGEST_S: Final = 110


@dataclass(frozen=True, slots=True)
class Recording:
    """A stretch: leads in µV (leads, samples), the detector's marks, and true places of `marks` (beats, 8), NaN = none.

    `reference` holds the beats' R positions; `kinds` says "V" or "AF" where the reference is a beat without P.
    """

    rate_hz: float
    leads: NDArray[np.float64]
    detected: NDArray[np.int64]
    reference: NDArray[np.int64]
    marks: NDArray[np.float64]
    kinds: tuple[str, ...]


def read_qtdb(folder: Path, name: str) -> Recording:
    """The part of a record that has boundaries in `.q1c`, with 15 s before it."""
    leads, rate_hz, detected = _signal(folder / "qtdb" / name)
    reference, marks = boundaries(folder / "qtdb" / name)
    first = max(0, int(reference[0] - LEAD_IN_S * rate_hz))
    end = int(min(leads.shape[1], reference[-1] + LEAD_OUT_S * rate_hz, first + LONGEST_S * rate_hz))
    inside = (detected >= first + rate_hz / 2) & (detected < end - rate_hz)
    known = reference < end - rate_hz
    return Recording(
        rate_hz,
        leads[:, first:end],
        detected[inside] - first,
        reference[known] - first,
        marks[known] - first,
        ("",) * int(known.sum()),
    )


def read_without_p(folder: Path, name: str) -> Recording:
    """A record of mitdb with its beats that have no P wave."""
    leads, rate_hz, detected = _signal(folder / "mitdb" / name)
    notes = wfdb.rdann(str(folder / "mitdb" / name), "atr")
    beats: list[int] = []
    kinds: list[str] = []
    rhythm = ""
    for at, symbol, text in zip(notes.sample, notes.symbol, notes.aux_note, strict=True):
        if symbol == "+":
            rhythm = text.strip("\x00")
        if symbol == "V" and name not in NOT_FOR_BEATS:
            beats.append(int(at))
            kinds.append("V")
        elif symbol in "NLR" and rhythm == "(AFIB" and name in FIBRILLATING:
            beats.append(int(at))
            kinds.append("AF")
    marks = np.full((len(beats), MARKS), np.nan)
    return Recording(rate_hz, leads, detected, np.array(beats, np.int64), marks, tuple(kinds))


def boundaries(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """R positions and boundaries of `.q1c`: P onset, peak, offset, QRS onset, offset, T onset, peak, offset."""
    notes = wfdb.rdann(str(path), "q1c")
    events = list(zip(notes.sample, notes.symbol, strict=True))
    beats = [i for i, (_, symbol) in enumerate(events) if symbol not in "()ptu"]
    marks = np.full((len(beats), MARKS), np.nan)
    for row, i in zip(marks, beats, strict=True):
        _walk(events, i, -1, (("(", 3), (")", 2), ("p", 1), ("(", 0)), row)
        _walk(events, i, 1, ((")", 4), ("(", 5), ("t", 6), (")", 7)), row)
        for peak, ends in ((1, [0, 2]), (6, [5, 7])):
            if np.isnan(row[peak]):
                row[ends] = np.nan  # they belong to a wave of a neighbour
    return np.array([events[i][0] for i in beats], np.int64), marks


def _walk(
    events: list[tuple[Any, str]], start: int, step: int, expected: tuple[tuple[str, int], ...], row: NDArray[Any]
) -> None:
    """Take the marks that follow in the expected order; those that are missing are passed over."""
    i = start + step
    for symbol, mark in expected:
        if 0 <= i < len(events) and events[i][1] == symbol:
            row[mark] = events[i][0]
            i += step


def _signal(path: Path) -> tuple[NDArray[np.float64], float, NDArray[np.int64]]:
    record = wfdb.rdrecord(str(path), physical=False)
    counts = (record.d_signal - np.array(record.baseline)).T
    gains = tuple(1000.0 / gain for gain in record.adc_gain)
    share = 2.0 * np.pi * BASELINE_HZ / record.fs
    leads = counts * np.array(gains)[:, None]
    leads = lfilter([1.0 - share, share - 1.0], [1.0, share - 1.0], leads - leads[:, :1], axis=1)
    return leads, float(record.fs), _detect(counts.astype(np.int16), float(record.fs), gains)


def _detect(samples: NDArray[np.int16], rate_hz: float, gains: tuple[float, ...]) -> NDArray[np.int64]:
    engine = FastEngine()
    state = engine.new_state()
    found = []
    size = int(rate_hz * 60)
    for first in range(0, samples.shape[1], size):
        block = SampleBlock(
            device_id=UUID(int=1),
            recording_id=UUID(int=1),
            first_index=first,
            started_at_us=round(first * 1e6 / rate_hz),
            rate_hz=rate_hz,
            leads=("ECG1", "ECG2"),
            uv_per_lsb=gains,
            samples=np.ascontiguousarray(samples[:, first : first + size]),
        )
        step = engine.step([block], state)
        state = step.state
        found.append(step.results.beats["r_index"])
    return np.concatenate(found).astype(np.int64)


def offset_of(middles: NDArray[np.int64], reference: NDArray[np.int64], rate_hz: float) -> NDArray[np.int64]:
    """For each reference beat the position in `middles` of its window; -1 without one within 150 ms."""
    nearest = np.array([int(np.argmin(abs(middles - at))) for at in reference])
    return np.where(abs(middles[nearest] - reference) <= MATCH_S * rate_hz, nearest, -1)
