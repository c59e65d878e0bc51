"""The reference engine's metrics row of a second."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.ecg.intervals import AVERAGED, RATE_S
from processors.ecg.quality import UNREADABLE
from processors.ecg.reference_rhythm import Second, mean_interval, stated
from processors.ecg.reference_state import NONE, Held, Measured
from processors.ecg.rhythm import NOISE
from schemas.metrics import FIGURES
from schemas.quality import LeadQuality, bits_of
from schemas.results import METRICS_DTYPE


def metrics_row(held: Held, source: int, second: Second, qualities: list[LeadQuality]) -> NDArray[Any]:
    """Rate and intervals of the second, averaged over clean beats; NaN where nothing can be measured or read."""
    row = np.zeros((), METRICS_DTYPE)
    for name in (*FIGURES, "lead_quality"):
        row[name] = np.nan
    row["source"], row["window_start_us"] = source, held.clock.start_us(second.number)
    row["quality"], row["main_lead"] = second.quality, held.main
    row["lead_quality"][: len(qualities)] = [one.quality for one in qualities]
    row["lead_flags"][: len(qualities)] = [bits_of(one.flags) for one in qualities]
    row["rhythm"] = NONE
    if held.rhythm.label == NOISE:
        row["rhythm"], row["arrhythmia_confidence"] = NOISE, 100.0 * (1.0 - second.quality)
        return row
    for name, value in _figures(held, second.end).items():
        row[name] = np.nan if value is None else value
    label = stated(held)
    if second.quality >= UNREADABLE and label != NONE:
        row["rhythm"] = label
        row["arrhythmia_confidence"] = held.rhythm.sure if label == held.rhythm.label else 100.0 * second.quality
    return row


def _figures(held: Held, end: int) -> dict[str, float | None]:
    rr_ms = mean_interval(held, end)
    names = ("pr_ms", "qrs_ms", "qt_ms", "st_mv", "st80_mv")
    axes = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")
    clean = [b for b in held.beats if b.normal and end - RATE_S * held.rate_hz <= b.index < end][-AVERAGED:]
    return {
        "rr_ms": rr_ms,
        "heart_rate_bpm": None if rr_ms is None else 60000.0 / rr_ms,
        **{name: _mean(clean, name) for name in names},
        **{name: _circular_mean(clean, name) for name in axes},
        **_corrected(_mean(clean, "qt_ms"), rr_ms),
    }


def _corrected(qt_ms: float | None, rr_ms: float | None) -> dict[str, float | None]:
    """QT corrected for the rate, after Fridericia (`qtc_ms`), Bazett, Framingham (Sagie 1992) and Hodges."""
    if qt_ms is None or rr_ms is None:
        return {}
    rr_s = rr_ms / 1000.0
    return {
        "qtc_ms": qt_ms / rr_s ** (1.0 / 3.0),
        "qtc_bazett_ms": qt_ms / rr_s**0.5,
        "qtc_framingham_ms": qt_ms + 154.0 * (1.0 - rr_s),
        "qtc_hodges_ms": qt_ms + 1.75 * (60.0 / rr_s - 60.0),
    }


def _values(beats: list[Measured], name: str) -> list[float]:
    return [value for value in (getattr(beat, name) for beat in beats) if value is not None]


def _mean(beats: list[Measured], name: str) -> float | None:
    values = _values(beats, name)
    return float(np.mean(values)) if values else None


def _circular_mean(beats: list[Measured], name: str) -> float | None:
    angles = np.radians(_values(beats, name))
    return float(np.degrees(np.arctan2(np.sin(angles).sum(), np.cos(angles).sum()))) if len(angles) else None
