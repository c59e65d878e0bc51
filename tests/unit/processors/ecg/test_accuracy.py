"""Floors of beat detection on named training records of mitdb and on record 100, lead 0, the whole record."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy import match, read, score

MITDB = Path(os.environ.get("LEADWIRE_TEST_DATA", "../shared/data")) / "mitdb"


@pytest.mark.data
@pytest.mark.parametrize(
    ("record", "sensitivity", "predictivity"),
    [
        ("100", 99.9, 99.9), ("101", 99.8, 99.7), ("106", 99.7, 99.8), ("108", 98.7, 98.5), ("118", 99.9, 99.8),
        ("203", 99.2, 97.5), ("207", 99.8, 99.2), ("208", 99.5, 99.7), ("209", 99.9, 99.8), ("223", 99.8, 99.9),
    ],
)  # fmt: skip
def test_beats_are_found_on(record: str, sensitivity: float, predictivity: float) -> None:
    if not (MITDB / f"{record}.hea").exists():
        pytest.skip(f"mitdb {record} is not in {MITDB}; set LEADWIRE_TEST_DATA to the folder of the databases")
    result = score(read(MITDB / record, lead=0))
    assert result.sensitivity >= sensitivity
    assert result.predictivity >= predictivity
    assert result.offset_ms is not None
    assert abs(result.offset_ms) <= 6


def test_the_scorer_counts_what_is_found_invented_and_missed() -> None:
    result = match("x", np.array([100, 200, 300, 400]), np.array([102, 150, 201, 460, 500]), 54, 360.0)
    assert (result.found, result.false, result.missed) == (2, 3, 2)
