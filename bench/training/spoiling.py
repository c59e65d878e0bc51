"""A record made harder: noise, other rates, changes of gain, pacing spikes, beats that are not conducted."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.accuracy.references import Stretch
from bench.training.noises import Noises
from bench.training.recordings import Marked

RAIL: Final = 32000
KINDS: Final = ("em", "em", "ma", "bw", "emg", "mains", "jolts", "jolts")


def _whole(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.round(samples), -RAIL, RAIL).astype(np.int16)


def at_rate(record: Marked, rate_hz: int) -> Marked:
    """The record resampled, beats and left-out stretches moved along."""
    old = round(record.rate_hz)
    if old == rate_hz:
        return record
    common = int(np.gcd(old, rate_hz))
    samples = resample_poly(record.samples.astype(float), rate_hz // common, old // common, axis=1)
    ratio = rate_hz / old
    return replace(
        record,
        rate_hz=float(rate_hz),
        samples=_whole(samples),
        beats=np.round(record.beats * ratio).astype(np.int64),
        left_out=tuple(Stretch(int(s.begin * ratio), int(s.end * ratio)) for s in record.left_out),
    )


def qrs_height(record: Marked, lead: int) -> float:
    """Median peak-to-peak height around the annotated beats, in converter steps."""
    reach = int(0.06 * record.rate_hz)
    x = record.samples[lead]
    spans = [np.ptp(x[max(0, at - reach) : at + reach + 1]) for at in record.beats[::7]]
    return float(np.median(spans)) if spans else 100.0


def spoilt(record: Marked, noises: Noises, rng: np.random.Generator) -> Marked:
    """Stretches of 5 to 40 s of noise at 0 to 20 dB (QRS power as nst defines it), each followed by a clean one."""
    samples = record.samples.astype(float)
    total = samples.shape[1]
    at = 0
    heights = [qrs_height(record, k) for k in range(len(samples))]
    while at < total:
        at += int(rng.uniform(3, 25) * record.rate_hz)
        count = min(total - at, int(rng.uniform(5, 40) * record.rate_hz))
        if count <= 16:
            break
        kind = str(rng.choice(KINDS))
        for k, height in enumerate(heights):
            snr = rng.uniform(0, 20)
            scale = height / np.sqrt(8) * 10 ** (-snr / 20)
            samples[k, at : at + count] += scale * noises.draw(rng, kind, count, record.rate_hz)
        at += count
    return replace(record, samples=_whole(samples))


def regained(record: Marked, rng: np.random.Generator) -> Marked:
    """The gain and polarity change a few times, once suddenly each; small steps are kept apart by a finer scale."""
    total = record.samples.shape[1]
    gain = np.ones(total)
    for at in rng.integers(0, total, 4):
        gain[at:] = np.exp(rng.uniform(np.log(0.3), np.log(2.5))) * rng.choice((-1.0, 1.0))
    samples = _whole(record.samples * gain * 4)
    return replace(record, samples=samples, uv_per_lsb=tuple(g / 4 for g in record.uv_per_lsb))


def with_spikes(record: Marked, rng: np.random.Generator) -> Marked:
    """Pacing spikes of 2 ms before most beats, some before their P wave too, a few without a beat."""
    samples = record.samples.astype(float)
    wide = max(1, round(0.002 * record.rate_hz))
    for k in range(len(samples)):
        height = qrs_height(record, k) * rng.uniform(0.2, 1.5) * rng.choice((-1.0, 1.0))
        for beat in record.beats:
            at = int(beat - rng.uniform(0.03, 0.06) * record.rate_hz)
            if at > 0 and rng.random() < 0.9:
                samples[k, at : at + wide] += height
            early = int(beat - 0.18 * record.rate_hz)
            if early > 0 and rng.random() < 0.3:
                samples[k, early : early + wide] += 0.6 * height
    return replace(record, samples=_whole(samples))


def blocked(record: Marked, rng: np.random.Generator) -> Marked:
    """Beats that are not conducted: QRS and T are taken out, the P wave stays, in some records higher; flutter waves.

    Second-degree block, sinus pauses and flutter are rare among the records, and a P wave that nothing follows is what
    a detector that has never met one takes for a beat.
    """
    samples = record.samples.astype(float)
    kept = _conducted(len(record.beats), rng)
    for k in range(len(samples)):
        gain = rng.uniform(1.0, 3.0)
        _take_out(samples[k], record, kept, gain, rng)
        _add_flutter(samples[k], 0.15 * qrs_height(record, k), record.rate_hz, rng)
    return replace(record, beats=record.beats[kept], samples=_whole(samples))


def _conducted(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Runs of 8 to 40 beats: all conducted, every other one, three of four, or with pauses of four."""
    kept = np.ones(count, bool)
    at = 5
    while at < count - 2:
        length = int(rng.integers(8, 40))
        kind = rng.choice(("none", "two", "few", "pause"))
        for i in range(at, min(at + length, count - 2)):
            two = kind == "two" and (i - at) % 2 == 1
            few = kind == "few" and rng.random() < 0.25
            pause = kind == "pause" and (i - at) % 14 in (4, 5, 6, 7)
            kept[i] = not (two or few or pause)
        at += length
    return kept


def _take_out(
    x: NDArray[np.float64], record: Marked, kept: NDArray[np.bool_], gain: float, rng: np.random.Generator
) -> None:
    """Replace QRS and T of beats not kept by a line with noise, and magnify the P wave before it."""
    hz, beats = record.rate_hz, record.beats
    rough = 1.2 * np.median(np.abs(np.diff(x))) / np.sqrt(2)
    for i in np.flatnonzero(~kept):
        low, high = int(beats[i] - 0.30 * hz), int(beats[i] - 0.07 * hz)
        end = int(beats[i] + min(0.48 * hz, 0.75 * (beats[i + 1] - beats[i])))
        if low < 2 or end + 2 >= len(x):
            continue
        line = np.linspace(x[low], x[high], high - low)
        x[low:high] = line + gain * (x[low:high] - line)
        x[high:end] = np.linspace(x[high], x[end], end - high) + rng.normal(0, rough, end - high)


def _add_flutter(samples: NDArray[np.float64], height: float, hz: float, rng: np.random.Generator) -> None:
    for _ in range(6):
        count = int(rng.uniform(8, 30) * hz)
        start = int(rng.integers(max(1, len(samples) - count)))
        part = samples[start : start + count]
        phase = 2 * np.pi * rng.uniform(3.5, 6.0) * np.arange(len(part)) / hz
        part += height * rng.uniform(0.2, 1.0) * (np.sin(phase) + 0.4 * np.sin(2 * phase + 1.0))
