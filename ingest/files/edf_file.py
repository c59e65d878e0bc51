"""EDF, EDF+C and BDF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ingest.files.channels import Steps, steps_from_digital, uv_per_unit
from ingest.sources import RecordSource, source_of
from schemas.errors import Malformed


def read_edf(path: Path) -> RecordSource:
    """All voltage signals of a file, annotations left out; 0 = 0 mV.

    EDF has no value for a sample not acquired, so none is missing. Raises Malformed for what can't be read,
    signals of several rates, or a recording with interruptions (EDF+D).
    """
    import edfio  # noqa: PLC0415  # only needed for this format

    try:
        file = edfio.read_bdf(path) if path.suffix.lower() == ".bdf" else edfio.read_edf(path)
        signals: list[Any] = list(file.signals)  # Edf and Bdf share no declared base
    except (ValueError, OSError, IndexError, KeyError) as error:  # as edfio answers damaged files
        raise Malformed(f"{path} can't be read as EDF ({error}); check the file") from None
    if file.reserved.startswith(("EDF+D", "BDF+D")):
        raise Malformed(f"{path.name} has interruptions (EDF+D); split it into continuous files (EDF+C)")
    volts = [signal for signal in signals if uv_per_unit(signal.physical_dimension) is not None]
    rates = sorted({float(signal.sampling_frequency) for signal in volts})
    if len(rates) != 1:
        raise Malformed(f"{path.name} has voltage signals of {rates} Hz; give a file with one rate")
    notes = [f"signal {s.label!r} left out: {s.physical_dimension!r} is no voltage" for s in signals if s not in volts]
    return source_of(path.stem, rates[0], [s.label for s in volts], lambda index: _steps(volts[index]), notes)


def _steps(signal: Any) -> Steps:  # edfio is read without its types
    digital = np.asarray(signal.digital, dtype=np.int64)
    units = (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
    zero = signal.digital_min - signal.physical_min / units
    factor = uv_per_unit(signal.physical_dimension) or 0.0
    # The header's text has eight characters, so a zero that is meant to be whole comes out near it.
    zero = round(zero) if abs(zero - round(zero)) < 1e-6 else zero
    return steps_from_digital(digital, zero, units * factor, np.zeros(len(digital), dtype=np.bool_), signal.label)
