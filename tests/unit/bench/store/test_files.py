"""Each kind of file gives back what was put into it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.store.corpus import made, windows
from bench.store.files import FORMATS, Format, measure

CORPUS = made(2, seconds=25.0)


@pytest.mark.parametrize("kept", FORMATS, ids=lambda each: each.name)
def test_windows_and_records_come_back(kept: Format, tmp_path: Path) -> None:
    told = measure(kept, CORPUS, windows(CORPUS, 20), tmp_path / "files")  # raises when a sample differs
    assert 1 < told["bits_per_sample"] <= 16


@pytest.mark.parametrize("kept", FORMATS, ids=lambda each: each.name)
def test_the_last_samples_come_back(kept: Format, tmp_path: Path) -> None:
    held = CORPUS.held[0]
    kept.write(tmp_path, held)
    found = kept.read(tmp_path, held, held.count - 5, held.count)
    assert np.array_equal(found, held.samples[:, -5:])
