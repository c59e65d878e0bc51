"""The annotated records the detector may learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import Record, read_record, record_names
from bench.accuracy.references import Positions, Stretch, read_reference
from bench.accuracy.splits import DS1, PACED

FROM_MITDB: Final = frozenset(
    "sel100 sel102 sel103 sel104 sel114 sel116 sel117 sel123 sel213 sel221 sel223 sel230 sel231 sel232 sel233".split()  # noqa: SIM905  # one line is easier to check
)
"""Records of qtdb that are stretches of mitdb records, in or out of its training split."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A record with its beats: int16 samples (leads, count), beat positions, stretches that don't count."""

    name: str
    rate_hz: float
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]
    beats: Positions
    left_out: tuple[Stretch, ...]


def recordings(data: Path) -> list[Marked]:
    """DS1 and the paced records of mitdb, then qtdb's records whose beats are annotated throughout."""
    names = [data / "mitdb" / name for name in sorted(DS1 | PACED)]
    names += [data / "qtdb" / name for name in record_names(data / "qtdb", "atr") if name not in FROM_MITDB]
    return [_marked(read_record(path), path) for path in names]


def _marked(record: Record, path: Path) -> Marked:
    reference = read_reference(path)
    return Marked(record.name, record.rate_hz, record.uv_per_lsb, record.samples, reference.beats, reference.left_out)


def one_lead(record: Marked, lead: int) -> Marked:
    """The record with one of its leads."""
    return replace(
        record,
        uv_per_lsb=record.uv_per_lsb[lead : lead + 1],
        samples=np.ascontiguousarray(record.samples[lead : lead + 1]),
    )
