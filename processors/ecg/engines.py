"""The engines by name."""

from __future__ import annotations

from typing import Any, Literal

from processors.ecg.engine import FastEngine
from processors.ecg.interface import Engine

EngineName = Literal["fast", "neurokit2"]


def engine(name: EngineName) -> Engine[Any]:
    """The engine of that name; neurokit2 is loaded only when it is asked for (4 s of imports)."""
    if name == "fast":
        return FastEngine()
    # Here and not above: a worker with the fast engine starts without neurokit2, pandas and scikit-learn.
    from processors.ecg.reference import ReferenceEngine  # noqa: PLC0415

    return ReferenceEngine()
