"""Made-up ECG with known beats, cut into blocks, and engines run over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.interface import Engine
from schemas.clock import index_to_us
from schemas.results import Results
from schemas.samples import MISSING, Lead, SampleBlock

STARTED_AT_US = 1_700_000_000_000_000
UV_PER_LSB = 2.0
TWELVE: tuple[Lead, ...] = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_WAVES = (  # seconds from R, width in seconds, height in mV
    (-0.16, 0.022, 0.15), (-0.025, 0.008, -0.10), (0.0, 0.011, 1.2), (0.028, 0.009, -0.25), (0.25, 0.045, 0.30),
)  # fmt: skip
_WIDE = ((0.0, 0.035, 1.6), (0.09, 0.03, -0.9), (0.30, 0.05, -0.4))


@dataclass(frozen=True)
class Output:
    """All rows of one device, as bytes too: equal bits is the promise."""

    beats: NDArray[Any]
    metrics: NDArray[Any]
    episodes: NDArray[Any]

    @property
    def bits(self) -> tuple[bytes, bytes, bytes]:
        return self.beats.tobytes(), self.metrics.tobytes(), self.episodes.tobytes()


def ecg(
    beats_s: Iterable[float],
    seconds: float,
    rate_hz: float = 250.0,
    *,
    wide: Iterable[int] = (),
    noise_mv: float = 0.01,
    p_wave: bool = True,
) -> NDArray[np.int16]:
    """One lead with a beat at each time; the beats numbered in `wide` are broad, without P."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = np.random.default_rng(7).normal(0, noise_mv, len(t)) + 0.1 * np.sin(2 * np.pi * 0.25 * t)
    broad = set(wide)
    for number, r in enumerate(beats_s):
        for centre_s, width_s, height_mv in _WIDE if number in broad else _WAVES[0 if p_wave else 1 :]:
            near = np.abs(t - r - centre_s) < 5 * width_s
            wave[near] += height_mv * np.exp(-0.5 * ((t[near] - r - centre_s) / width_s) ** 2)
    return np.round(wave * 1000 / UV_PER_LSB).astype(np.int16)


def regular(bpm: float, seconds: float) -> NDArray[np.float64]:
    """Beat times from 0.5 s on."""
    return np.arange(0.5, seconds - 0.4, 60.0 / bpm)


def usual_leads(count: int) -> tuple[Lead, ...]:
    """II first, as one-lead devices have it."""
    few: tuple[Lead, ...] = ("II", "V1", "V5")
    return few[:count] if count <= 3 else TWELVE[:count]


def many_leads(lead: NDArray[np.int16], count: int) -> NDArray[np.int16]:
    """`count` leads that see the same beats, each in its own size, sign and noise; (count, samples)."""
    noise = np.random.default_rng(11).normal(0, 8, (count, len(lead)))
    sizes = np.array([1.0, 0.6, -0.8, 0.4, 1.3, -0.5])[np.arange(count) % 6, None]
    seen = np.round(lead * sizes + noise)
    return np.where(lead == MISSING, MISSING, np.clip(seen, -32767, 32767)).astype(np.int16)


def cut(
    samples: NDArray[np.int16],
    edges: Sequence[int],
    *,
    device: int = 1,
    recording: int = 1001,
    rate_hz: float = 250.0,
    leads: tuple[Lead, ...] | None = None,
    first: int = 0,
    ahead_us: int = 0,
    uv_per_lsb: float = UV_PER_LSB,
) -> list[SampleBlock]:
    """Blocks of (leads, count) samples between the edges.

    `first` is the recording index of the first sample; by `ahead_us` the device's clock is ahead of the usual.
    """
    rows = np.atleast_2d(samples)
    names = leads or usual_leads(len(rows))
    return [
        SampleBlock(
            device_id=UUID(int=device),
            recording_id=UUID(int=recording),
            first_index=first + low,
            started_at_us=STARTED_AT_US + index_to_us(first + low, rate_hz) + ahead_us,
            rate_hz=rate_hz,
            leads=names,
            uv_per_lsb=(uv_per_lsb,) * len(rows),
            samples=rows[:, low:high],
        )
        for low, high in pairwise(edges)
    ]


def every(size: int, samples: NDArray[np.int16], **options: Any) -> list[SampleBlock]:
    count = np.atleast_2d(samples).shape[1]
    return cut(samples, [*range(0, count, size), count], **options)


def of_device(results: Iterable[Results], device: int = 1) -> Output:
    """The rows of one device out of many steps; `source` is made 0, because it counts within a step."""
    tables: list[list[NDArray[Any]]] = [[], [], []]
    for result in results:
        mine = [i for i, source in enumerate(result.sources) if source.device_id == UUID(int=device)]
        for table, rows in zip(tables, (result.beats, result.metrics, result.episodes), strict=True):
            chosen = rows[np.isin(rows["source"], mine)]
            chosen["source"] = 0
            table.append(chosen)
    return Output(*(np.concatenate(table) for table in tables))


def run(engine: Engine[Any], blocks: Sequence[SampleBlock], *, per_step: int = 1, device: int = 1) -> Output:
    """All blocks through the engine, `per_step` at a time, then close."""
    state = engine.new_state()
    results = []
    for i in range(0, len(blocks), per_step):
        step = engine.step(blocks[i : i + per_step], state)
        state = step.state
        results.append(step.results)
    results.append(engine.close([UUID(int=device)], state).results)
    return of_device(results, device)
