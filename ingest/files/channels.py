"""Channels of a recording file: their leads, and their values as int16 steps from 0 mV."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.errors import Malformed
from schemas.samples import LEADS, MAX_LEADS, MISSING, Lead

_LEAD_BY_NAME: Final[dict[str, Lead]] = {lead.upper(): lead for lead in LEADS}
_PLACELESS: Final[tuple[Lead, ...]] = ("ECG1", "ECG2", "ECG3", "ECG")
_PREFIX: Final = re.compile(r"^(?:ECG|EKG|LEAD)[\s_:.-]+(?=\S)", re.IGNORECASE)
_UV_BY_UNIT: Final = {"nv": 1e-3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "mv": 1e3, "v": 1e6}
_LARGEST: Final = 32767


@dataclass(frozen=True, slots=True)
class Steps:
    """One channel: int16 `samples` (MISSING where not acquired), 0 = 0 mV, each step `uv_per_lsb`.

    `note` says by how much values were rounded, or is "" when every sample is exact.
    """

    samples: NDArray[np.int16]
    uv_per_lsb: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Which channels become which leads, and what had to be said about it."""

    leads: tuple[Lead, ...]
    channels: tuple[int, ...]
    notes: tuple[str, ...]


def uv_per_unit(unit: str) -> float | None:
    """Microvolts in one `unit`, or None for what is no voltage."""
    return _UV_BY_UNIT.get(unit.strip().lower())


def name_leads(names: Sequence[str]) -> Named:
    """Our lead for each channel name, each lead once; a name we don't know becomes ECG1, ECG2, ECG3 or ECG."""
    found: dict[int, Lead] = {}
    for channel, name in enumerate(names):
        lead = _lead(name)
        if lead is not None and lead not in found.values():
            found[channel] = lead
    free = [lead for lead in _PLACELESS if lead not in found.values()]
    notes: list[str] = []
    for channel, name in enumerate(names):
        if channel not in found:
            notes.append(_place(found, channel, name, free))
    kept = sorted(found)[:MAX_LEADS]
    notes += [f"channel {names[c]!r} left out: a recording holds {MAX_LEADS} leads" for c in sorted(found)[MAX_LEADS:]]
    return Named(tuple(found[channel] for channel in kept), tuple(kept), tuple(notes))


def _lead(name: str) -> Lead | None:
    plain = name.strip()
    return _LEAD_BY_NAME.get(plain.upper()) or _LEAD_BY_NAME.get(_PREFIX.sub("", plain).upper())


def _place(found: dict[int, Lead], channel: int, name: str, free: list[Lead]) -> str:
    if not free:
        return f"channel {name!r} left out: its lead is not known and ECG1 to ECG3 and ECG are taken"
    found[channel] = free.pop(0)
    return f"channel {name!r} is no lead we know; it is sent as {found[channel]}"


def steps_from_digital(
    digital: NDArray[np.int64], baseline: float, uv_per_lsb: float, missing: NDArray[np.bool_], name: str
) -> Steps:
    """Whole steps from 0 mV of a converter's output; exact when they fit int16 and `baseline` is whole.

    `digital` and `missing` have shape (count,). Raises Malformed for a gain that can't be used.
    """
    if not (math.isfinite(uv_per_lsb) and uv_per_lsb > 0 and math.isfinite(baseline)):
        raise Malformed(f"channel {name!r} has a gain of {uv_per_lsb:g} µV a step; correct the file's header")
    whole = round(baseline)
    centred = digital - whole
    largest = int(np.max(np.abs(centred), where=~missing, initial=0))
    if largest > _LARGEST:
        return quantise(np.where(missing, np.nan, (digital - baseline) * uv_per_lsb), uv_per_lsb, name)
    samples = np.where(missing, MISSING, centred).astype(np.int16)
    off = abs(baseline - whole)
    note = "" if off < 1e-9 else f"channel {name!r}: 0 mV lies between two steps; moved by {off * uv_per_lsb:.3g} µV"
    return Steps(samples, uv_per_lsb, note)


def quantise(uv: NDArray[np.float64], step_uv: float, name: str) -> Steps:
    """Microvolts, shape (count,), NaN = missing, in the finest whole multiple of `step_uv` that fits int16."""
    missing = ~np.isfinite(uv)
    largest = float(np.max(np.abs(uv), where=~missing, initial=0.0))
    step = step_uv * max(1, math.ceil(largest / (_LARGEST * step_uv)))
    scaled = np.where(missing, 0.0, uv) / step
    rounded = np.rint(scaled)
    error = float(np.max(np.abs(scaled - rounded), initial=0.0)) * step
    note = f"channel {name!r}: rounded to steps of {step:g} µV, by {error:.3g} µV at most" if error > 1e-6 else ""
    return Steps(np.where(missing, MISSING, rounded).astype(np.int16), step, note)
