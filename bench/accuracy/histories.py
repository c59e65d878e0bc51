"""A record's beats as the atrial network hears them: from the engine, or from annotated beats without a signal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from bench.accuracy.records import DEVICE, blocks, read_record
from bench.accuracy.references import Positions
from processors.ecg.engine import FastEngine
from processors.ecg.quality import UNREADABLE
from processors.ecg.state import ATRIAL_P

AFDB_HZ: Final = 250.0


@dataclass(frozen=True, slots=True)
class History:
    """Of each beat: R as a sample, the interval before it (NaN for none), whether it is ventricular, its P evidence.

    `p_percent` is its likeness to the average P (0 where not compared), `has_p` whether a P wave was marked,
    `readable` whether the second it lies in could be read. `count` samples at `rate_hz`.
    """

    name: str
    rate_hz: float
    count: int
    r_index: Positions
    rr_ms: NDArray[np.float64]
    ventricular: NDArray[np.bool_]
    p_percent: NDArray[np.int64]
    has_p: NDArray[np.bool_]
    readable: NDArray[np.bool_]


def history_of_signal(path: Path) -> History:
    """Stream a WFDB record through the engine and note what it hands to the network."""
    record = read_record(path)
    engine = FastEngine()
    state = engine.new_state()
    beats: list[Any] = []
    metrics: list[Any] = []
    p_of: dict[int, int] = {}
    for block in blocks(record):
        results = engine.step([block], state).results
        beats.append(results.beats)
        metrics.append(results.metrics)
        device = state.devices[state.held[DEVICE].slot]
        made = int(device["beats"])
        p_of |= {n: int(device["atrial_p"][n % ATRIAL_P]) for n in range(max(0, made - ATRIAL_P), made)}
    results = engine.close([DEVICE], state).results
    rows = np.concatenate([*beats, results.beats])
    return History(
        name=path.name,
        rate_hz=record.rate_hz,
        count=record.count,
        r_index=rows["r_index"].copy(),
        rr_ms=rows["rr_ms"].astype(np.float64),
        ventricular=rows["beat_class"] == "V",
        p_percent=np.array([p_of.get(n, 0) for n in range(len(rows))], np.int64),
        has_p=~np.isnan(rows["pr_ms"]),
        readable=_readable(rows["r_index"] / record.rate_hz, np.concatenate([*metrics, results.metrics])),
    )


def history_of_beats(path: Path) -> History:
    """The unaudited beats of an afdb record (.qrs): intervals and nothing else."""
    at = wfdb.rdann(str(path), "qrs").sample.astype(np.int64)
    return History(
        name=path.name,
        rate_hz=AFDB_HZ,
        count=int(at[-1]) + 1,
        r_index=at,
        rr_ms=np.concatenate([[np.nan], np.diff(at) * 1000.0 / AFDB_HZ]),
        ventricular=np.zeros(len(at), np.bool_),
        p_percent=np.zeros(len(at), np.int64),
        has_p=np.zeros(len(at), np.bool_),
        readable=np.ones(len(at), np.bool_),
    )


def _readable(at_s: NDArray[np.float64], metrics: NDArray[Any]) -> NDArray[np.bool_]:
    quality = dict(zip((metrics["window_start_us"] // 1_000_000).tolist(), metrics["quality"].tolist(), strict=True))
    return np.array([quality.get(int(second), 0.0) >= UNREADABLE for second in at_s], np.bool_)
