"""What is said of a record's rhythm: by the annotators, and by the engine as it streams and in its episodes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.accuracy.answers import answers
from bench.accuracy.histories import History, history_of_beats
from bench.accuracy.records import read_record
from bench.accuracy.references import Stretch
from bench.accuracy.spans import Span, annotated_spans, stated_spans, stretches_of
from processors.ecg.atrial import follow_atrial
from processors.ecg.engines import EngineName
from processors.ecg.state import ABSENT, BEAT_MASK, CLASS_N, NEVER, WORK, blank_devices, blank_leads
from schemas.rhythms import LABELS


@dataclass(frozen=True, slots=True)
class RhythmAnswer:
    """Spans over samples [0, count): annotated, of the episodes stated, and shown second by second as it streamed."""

    name: str
    rate_hz: float
    count: int
    annotated: tuple[Span, ...]
    stated: tuple[Span, ...]
    shown: tuple[Span, ...]

    def told(self, labels: Collection[str], as_streamed: bool) -> tuple[Stretch, ...]:
        """Where one of the labels is said to be."""
        return stretches_of(self.shown if as_streamed else self.stated, labels)


def answer_of_signal(path: Path, name: EngineName = "fast", block_s: float = 1.0) -> RhythmAnswer:
    """Stream a record; its annotated rhythms are those of .atr, none when it has no such file."""
    record = read_record(path)
    said = answers(record, name, block_s)
    annotated = annotated_spans(path, record.count) if path.with_suffix(".atr").exists() else ()
    seconds = said.metrics["window_start_us"] // 1_000_000
    shown = _seconds_as_spans(seconds, said.metrics["rhythm"], record.rate_hz)
    stated = stated_spans(said.episodes, record.rate_hz)
    return RhythmAnswer(record.name, record.rate_hz, record.count, annotated, stated, shown)


def answer_of_beats(path: Path) -> RhythmAnswer:
    """Put an afdb record's beats, without a signal, to the engine's own judge of the atria."""
    history = history_of_beats(path)
    seconds = int(history.count / history.rate_hz)
    labels, firsts = np.zeros(seconds, np.int64), np.zeros(seconds, np.int64)
    _follower()(
        _blank_device(history), blank_leads(1), np.zeros(1, WORK), history.r_index, history.rr_ms, labels, firsts
    )
    shown = _seconds_as_spans(np.arange(seconds), labels, history.rate_hz)
    stated = _changes_as_spans(labels, firsts, history.count)
    annotated = annotated_spans(path, history.count)
    return RhythmAnswer(path.name, history.rate_hz, history.count, annotated, stated, shown)


def _seconds_as_spans(seconds: NDArray[Any], labels: NDArray[Any], rate_hz: float) -> tuple[Span, ...]:
    pairs = zip(seconds.tolist(), labels.tolist(), strict=True)
    return tuple(
        Span(round(k * rate_hz), round((k + 1) * rate_hz), LABELS[label]) for k, label in pairs if label != ABSENT
    )


def _changes_as_spans(labels: NDArray[np.int64], firsts: NDArray[np.int64], count: int) -> tuple[Span, ...]:
    """An episode runs from where its label began to where the next label, or the absence of any, began."""
    changes = [k for k in range(len(labels)) if k == 0 or labels[k] != labels[k - 1]]
    begins = [max(0, int(firsts[k])) for k in changes]
    ends = [*begins[1:], count]
    spans = zip(begins, ends, (int(labels[k]) for k in changes), strict=True)
    return tuple(Span(begin, end, LABELS[label]) for begin, end, label in spans if label != ABSENT and end > begin)


def _blank_device(history: History) -> NDArray[Any]:
    devices = blank_devices(1)
    devices["inner_hz"] = devices["rate_hz"] = history.rate_hz
    devices["atrial_label"] = ABSENT
    devices["atrial_first_u"] = NEVER
    return devices


@cache
def _follower() -> Callable[..., None]:
    @njit(error_model="numpy")
    def follow(devices: Any, leads: Any, works: Any, r_index: Any, rr_ms: Any, labels: Any, firsts: Any) -> None:
        device = devices[0]
        at = 0
        for k in range(labels.size):
            end_u = int((k + 1) * device.inner_hz)
            while at < r_index.size and r_index[at] < end_u:
                slot = device.beats & BEAT_MASK
                device.beat_u[slot] = r_index[at]
                device.beat_rr[slot] = rr_ms[at]
                device.beat_class[slot] = CLASS_N
                device.beat_pr[slot] = np.nan
                device.beats += 1
                at += 1
            labels[k] = follow_atrial(device, leads, end_u, 1.0, works[0])
            firsts[k] = device.atrial_first_u

    return follow
