"""WFDB records (PhysioNet), every signal format wfdb reads, FLAC included."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.files.channels import Steps, steps_from_digital, uv_per_unit
from ingest.sources import RecordSource, source_of
from schemas.errors import Malformed, NotFound

_SUFFIXES: Final = frozenset({".hea", ".dat"})

_MISSING_BY_FORMAT: Final = {
    "80": -(2**7), "508": -(2**7), "310": -(2**9), "311": -(2**9), "212": -(2**11), "16": -(2**15), "61": -(2**15),
    "160": -(2**15), "516": -(2**15), "24": -(2**23), "524": -(2**23), "32": -(2**31),
}  # fmt: skip
"""The value of a sample not acquired, signal(5) of the WFDB Applications Guide."""


def read_wfdb(path: Path) -> RecordSource:
    """All voltage channels of a record; samples are the file's digital values less its baseline, 0 = 0 mV.

    Raises NotFound without a header, Malformed for what can't be read, signals of several rates, or no voltage.
    """
    import wfdb  # noqa: PLC0415  # brings pandas and soundfile, a second of start-up that few commands need

    base = path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path
    if not base.with_name(base.name + ".hea").is_file():
        raise NotFound(f"no WFDB header {base}.hea; give a record's path without suffix, or an .edf or .csv file")
    try:
        record = wfdb.rdrecord(str(base), physical=False, smooth_frames=False)
    except (ValueError, OSError, KeyError, IndexError, TypeError) as error:  # as wfdb answers damaged files
        raise Malformed(f"{base} can't be read as a WFDB record ({error}); check its header and signal files") from None
    return _source(base.name, record)


def _source(name: str, record: Any) -> RecordSource:  # wfdb publishes no types
    rates = sorted({int(frames) for frames in record.samps_per_frame or []})
    if len(rates) > 1:
        each = ", ".join(f"{frames * record.fs:g}" for frames in rates)
        raise Malformed(f"{name} has signals of {each} Hz; resample them to one rate (wfdb xform)")
    factors = [uv_per_unit(unit) for unit in record.units or []]
    volts = [channel for channel, factor in enumerate(factors) if factor is not None]
    notes = [
        f"channel {record.sig_name[channel]!r} left out: {record.units[channel]} is no voltage"
        for channel, factor in enumerate(factors)
        if factor is None
    ]
    frames = rates[0] if rates else 1
    return source_of(
        name,
        float(record.fs) * frames,
        [record.sig_name[channel] or f"signal {channel}" for channel in volts],
        lambda index: _steps(record, volts[index]),
        notes,
    )


def _steps(record: Any, channel: int) -> Steps:  # wfdb publishes no types
    digital = np.asarray(record.e_d_signal[channel], dtype=np.int64)
    factor = uv_per_unit(record.units[channel]) or 0.0
    missing = digital == _MISSING_BY_FORMAT.get(record.fmt[channel], -(2**62))
    gain = record.adc_gain[channel] or 200.0  # header(5): 200 when it is not given
    return steps_from_digital(
        digital, float(record.baseline[channel]), factor / gain, missing, record.sig_name[channel] or str(channel)
    )
