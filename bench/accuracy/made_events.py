"""Events that no database has enough of: the heart stops in a recorded signal, or its rate leaps."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import resample_poly

from bench.accuracy.latencies import Latency, first_told
from bench.accuracy.records import Record, read_record
from bench.accuracy.splits import DS1, DS2
from bench.accuracy.ventricular_runs import Streamed, streamed
from ingest.simulation.strips import make_bank
from processors.alarm_intervals import Intervals
from processors.ecg.engines import EngineName
from schemas import rhythms

BEFORE_S: Final = 60
STOPPED_S: Final = 20
STARTS_S: Final = (0, 600, 1200)
NOISE_UV: Final = 10.0
FAST_BPM: Final = 140.0
SLOW_BPM: Final = 40.0
TOLD_S: Final = 2.0
_NUMERATOR: Final = {"tachycardia": 3, "bradycardia": 5}
_DENOMINATOR: Final = {"tachycardia": 2, "bradycardia": 7}
"""The simulated 108 to 145 a minute played at 1.5 times the speed, 38 to 52 at 0.71: 162 to 218 and 27 to 37."""


def stopped_hearts(data: Path, name: EngineName, block_s: float) -> list[Latency]:
    """Three times in each record of mitdb's DS1 and DS2 the heart stops for 20 s, on a wandering, noisy line."""
    events = []
    for group, names in (("DS1", DS1), ("DS2", DS2)):
        for each in sorted(names):
            for start_s in STARTS_S:
                record, onset_s = _stopped(read_record(data / "mitdb" / each), start_s)
                said = streamed(record, name, block_s)
                after_s = first_told(said.told, [rhythms.ASYSTOLE], onset_s, onset_s + STOPPED_S)
                events.append(Latency("asystole, made", group, f"{each} {start_s} s", onset_s, after_s))
    return events


def _stopped(record: Record, start_s: int) -> tuple[Record, float]:
    """A minute of the record, then no beats from the onset on."""
    rate_hz = record.rate_hz
    first = round(start_s * rate_hz)
    before = record.samples[:, first : first + round(BEFORE_S * rate_hz)]
    rng = np.random.default_rng(first + record.count)
    count = round(STOPPED_S * rate_hz)
    t = np.arange(count) / rate_hz
    wander = 50.0 * (np.cos(2 * np.pi * 0.25 * t) - 1.0)
    quiet_uv = rng.normal(0, NOISE_UV, (len(before), count)) + wander
    fall = np.exp(-t / 0.1) * (before[:, -1:] - np.median(before, axis=1, keepdims=True))
    level = np.median(before, axis=1, keepdims=True)
    still = level + fall + quiet_uv / np.array(record.uv_per_lsb)[:, np.newaxis]
    samples = np.concatenate([before, np.clip(np.rint(still), -32767, 32767).astype(np.int16)], axis=1)
    return replace(record, samples=samples), BEFORE_S


def leaping_rates(name: EngineName, block_s: float) -> list[Latency]:
    """A minute of simulated sinus rhythm, then at once an extreme rate: until the rate shown is over the limit."""
    bank = make_bank(
        rhythms=("normal", "tachycardia", "bradycardia"), leads=("II", "V1"), strip_s=60.0, variants=8, seed=21
    )
    events = []
    for rhythm in _NUMERATOR:
        for i, (calm, extreme) in enumerate(zip(bank["normal"], bank[rhythm], strict=True)):  # type: ignore[index] # a key of the bank
            other = resample_poly(extreme.samples, _DENOMINATOR[rhythm], _NUMERATOR[rhythm], axis=1)
            joined = np.concatenate([calm.samples, np.rint(other).astype(np.int16)], axis=1)
            record = Record(f"{rhythm} {i}", 250.0, ("II", "V1"), (2.5, 2.5), joined)
            onset_s = calm.count / 250.0
            after_s = _rate_after(streamed(record, name, block_s), rhythm == "tachycardia", onset_s)
            kind = f"heart rate >= {FAST_BPM:g}" if rhythm == "tachycardia" else f"heart rate <= {SLOW_BPM:g}"
            events.append(Latency(f"{kind}, simulated", "simulated", record.name, onset_s, after_s))
    return events


def _rate_after(said: Streamed, fast: bool, onset_s: float) -> float:
    """When the first second over the limit was told: its row comes 1 s after its end, in the block after that.

    A slow heart is told as the alarms tell it, by the rate shown or by the middle one of the last three intervals.
    """
    intervals = Intervals([(int(b["at_us"]), 0.0 if np.isnan(b["rr_ms"]) else float(b["rr_ms"])) for b in said.beats])
    for row in said.metrics[said.metrics["window_start_us"] >= onset_s * 1e6]:
        end_us = int(row["window_start_us"]) + 1_000_000
        slow = row["heart_rate_bpm"] <= SLOW_BPM or intervals.slow_bpm(end_us, round(SLOW_BPM)) is not None
        if row["heart_rate_bpm"] >= FAST_BPM if fast else slow:
            return end_us / 1e6 + TOLD_S - onset_s
    return inf
