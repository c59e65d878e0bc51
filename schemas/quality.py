"""Signal quality: how far each lead of a recording could be read in a second, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schemas.samples import Lead

Flag = Literal["missing", "flat", "lead_off", "saturated", "noise"]
FLAGS: Final[tuple[Flag, ...]] = ("missing", "flat", "lead_off", "saturated", "noise")
"""Bit k of a flag byte stands for the k-th of these.

missing: a tenth of the samples or more never came. flat: it spans less than any beat does. lead_off: it shows none
of the device's heartbeat (flat, railed, or noise only) for seconds. saturated: at the converter's rails. noise: noise
fills the gaps between beats.
"""


@dataclass(frozen=True, slots=True)
class LeadQuality:
    """One lead in one second: `quality` from 0 (unreadable) to 1, and what kept it from being 1."""

    lead: Lead
    quality: float
    flags: tuple[Flag, ...] = ()


_FLAGS_BY_BITS: Final = tuple(
    tuple(flag for k, flag in enumerate(FLAGS) if bits >> k & 1) for bits in range(1 << len(FLAGS))
)


def flags_of(bits: int) -> tuple[Flag, ...]:
    """The flags of a flag byte; bits that stand for none yet say nothing."""
    return _FLAGS_BY_BITS[bits & (len(_FLAGS_BY_BITS) - 1)]


def bits_of(flags: Iterable[Flag]) -> int:
    """The flag byte of these flags."""
    return sum(1 << FLAGS.index(flag) for flag in set(flags))
