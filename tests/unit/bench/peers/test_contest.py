from __future__ import annotations

import numpy as np

from bench.accuracy.beats import BeatScore, BeatTotal, total
from bench.peers import tables
from bench.peers.catalogue import ALL, DELINEATORS, DETECTORS
from bench.peers.contest import Entry, marks_of_columns, ours
from tests.unit.bench.accuracy.signals import record_of
from tests.unit.processors.ecg.signals import UV_PER_LSB, ecg, regular


def test_peers_have_names_of_their_own() -> None:
    assert len(ALL) == len(DETECTORS) + len(DELINEATORS)


def test_beats_of_a_peer_come_in_order_and_with_an_r_peak() -> None:
    marks = marks_of_columns({"r_index": [300, -1, 100], "t_peak": [340, 7, -1]})
    assert marks["r_index"].tolist() == [100, 300]
    assert marks["t_peak"].tolist() == [-1, 340]
    assert marks["p_peak"].tolist() == [-1, -1]


def test_our_own_entry_is_timed_and_versioned_like_the_others() -> None:
    record = record_of(250.0, ecg(regular(70, 20), 20) * UV_PER_LSB)
    entry = ours([record], (0,))
    assert len(entry.marks["made", 0]) >= 20
    assert entry.samples == 5000
    assert entry.version
    assert entry.samples_per_s > 0


def test_the_best_comes_first() -> None:
    entries = [Entry("poor"), Entry("good")]
    assert [
        line.split("|")[1].strip() for line in tables.beat_table(entries, [score(50), score(90)]).splitlines()[2:]
    ] == [
        "good",
        "poor",
    ]


def score(found: int) -> BeatTotal:
    return total("all", [BeatScore("x", found, 0, 100 - found, np.zeros(found))])
