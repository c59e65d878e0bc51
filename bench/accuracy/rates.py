"""A record as another device would have sampled it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

from bench.accuracy.records import Record
from bench.accuracy.references import Positions, Reference, Stretch


def resampled(record: Record, rate_hz: float) -> Record:
    """At another rate: polyphase filtering with scipy's own anti-aliasing filter, rounded to the record's steps."""
    if rate_hz == record.rate_hz:
        return record
    ratio = Fraction(rate_hz / record.rate_hz).limit_denominator(1000)
    signals = resample_poly(record.samples.astype(np.float64), ratio.numerator, ratio.denominator, axis=1)
    return replace(record, rate_hz=rate_hz, samples=np.clip(np.round(signals), -32767, 32767).astype(np.int16))


def rescaled(positions: Positions, factor: float) -> Positions:
    """Positions at `factor` times the rate, to the nearest sample."""
    return np.round(positions * factor).astype(np.int64)


def reference_at(reference: Reference, factor: float) -> Reference:
    """The annotations at `factor` times the rate."""
    return Reference(
        rescaled(reference.beats, factor),
        rescaled(reference.normal, factor),
        tuple(Stretch(round(s.begin * factor), round(s.end * factor)) for s in reference.left_out),
    )
