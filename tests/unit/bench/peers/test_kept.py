from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.peers import kept
from tests.unit.bench.accuracy.signals import record_of

RECORD = record_of(250.0, np.arange(100.0))
TOLD = {"columns": {"r_index": [1, 2]}, "cpu_s": 0.5, "error": None}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path)


def test_what_was_kept_is_read_again() -> None:
    kept.keep("wfdb gqrs", "4.3.1", RECORD, 0, TOLD)
    assert kept.read("wfdb gqrs", "4.3.1", RECORD, 0) == TOLD


def test_nothing_is_taken_from_another_version_record_lead_or_rate() -> None:
    kept.keep("wfdb gqrs", "4.3.1", RECORD, 0, TOLD)
    assert kept.read("wfdb gqrs", "4.3.2", RECORD, 0) is None
    assert kept.read("wfdb xqrs", "4.3.1", RECORD, 0) is None
    assert kept.read("wfdb gqrs", "4.3.1", RECORD, 1) is None
    assert kept.read("wfdb gqrs", "4.3.1", replace(RECORD, samples=RECORD.samples + 1), 0) is None
    assert kept.read("wfdb gqrs", "4.3.1", replace(RECORD, rate_hz=360.0), 0) is None
