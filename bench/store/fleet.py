"""A live fleet's rows as a worker has them to write: what 5,000 devices decide and complete in a tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from processors.publish import Decided
from processors.sinks import Rows
from schemas.metrics import FIGURES
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas.samples import Lead, Recording, WaveformStretch

RATE_HZ: Final = 250
STRETCH_S: Final = 10
TICKS_A_SECOND: Final = 10
"""A worker gathers records for a tenth of a second."""
LEADS: Final[tuple[Lead, ...]] = ("II", "V1")
_GAINS: Final = (2.5, 2.5)
_NAMES: Final = UUID("6c656164-7769-4265-8e00-666c65657400")
_STRETCH: Final = RATE_HZ * STRETCH_S
_STAGGER: Final = 977
"""Samples that each device is ahead of the one before, so that no two rows hold the same bytes."""
_TICK_US: Final = 1_000_000 // TICKS_A_SECOND
_STRETCH_TICKS: Final = STRETCH_S * TICKS_A_SECOND
_EXTRA_EVERY: Final = 5
"""Of so many devices one has a second beat in the second: 6,000 beats/s of 5,000 devices."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices that began at `start_us`; their samples are cut out of `bank`, int16 of shape (2, count)."""

    devices: int
    start_us: int
    bank: NDArray[np.int16]
    sources: tuple[Source, ...] = field(init=False)
    users: tuple[UUID, ...] = field(init=False)

    def __post_init__(self) -> None:
        numbers = range(self.devices)
        sources = tuple(Source(_name("device", n), _name("recording", n), LEADS) for n in numbers)
        object.__setattr__(self, "sources", sources)  # the class is frozen
        object.__setattr__(self, "users", tuple(_name("user", n) for n in numbers))

    def recordings(self) -> list[Recording]:
        """One of each device, begun so that stretches end evenly over the ten seconds."""
        return [
            Recording(source.recording_id, source.device_id, self.users[n], self._began_us(n), RATE_HZ, LEADS, _GAINS)
            for n, source in enumerate(self.sources)
        ]

    def rows(self, tick: int) -> Rows:
        """What is decided and complete at a tick: a second of metrics of each tenth device, beats, stretches."""
        numbers = np.arange(tick % TICKS_A_SECOND, self.devices, TICKS_A_SECOND)
        second = tick // TICKS_A_SECOND
        sources = tuple(self.sources[n] for n in numbers.tolist())
        results = Results(
            sources,
            self._beats(numbers, second),
            self._metrics(numbers, second),
            np.zeros(0, EPISODE_DTYPE),
            "bench-1",
        )
        owners: dict[UUID, UUID | None] = {self.sources[n].device_id: self.users[n] for n in numbers.tolist()}
        return Rows(decided=[Decided(0, results)], stretches=self.stretches(tick), owners=owners)

    def stretches(self, tick: int) -> list[WaveformStretch]:
        """Those that end at this tick: 500 a second of 5,000 devices."""
        number = tick // _STRETCH_TICKS
        return [self.stretch(n, number) for n in range(tick % _STRETCH_TICKS, self.devices, _STRETCH_TICKS)]

    def stretch(self, device: int, number: int) -> WaveformStretch:
        """The device's stretch of that number, from 0."""
        source, first = self.sources[device], number * _STRETCH
        place = (first + device * _STAGGER) % (self.bank.shape[1] - _STRETCH)
        return WaveformStretch(
            recording_id=source.recording_id,
            device_id=source.device_id,
            first_index=first,
            started_at_us=self._began_us(device) + number * STRETCH_S * 1_000_000,
            rate_hz=RATE_HZ,
            leads=LEADS,
            uv_per_lsb=_GAINS,
            samples=self.bank[:, place : place + _STRETCH],
        )

    def _began_us(self, device: int) -> int:
        return self.start_us - STRETCH_S * 1_000_000 + device % _STRETCH_TICKS * _TICK_US

    def _beats(self, numbers: NDArray[np.int64], second: int) -> NDArray[Any]:
        again = np.flatnonzero(numbers // TICKS_A_SECOND % _EXTRA_EVERY == 0)
        place = np.concatenate([np.arange(numbers.size), again])
        late = np.concatenate([np.zeros(numbers.size, np.int64), np.full(again.size, 130)])
        table = np.zeros(place.size, BEAT_DTYPE)
        table["source"] = place
        table["r_index"] = (second + STRETCH_S) * RATE_HZ + 50 + late
        began_us = np.array([self._began_us(n) for n in numbers.tolist()])[place]
        table["at_us"] = began_us + table["r_index"] * (1_000_000 // RATE_HZ)
        table["beat_class"], table["confidence"] = "N", 97.5
        for name in ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv"):
            table[name] = 100 + (place * 7 + second * 13) % 900 / 3
        for offset, name in enumerate(_MARKS, -4):
            table[name] = table["r_index"] + 12 * offset
        return table

    def _metrics(self, numbers: NDArray[np.int64], second: int) -> NDArray[Any]:
        table = np.zeros(numbers.size, METRICS_DTYPE)
        table["source"] = np.arange(numbers.size)
        table["window_start_us"] = self.start_us + (second - 1) * 1_000_000
        for position, name in enumerate(FIGURES):
            table[name] = 50 + (numbers * 3 + second * 11 + position) % 500 / 7
        table["rhythm"], table["main_lead"] = 0, 0
        table["arrhythmia_confidence"], table["quality"] = 95.5, 0.875
        table["lead_quality"] = np.nan
        table["lead_quality"][:, : len(LEADS)] = 0.5 + (numbers % 50)[:, np.newaxis] / 100
        return table


_MARKS: Final = ("p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak", "t_offset")


def together(parts: Sequence[Rows]) -> Rows:
    """The rows of several ticks: what a worker writes at once when it is behind."""
    whole = Rows()
    for part in parts:
        whole.extend(part)
    return whole


def _name(kind: str, number: int) -> UUID:
    return uuid5(_NAMES, f"{kind}-{number}")
