"""Records made for the benches' own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import Record


def record_of(rate_hz: float, *leads_uv: NDArray[np.floating[Any]]) -> Record:
    """A record of the leads given, in steps of 1 µV."""
    samples = np.round(np.stack(leads_uv)).astype(np.int16)
    return Record("made", rate_hz, tuple(f"V{i + 1}" for i in range(len(samples))), (1.0,) * len(samples), samples)
