"""The reference engine: neurokit2 on the last seconds of each device, behind the same interface; slow."""

from __future__ import annotations

import json
import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final
from uuid import UUID

import neurokit2
import numpy as np
from numpy.typing import NDArray

from processors.ecg.interface import StateMismatch, Step
from processors.ecg.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas import rhythms
from schemas.clock import index_to_us
from schemas.metrics import FIGURES
from schemas.samples import MISSING, Lead, SampleBlock

Signal = NDArray[np.float64]

WINDOW_S: Final = 12
"""ecg_process sees this much signal, once a second of the recording."""
MARGIN_S: Final = 2.0
"""Beats younger than this are left to the next look: neurokit2's delineation needs the beat that follows."""
LEAST_S: Final = 6
REFRACTORY_S: Final = 0.2
_MAGIC: Final = b"LWN1"
_MARKS: Final = {
    "p_onset": "ECG_P_Onsets", "p_peak": "ECG_P_Peaks", "p_offset": "ECG_P_Offsets",
    "qrs_onset": "ECG_R_Onsets", "qrs_offset": "ECG_R_Offsets",
    "t_onset": "ECG_T_Onsets", "t_peak": "ECG_T_Peaks", "t_offset": "ECG_T_Offsets",
}  # fmt: skip


@dataclass(slots=True)
class Held:
    """One recording in progress: its last seconds in mV (the first lead), and what has been given."""

    recording_id: UUID
    leads: tuple[Lead, ...]
    rate_hz: float
    started_at_us: int
    signal: Signal
    next_index: int
    next_look: int
    last_r: int | None = None
    given_until: int = 0
    rr_ms: list[float] = field(default_factory=list)

    def window_end(self, k: int) -> int:
        return math.ceil((k + 1) * self.rate_hz)


State = dict[UUID, Held]


class ReferenceEngine:
    """Engine over neurokit2.ecg_process; beats come 2 to 3 s late, and no rhythm but the rate's is stated.

    Looks are aligned to the seconds of the recording, so the block length changes nothing. The first lead is used.
    """

    version = f"neurokit2-{version('neurokit2')}-1"

    def new_state(self) -> State:
        return {}

    def step(self, blocks: Sequence[SampleBlock], state: State) -> Step[State]:
        rows = _Rows(self.version)
        order = {device_id: i for i, device_id in enumerate(dict.fromkeys(b.device_id for b in blocks))}
        for block in sorted(blocks, key=lambda b: order[b.device_id]):
            held = state.get(block.device_id)
            if held is None or not _same(held, block):
                if held is not None:
                    _finish(held, rows.of(block.device_id, held.recording_id, held.leads))
                held = state[block.device_id] = _begin(block)
            _take(held, block, rows.of(block.device_id, block.recording_id, block.leads))
        return Step(rows.results(), state)

    def close(self, device_ids: Sequence[UUID], state: State) -> Step[State]:
        rows = _Rows(self.version)
        for device_id in device_ids:
            held = state.pop(device_id, None)
            if held is not None:
                _finish(held, rows.of(device_id, held.recording_id, held.leads))
        return Step(rows.results(), state)

    def dump(self, state: State) -> bytes:
        """Larger than the fast engine's: 12 s of signal per device."""
        devices = [[str(device_id), *_as_json(held)] for device_id, held in state.items()]
        return _MAGIC + self.version.encode() + b"\n" + zlib.compress(json.dumps(devices).encode(), 1)

    def load(self, data: bytes) -> State:
        header = _MAGIC + self.version.encode() + b"\n"
        if not data.startswith(header):
            raise StateMismatch(f"{len(data)} bytes that are no state of {self.version}; start from an empty state")
        try:
            return {UUID(first): _from_json(rest) for first, *rest in json.loads(zlib.decompress(data[len(header) :]))}
        except (zlib.error, ValueError, TypeError) as error:
            raise StateMismatch(f"damaged state of {self.version} ({error}); start from an empty state") from None


class _Rows:
    """Rows of one step, by source."""

    def __init__(self, engine_version: str) -> None:
        self._version = engine_version
        self._sources: dict[Source, int] = {}
        self._beats: list[NDArray[Any]] = []
        self._metrics: list[NDArray[Any]] = []

    def of(self, device_id: UUID, recording_id: UUID, leads: tuple[Lead, ...]) -> _Sink:
        number = self._sources.setdefault(Source(device_id, recording_id, leads), len(self._sources))
        return _Sink(number, self._beats, self._metrics)

    def results(self) -> Results:
        return Results(
            sources=tuple(self._sources),
            beats=np.array(self._beats, BEAT_DTYPE),
            metrics=np.array(self._metrics, METRICS_DTYPE),
            episodes=np.empty(0, EPISODE_DTYPE),
            engine_version=self._version,
        )


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where the rows of one recording go."""

    number: int
    beats: list[NDArray[Any]]
    metrics: list[NDArray[Any]]


def _same(held: Held, block: SampleBlock) -> bool:
    return (held.recording_id, held.leads, held.rate_hz) == (block.recording_id, block.leads, block.rate_hz)


def _begin(block: SampleBlock) -> Held:
    held = Held(
        recording_id=block.recording_id,
        leads=tuple(block.leads),
        rate_hz=block.rate_hz,
        started_at_us=block.recording_started_at_us,
        signal=np.empty(0),
        next_index=block.first_index,
        next_look=0,
        given_until=block.first_index,
    )
    _restart(held, block.first_index)
    return held


def _restart(held: Held, first: int) -> None:
    """Nothing before `first` is used any more: the start, or the far side of a gap."""
    held.signal = np.empty(0)
    held.next_index = first
    held.next_look = max(held.next_look, int(first // held.rate_hz))
    held.last_r = None
    held.rr_ms = []


def _take(held: Held, block: SampleBlock, sink: _Sink) -> None:
    if block.first_index > held.next_index:
        _look(held, sink, held.next_index, len(held.signal))
        _restart(held, block.first_index)
    raw = block.samples[0]
    values = np.where(raw == MISSING, np.nan, raw * (block.uv_per_lsb[0] / 1000.0))
    at = 0
    while at < len(values):
        end = held.window_end(held.next_look)
        part = values[at : at + max(0, end - held.next_index)]
        held.signal = np.concatenate([held.signal, part])[-round(WINDOW_S * held.rate_hz) :]
        held.next_index += len(part)
        at += len(part)
        if held.next_index == end:
            _second(held, sink)


def _second(held: Held, sink: _Sink) -> None:
    """A second of the recording is complete: look, give the beats that are old enough, and its figures."""
    if len(held.signal) >= LEAST_S * held.rate_hz:
        _look(held, sink, held.next_index, len(held.signal) - round(MARGIN_S * held.rate_hz))
    row = np.zeros((), METRICS_DTYPE)
    for name in (*FIGURES, "lead_quality"):
        row[name] = np.nan
    row["source"] = sink.number
    row["window_start_us"] = held.started_at_us + held.next_look * 1_000_000
    row["rhythm"] = -1
    row["quality"] = float(np.mean(np.isfinite(held.signal[-round(held.rate_hz) :])))
    if len(held.rr_ms) >= 3:
        row["rr_ms"] = np.mean(held.rr_ms)
        row["heart_rate_bpm"] = 60000.0 / np.mean(held.rr_ms)
        row["rhythm"] = rhythms.LABELS.index(_by_rate(float(row["heart_rate_bpm"])))
        row["arrhythmia_confidence"] = 50.0
    sink.metrics.append(row)
    held.next_look += 1


def _by_rate(bpm: float) -> str:
    if bpm < 60:
        return rhythms.BRADYCARDIA
    return rhythms.TACHYCARDIA if bpm > 100 else rhythms.NORMAL


def _finish(held: Held, sink: _Sink) -> None:
    _look(held, sink, held.next_index, len(held.signal))


def _look(held: Held, sink: _Sink, end_index: int, until: int) -> None:
    """Give the beats neurokit2 sees before position `until` of the window and after those given already."""
    start = end_index - len(held.signal)
    for r, marks in _beats_in(held.signal, held.rate_hz):
        index = start + r
        too_near = held.last_r is not None and index - held.last_r < REFRACTORY_S * held.rate_hz
        if index < held.given_until or r >= until or too_near:
            continue
        sink.beats.append(_beat_row(held, sink.number, index, {name: start + at for name, at in marks.items()}))
    held.given_until = max(held.given_until, start + until)


def _beats_in(signal: Signal, rate_hz: float) -> Iterator[tuple[int, dict[str, int]]]:
    """R peaks and waves by neurokit2, positions in the window; nothing where it can't make sense of it."""
    known = np.isfinite(signal)
    if len(signal) < LEAST_S * rate_hz / 2 or known.mean() < 0.5 or np.ptp(signal[known]) < 0.04:
        return
    filled = np.interp(np.arange(len(signal)), np.flatnonzero(known), signal[known])
    try:
        with warnings.catch_warnings():
            # neurokit2 warns of short or noisy windows; that is what its empty answer says as well.
            warnings.simplefilter("ignore")
            _, info = neurokit2.ecg_process(filled, sampling_rate=round(rate_hz))
    except Exception:  # noqa: BLE001 - it raises whatever pandas and scipy raise on windows without beats
        return
    for i, r in enumerate(info["ECG_R_Peaks"]):
        waves = {name: info.get(key, ()) for name, key in _MARKS.items()}
        found = {name: int(at[i]) for name, at in waves.items() if i < len(at) and np.isfinite(at[i])}
        yield int(r), found


def _beat_row(held: Held, source: int, index: int, marks: dict[str, int]) -> NDArray[Any]:
    row = np.zeros((), BEAT_DTYPE)
    for name in ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv"):
        row[name] = np.nan
    for name in _MARKS:
        row[name] = marks.get(name, -1)
    row["source"], row["r_index"], row["beat_class"], row["confidence"] = source, index, "Q", 50.0
    row["at_us"] = held.started_at_us + index_to_us(index, held.rate_hz)
    for name, first, last in (("pr_ms", "p_onset", "qrs_onset"), ("qrs_ms", "qrs_onset", "qrs_offset"),
                              ("qt_ms", "qrs_onset", "t_offset")):  # fmt: skip
        if first in marks and last in marks and marks[first] < marks[last]:
            row[name] = 1000.0 * (marks[last] - marks[first]) / held.rate_hz
    if held.last_r is not None:
        row["rr_ms"] = 1000.0 * (index - held.last_r) / held.rate_hz
        held.rr_ms = [*held.rr_ms[-7:], float(row["rr_ms"])]
    held.last_r = index
    return row


def _as_json(held: Held) -> list[Any]:
    return [
        str(held.recording_id), held.leads, held.rate_hz, held.started_at_us, held.signal.tolist(), held.next_index,
        held.next_look, held.last_r, held.given_until, held.rr_ms,
    ]  # fmt: skip


def _from_json(values: list[Any]) -> Held:
    recording_id, leads, rate_hz, started_at_us, signal, *rest = values
    return Held(UUID(recording_id), tuple(leads), rate_hz, started_at_us, np.array(signal, np.float64), *rest)
