"""How late results were: from the time of their samples to when they were stored."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.topic_reader import read_topic
from schemas import ecg_pb2 as pb
from schemas import topics
from schemas.settings import KafkaSettings

PARTS: Final = 10
"""The run is also told in so many parts of equal length, so that a drift shows."""
LAST_S: Final = 3.0
"""Results of the stream's last seconds are left out: nothing follows them, so some wait until the device is idle."""

_WINDOW_US: Final = 1_000_000
Moments = Callable[[bytes], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Late:
    """Results: the sample each is about, how long after it it was stored, and its partition. All of shape (n,)."""

    at_us: NDArray[np.int64]
    late_s: NDArray[np.float64]
    partition: NDArray[np.int16]

    def between(self, begin_us: float, end_us: float) -> Late:
        chosen = (self.at_us >= begin_us) & (self.at_us < end_us)
        return Late(self.at_us[chosen], self.late_s[chosen], self.partition[chosen])

    def behind_s(self, moments_us: Sequence[float]) -> list[float]:
        """At each moment, how old the newest stored sample was, of the partition where it was oldest."""
        stored_us = self.at_us + self.late_s * 1e6
        behind = np.zeros(len(moments_us))
        for number in np.unique(self.partition):
            mine = self.partition == number
            order = np.argsort(stored_us[mine])
            newest = np.maximum.accumulate(self.at_us[mine][order])
            known = np.searchsorted(stored_us[mine][order], moments_us, side="right")
            at_us = np.where(known > 0, newest[np.maximum(known, 1) - 1], newest[0])
            behind = np.maximum(behind, (np.asarray(moments_us) - at_us) / 1e6)
        return [float(each) for each in behind]


@dataclass(slots=True)
class Gathered:
    """Results as they are read: 18 bytes for each."""

    at_us: array[int] = field(default_factory=lambda: array("q"))
    stored_us: array[int] = field(default_factory=lambda: array("q"))
    partition: array[int] = field(default_factory=lambda: array("h"))

    def add(self, moments: Iterable[int], stored_us: int, partition: int) -> None:
        before = len(self.at_us)
        self.at_us.extend(moments)
        added = len(self.at_us) - before
        self.stored_us.extend([stored_us] * added)
        self.partition.extend([partition] * added)

    def late(self) -> Late:
        at_us = np.array(self.at_us, np.int64)
        return Late(at_us, (np.array(self.stored_us, np.int64) - at_us) / 1e6, np.array(self.partition, np.int16))


def window_ends(value: bytes) -> list[int]:
    """Of a record of ecg.metrics: when the last sample of each second was due, in µs."""
    return [second.window_start_us + _WINDOW_US for second in pb.MetricsPack.FromString(value).metrics]


def r_peaks(value: bytes) -> list[int]:
    """Of a record of ecg.beats: when each R peak was, in µs."""
    return [beat.at_us for batch in pb.BeatPack.FromString(value).batches for beat in batch.beats]


MOMENTS: Final[dict[str, Moments]] = {topics.METRICS: window_ends, topics.BEATS: r_peaks}


async def read_late(settings: KafkaSettings, topic: str) -> Late:
    """Everything the topic holds. A record's own time is when its results were stored.

    Results are published right after their transaction has committed, and the record is stamped then.
    """
    gathered = Gathered()
    moments = MOMENTS[topic]
    async for record in read_topic(settings, topic):
        gathered.add(moments(record.value or b""), record.timestamp * 1000, record.partition)
    return gathered.late()


def summary(late: Late, begin_us: int, end_us: int) -> dict[str, Any]:
    """Percentiles of the whole and of PARTS equal parts, by the time of the samples, less the last LAST_S."""
    end_us -= int(LAST_S * 1_000_000)
    edges = np.linspace(begin_us, max(begin_us, end_us), PARTS + 1)
    parts = [percentiles(late.between(a, b).late_s) for a, b in pairwise(edges)]
    return {**percentiles(late.between(begin_us, end_us).late_s), "seen": int(late.at_us.size), "parts": parts}


def percentiles(late_s: NDArray[np.float64]) -> dict[str, float | int | None]:
    """p50, p95, p99 and the greatest, in seconds; all None when there is nothing."""
    if not late_s.size:
        return {"count": 0, "p50_s": None, "p95_s": None, "p99_s": None, "max_s": None}
    p50, p95, p99, most = (round(float(v), 3) for v in np.percentile(late_s, [50, 95, 99, 100]))
    return {"count": int(late_s.size), "p50_s": p50, "p95_s": p95, "p99_s": p99, "max_s": most}
