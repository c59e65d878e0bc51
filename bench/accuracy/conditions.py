"""How a database is put to an engine: which lead, at what rate, with what noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bench.accuracy.noise import with_noise
from bench.accuracy.rates import reference_at, resampled
from bench.accuracy.records import Record, read_record
from bench.accuracy.references import Reference, read_reference


@dataclass(frozen=True, slots=True)
class Condition:
    """`lead` None is all leads together, `rate_hz` None the record's own; `noise` is a record of nstdb."""

    lead: int | None = None
    rate_hz: float | None = None
    noise: str | None = None
    snr_db: float = 6.0

    @property
    def name(self) -> str:
        told = ["all leads" if self.lead is None else f"lead {self.lead}"]
        if self.rate_hz is not None:
            told.append(f"{self.rate_hz:g} Hz")
        if self.noise is not None:
            told.append(f"{self.noise} {self.snr_db:g} dB")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A record as it is put to an engine, and its beats."""

    record: Record
    reference: Reference


def annotated(path: Path, condition: Condition) -> Annotated:
    """A record of a database under a condition; noise comes first, then the other rate, then the choice of a lead."""
    whole = _conditioned(path, replace(condition, lead=None))
    return whole if condition.lead is None else replace(whole, record=whole.record.only(condition.lead))


@lru_cache(maxsize=64)
def _conditioned(path: Path, condition: Condition) -> Annotated:
    """All leads; the next run on the same signals with another lead has them at once."""
    record, reference = read_record(path), read_reference(path)
    if condition.noise is not None:
        noise = read_record(path.parents[1] / "nstdb" / condition.noise)
        record = with_noise(record, reference.normal, noise, condition.snr_db)
    if condition.rate_hz is not None:
        reference = reference_at(reference, condition.rate_hz / record.rate_hz)
        record = resampled(record, condition.rate_hz)
    return Annotated(record, reference)
