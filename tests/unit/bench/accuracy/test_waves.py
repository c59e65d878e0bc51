from __future__ import annotations

from typing import Any

import numpy as np

from bench.accuracy.waves import ABSENT, MARKS, Marks, aligned, marks_of, nearer, shifted


def marks(*rows: dict[str, int]) -> Marks:
    return np.array([tuple(row.get(name, ABSENT) for name in MARKS.names or ()) for row in rows], MARKS)


def row(beats: Marks, at: int = 0) -> dict[str, Any]:
    return {name: int(beats[at][name]) for name in MARKS.names or () if beats[at][name] != ABSENT}


def test_waves_are_read_with_the_beat_they_belong_to() -> None:
    symbols = list("(p)(N)t)u)(V)(t)(p)(N)")
    beats = marks_of(symbols, list(range(len(symbols))))
    assert beats["r_index"].tolist() == [4, 11, 20]
    assert row(beats) == {
        "p_onset": 0, "p_peak": 1, "p_offset": 2, "r_index": 4, "qrs_onset": 3, "qrs_offset": 5,
        "t_peak": 6, "t_offset": 7,
    }  # fmt: skip
    assert row(beats, 1) == {
        "r_index": 11,
        "qrs_onset": 10,
        "qrs_offset": 12,
        "t_onset": 13,
        "t_peak": 14,
        "t_offset": 15,
    }
    assert row(beats, 2)["p_peak"] == 17


def test_an_answer_is_that_of_the_beat_within_150_ms() -> None:
    reference = marks({"r_index": 100}, {"r_index": 300}, {"r_index": 500})
    stated = marks({"r_index": 130, "t_peak": 9}, {"r_index": 345, "t_peak": 8}, {"r_index": 499, "t_peak": 7})
    assert aligned(reference, stated, rate_hz=250.0)["t_peak"].tolist() == [9, ABSENT, 7]


def test_of_two_leads_each_point_is_taken_from_the_nearer() -> None:
    reference = marks({"r_index": 100, "p_peak": 50, "t_peak": 200, "qrs_onset": 90})
    first = marks({"r_index": 101, "p_peak": 52, "t_peak": 210})
    second = marks({"r_index": 99, "p_peak": 47, "t_peak": 199, "qrs_onset": 70})
    assert row(nearer(reference, first, second)) == {"r_index": 101, "p_peak": 52, "t_peak": 199, "qrs_onset": 70}


def test_what_is_absent_stays_absent_when_marks_are_moved() -> None:
    assert row(shifted(marks({"r_index": 5, "p_peak": 3}), 10)) == {"r_index": 15, "p_peak": 13}
