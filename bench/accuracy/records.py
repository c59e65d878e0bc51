"""WFDB records, and the blocks a device would send of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

import numpy as np
import wfdb
from numpy.typing import NDArray

from schemas.samples import LEADS, SampleBlock

DEVICE: Final = UUID(int=1)
_RECORDING: Final = UUID(int=2)


@dataclass(frozen=True, slots=True)
class Record:
    """Samples of a record: int16 of shape (leads, count), centred on the baseline; microvolts per step of each lead."""

    name: str
    rate_hz: float
    leads: tuple[str, ...]
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]

    @property
    def count(self) -> int:
        """Samples per lead."""
        return int(self.samples.shape[1])

    @property
    def mv(self) -> NDArray[np.float64]:
        """Millivolts, shape (leads, count)."""
        return self.samples * (np.array(self.uv_per_lsb)[:, np.newaxis] / 1000.0)

    def only(self, lead: int) -> Record:
        """One lead of it."""
        return replace(
            self, leads=(self.leads[lead],), uv_per_lsb=(self.uv_per_lsb[lead],), samples=self.samples[lead : lead + 1]
        )

    def excerpt(self, begin: int, end: int) -> Record:
        """Samples from `begin` up to but not including `end`."""
        return replace(self, samples=self.samples[:, begin:end])


def data_folder() -> Path:
    """Where the databases are: LEADWIRE_TEST_DATA, or beside the repository."""
    return Path(os.environ.get("LEADWIRE_TEST_DATA", "../shared/data"))


def record_names(folder: Path, annotator: str) -> list[str]:
    """The records of a database that have this annotator's file, sorted."""
    return sorted(path.stem for path in folder.glob("*.hea") if path.with_suffix(f".{annotator}").exists())


@lru_cache(maxsize=64)
def read_record(path: Path) -> Record:
    """A WFDB record by its path without extension; several runs over a database read it once."""
    record = wfdb.rdrecord(str(path), physical=False)
    samples = np.ascontiguousarray((record.d_signal - np.array(record.baseline)).astype(np.int16).T)
    samples.setflags(write=False)
    return Record(
        name=path.name,
        rate_hz=float(record.fs),
        leads=tuple(record.sig_name),
        uv_per_lsb=tuple(1000.0 / gain for gain in record.adc_gain),
        samples=samples,
    )


def blocks(record: Record, block_s: float = 1.0) -> Iterator[SampleBlock]:
    """The record as a device would send it; a lead of a name we have no word for is sent as ECG1, ECG2, ..."""
    unnamed = iter(("ECG1", "ECG2", "ECG3"))
    names = tuple(name if name in LEADS else next(unnamed) for name in record.leads)
    size = max(1, round(record.rate_hz * block_s))
    for first in range(0, record.count, size):
        yield SampleBlock(
            device_id=DEVICE,
            recording_id=_RECORDING,
            first_index=first,
            started_at_us=round(first * 1_000_000 / record.rate_hz),
            rate_hz=record.rate_hz,
            leads=names,  # type: ignore[arg-type] # checked against LEADS above
            uv_per_lsb=record.uv_per_lsb,
            samples=record.samples[:, first : first + size],
        )
