"""What the reference engine remembers of a recording, and as bytes."""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.timing import DRIFT_US
from schemas.samples import MISSING, Lead, SampleBlock

Raw = NDArray[np.int16]

WINDOW_S: Final = 12.0
HOLE_S: Final = 0.1
"""Missing for longer in every lead, and the time between two beats is no interval."""
BEATS: Final = 32
NONE: Final = -1
_MEASURE_ON: Final[tuple[Lead, ...]] = ("II", "MLII", "I", "V5", "V2", "ECG")
"""The lead beats are measured on at first, by preference; quality moves it later."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A beat given, with what metrics are averaged from; intervals in ms, levels in mV, None = not measured."""

    index: int
    normal: bool
    rr_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    st_mv: float | None = None
    st80_mv: float | None = None
    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None


@dataclass(slots=True)
class Clock:
    """The device's clock: UTC of index 0 as told, moved when it has run away by more than 50 ms."""

    rate_hz: float
    anchor_us: int
    anchor_index: int = 0
    older_anchor_us: int = 0

    def keep(self, index: int, told_us: int) -> None:
        """Compare with UTC of index 0 as the block at `index` tells it."""
        if abs(told_us - self.anchor_us) > DRIFT_US:
            self.older_anchor_us, self.anchor_us, self.anchor_index = self.anchor_us, told_us, index

    def time_of(self, index: int) -> int:
        seconds = int(index // self.rate_hz)
        rest_us = round((index - seconds * self.rate_hz) * 1_000_000.0 / self.rate_hz)
        return self._anchor(index) + seconds * 1_000_000 + rest_us

    def start_us(self, second: int) -> int:
        return self._anchor(self.first_of(second)) + second * 1_000_000

    def first_of(self, second: int) -> int:
        """First index of a second of the recording: the smallest not less than `second` times the rate."""
        return math.ceil(second * self.rate_hz)

    def second_of(self, index: int) -> int:
        second = int(index // self.rate_hz)
        return second + (1 if self.first_of(second + 1) <= index else 0)

    def _anchor(self, index: int) -> int:
        return self.anchor_us if index >= self.anchor_index else self.older_anchor_us


@dataclass(slots=True)
class Rhythm:
    """The rhythm stated (a position in LABELS) and the one that may replace it; indices are the recording's."""

    label: int = NONE
    first: int = NONE
    since: int = 0
    sure: float = 0.0
    next_label: int = NONE
    next_runs: int = 0
    next_first: int = NONE
    unreadable: int = 0
    pause_first: int = NONE
    seen: int = NONE


@dataclass(slots=True)
class Held:
    """A recording in progress: its last 12 s, int16 of shape (leads, count), and what has been given."""

    recording_id: UUID
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]
    clock: Clock
    window: Raw
    next_index: int
    next_look: int
    next_row: int
    given_until: int
    main: int
    scores: list[float]
    gaps: list[tuple[int, int]] = field(default_factory=list)
    beats: list[Measured] = field(default_factory=list)
    rhythm: Rhythm = field(default_factory=Rhythm)

    @property
    def rate_hz(self) -> float:
        return self.clock.rate_hz

    @property
    def first_index(self) -> int:
        """Recording index of the window's first sample."""
        return self.next_index - int(self.window.shape[1])

    def goes_on_with(self, block: SampleBlock) -> bool:
        """Whether the block belongs to the same recording, with the same leads, rate and gain."""
        mine = (self.recording_id, self.leads, self.rate_hz, self.uv_per_lsb)
        return mine == (block.recording_id, block.leads, block.rate_hz, block.uv_per_lsb)

    def restart(self, first: int) -> None:
        """Nothing before `first` is used any more: the start, or the far side of a long gap."""
        self.window = self.window[:, :0]
        self.gaps = []
        self.next_index = self.given_until = first
        self.next_look = max(self.next_look, self.clock.second_of(first))
        self.next_row = max(self.next_row, self.next_look)

    def append(self, part: Raw) -> None:
        self.window = np.concatenate([self.window, part], axis=1)[:, -round(WINDOW_S * self.rate_hz) :]
        self.next_index += part.shape[1]

    def skip(self, until: int) -> None:
        """Samples up to `until` never came."""
        self.gaps = [gap for gap in self.gaps if gap[1] > self.first_index] + [(self.next_index, until)]

    def came(self, low: int, high: int) -> int:
        """How many samples a lead was sent of [low, high)."""
        sent = max(0, min(high, self.next_index) - max(low, self.first_index))
        return sent - sum(max(0, min(high, end) - max(low, first)) for first, end in self.gaps)

    def is_broken(self, low: int, high: int) -> bool:
        """Whether the time between two indices is unknown: a gap, a hole in all leads, or more than the window."""
        if low < self.first_index or any(low < end and first < high for first, end in self.gaps):
            return True
        missing = (self.window[:, low - self.first_index : high - self.first_index] == MISSING).all(axis=0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], missing, [0]])))
        return bool((edges[1::2] - edges[::2] > HOLE_S * self.rate_hz).any())


def begin(block: SampleBlock) -> Held:
    held = Held(
        recording_id=block.recording_id,
        leads=block.leads,
        uv_per_lsb=block.uv_per_lsb,
        clock=Clock(block.rate_hz, block.recording_started_at_us, 0, block.recording_started_at_us),
        window=np.empty((len(block.leads), 0), np.int16),
        next_index=block.first_index,
        next_look=0,
        next_row=0,
        given_until=block.first_index,
        main=next((block.leads.index(lead) for lead in _MEASURE_ON if lead in block.leads), 0),
        scores=[0.5] * len(block.leads),
    )
    held.restart(block.first_index)
    return held


def pack(state: dict[UUID, Held]) -> bytes:
    """Compressed JSON; exact, and of a window the steps from sample to sample, which are small."""
    return zlib.compress(json.dumps([[str(device), _as_json(held)] for device, held in state.items()]).encode())


def unpack(data: bytes) -> dict[UUID, Held]:
    """What `pack` wrote. Raises zlib.error, ValueError, KeyError or TypeError for other bytes."""
    return {UUID(device): _from_json(values) for device, values in json.loads(zlib.decompress(data))}


def _as_json(held: Held) -> dict[str, Any]:
    steps = np.diff(held.window.view(np.uint16), axis=1, prepend=np.uint16(0))
    return asdict(held) | {
        "recording_id": str(held.recording_id),
        "window": base64.b64encode(steps.tobytes()).decode(),
    }


def _from_json(values: dict[str, Any]) -> Held:
    leads = cast("tuple[Lead, ...]", tuple(values["leads"]))
    steps = np.frombuffer(base64.b64decode(values["window"]), np.uint16).reshape(len(leads), -1)
    window = np.cumsum(steps, axis=1, dtype=np.uint16).view(np.int16)
    return Held(
        **values
        | {
            "recording_id": UUID(values["recording_id"]),
            "leads": leads,
            "uv_per_lsb": tuple(values["uv_per_lsb"]),
            "clock": Clock(**values["clock"]),
            "window": window,
            "gaps": [(first, end) for first, end in values["gaps"]],
            "beats": [Measured(**beat) for beat in values["beats"]],
            "rhythm": Rhythm(**values["rhythm"]),
        }
    )
