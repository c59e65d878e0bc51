"""The engines by name."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import numpy as np

from processors.ecg.engine import FastEngine
from processors.ecg.interface import Engine
from schemas.samples import SampleBlock

EngineName = Literal["fast", "neurokit2"]


def engine(name: EngineName) -> Engine[Any]:
    """The engine of that name; neurokit2 is loaded only when it is asked for (4 s of imports)."""
    if name == "fast":
        return FastEngine()
    # Here and not above: a worker with the fast engine starts without neurokit2, pandas and scikit-learn.
    from processors.ecg.reference import ReferenceEngine  # noqa: PLC0415

    return ReferenceEngine()


def warm(chosen: Engine[Any]) -> None:
    """Compile the engine, or load it from numba's cache, by one second of a flat line."""
    block = SampleBlock(
        device_id=UUID(int=0),
        recording_id=UUID(int=0),
        first_index=0,
        started_at_us=0,
        rate_hz=250.0,
        leads=("II",),
        uv_per_lsb=(5.0,),
        samples=np.zeros((1, 250), np.int16),
    )
    chosen.step([block], chosen.new_state())
