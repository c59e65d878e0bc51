from __future__ import annotations

import numpy as np

from bench.pipeline.latency import LAST_S, PARTS, Gathered, Late, percentiles, r_peaks, summary, window_ends
from schemas import ecg_pb2 as pb

US = 1_000_000


def steady(seconds: int, late_s: float) -> Late:
    gathered = Gathered()
    for second in range(seconds):
        gathered.add([second * US], second * US + int(late_s * US), partition=0)
    return gathered.late()


def test_metrics_are_late_from_the_last_sample_of_their_second() -> None:
    pack = pb.MetricsPack(metrics=[pb.Metrics(window_start_us=5 * US), pb.Metrics(window_start_us=7 * US)])
    assert window_ends(pack.SerializeToString()) == [6 * US, 8 * US]


def test_beats_are_late_from_their_r_peak() -> None:
    batches = [pb.BeatBatch(beats=[pb.Beat(at_us=at_us) for at_us in peaks]) for peaks in ([5, 7], [9])]
    assert r_peaks(pb.BeatPack(batches=batches).SerializeToString()) == [5, 7, 9]


def test_percentiles_are_those_of_what_was_read() -> None:
    told = percentiles(np.arange(1, 101, dtype=float))
    assert (told["count"], told["p50_s"], told["p99_s"], told["max_s"]) == (100, 50.5, 99.01, 100.0)
    assert percentiles(np.array([]))["p99_s"] is None


def test_a_drift_shows_in_the_parts() -> None:
    late = steady(100, 1.0)
    late.late_s[50:] = 4.0
    told = summary(late, 0, 100 * US)
    assert len(told["parts"]) == PARTS
    assert [part["p99_s"] for part in told["parts"]][::9] == [1.0, 4.0]


def test_the_last_seconds_are_left_out_for_nothing_follows_them() -> None:
    assert summary(steady(100, 1.0), 0, 100 * US)["count"] == 100 - LAST_S


def test_behind_is_the_age_of_the_newest_stored_sample_where_it_is_oldest() -> None:
    gathered = Gathered()
    gathered.add([10 * US, 11 * US], 12 * US, partition=0)
    gathered.add([9 * US], 11 * US, partition=1)
    assert gathered.late().behind_s([12 * US, 15 * US]) == [3.0, 6.0]
