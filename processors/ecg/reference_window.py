"""What neurokit2 sees in the last seconds of one lead: R peaks, how they are alike, and what is between them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import neurokit2
import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Positions = NDArray[np.int64]

SHORTEST_S: Final = 3.0
"""With less known signal no beats are looked for: neurokit2's filter and thresholds need some seconds."""
FLAT_MV: Final = 0.04
REFRACTORY_S: Final = 0.2
SAME_PEAK_S: Final = 0.05
BEAT_S: Final = 0.12
"""Half the stretch about an R peak that is not "between beats"."""
SHAPE_S: Final = 0.10
STEEP_S: Final = 0.04
STEEP_LEAST: Final = 0.15
"""Of a typical beat's steepness; neurokit2's threshold follows the signal, so it finds beats in a pause's noise."""


@dataclass(frozen=True, slots=True, eq=False)
class LeadView:
    """One lead of a window. Positions count from the window's first sample; levels are in mV.

    `agreed`: whether a second detector sees the peak too. `likeness`: correlation of each beat with the median one.
    `steepness`: the slope averaged over 40 ms; `height`: what it reaches in a typical beat, 0 without beats.
    """

    rate_hz: float
    clean: Signal
    peaks: Positions
    agreed: NDArray[np.bool_]
    likeness: Signal
    steepness: Signal
    height: float


def view(signal: Signal, rate_hz: float) -> LeadView:
    """Look at a lead: `signal` of shape (count,) in mV, NaN where missing. No peaks where nothing can be made of it."""
    known = np.isfinite(signal)
    if known.sum() < SHORTEST_S * rate_hz or np.ptp(signal[known]) < FLAT_MV:
        return _blank(len(signal), rate_hz)
    filled = np.interp(np.arange(len(signal)), np.flatnonzero(known), signal[known])
    clean = np.asarray(ask(neurokit2.ecg_clean, filled, sampling_rate=round(rate_hz)), np.float64)
    if clean.shape != signal.shape or not np.isfinite(clean).all():
        return _blank(len(signal), rate_hz)
    found = _peaks(clean, rate_hz, "neurokit")
    found = found[known[found]]
    found = found[np.diff(found, prepend=-len(signal)) >= REFRACTORY_S * rate_hz]
    steepness = _box(np.abs(np.gradient(clean)) * rate_hz, round(STEEP_S * rate_hz))
    heights = _about(steepness, found, round(STEEP_S * rate_hz)).max(axis=1)
    height = float(np.median(heights)) if len(found) else 0.0
    peaks = found[heights >= STEEP_LEAST * height]
    return LeadView(
        rate_hz=rate_hz,
        clean=clean,
        peaks=peaks,
        agreed=_near(peaks, _peaks(clean, rate_hz, "rodrigues2021"), SAME_PEAK_S * rate_hz),
        likeness=_likeness(clean, peaks, round(SHAPE_S * rate_hz)),
        steepness=steepness,
        height=height,
    )


def noise_share(lead: LeadView, low: int, high: int) -> float:
    """Mean steepness between the beats of [low, high) over that of a typical beat; 1 where no beat is to be seen."""
    if lead.height <= 0.0:
        return 1.0
    at = np.arange(low, high)
    between = ~_near(at, lead.peaks, BEAT_S * lead.rate_hz)
    if between.sum() < 0.1 * lead.rate_hz:
        return 0.0
    return float(np.mean(lead.steepness[at[between]]) / lead.height)


def ask(function: Any, *values: Any, **options: Any) -> Any:
    """neurokit2's answer; an empty one where it has none."""
    try:
        with warnings.catch_warnings():
            # It warns of short or noisy windows; that is what its empty answer says as well.
            warnings.simplefilter("ignore")
            return function(*values, **options)
    except Exception:  # noqa: BLE001 - it raises whatever pandas, pywt and scipy raise on windows it can't read
        return None


def _peaks(clean: Signal, rate_hz: float, method: str) -> Positions:
    info = ask(neurokit2.ecg_findpeaks, clean, sampling_rate=round(rate_hz), method=method)
    found = np.asarray([] if info is None else info["ECG_R_Peaks"], np.float64)
    return np.unique(found[np.isfinite(found) & (found >= 0) & (found < len(clean))].astype(np.int64))


def _blank(count: int, rate_hz: float) -> LeadView:
    nothing = np.empty(0)
    return LeadView(
        rate_hz, np.zeros(count), nothing.astype(np.int64), nothing.astype(np.bool_), nothing, np.zeros(count), 0.0
    )


def _near(at: Positions, peaks: Positions, distance: float) -> NDArray[np.bool_]:
    """Whether each position has a peak at most `distance` away."""
    if len(peaks) == 0 or len(at) == 0:
        return np.zeros(len(at), np.bool_)
    after = np.clip(np.searchsorted(peaks, at), 0, len(peaks) - 1)
    before = np.maximum(after - 1, 0)
    return np.asarray(np.minimum(np.abs(peaks[after] - at), np.abs(peaks[before] - at)) <= distance)


def _box(values: Signal, width: int) -> Signal:
    return np.convolve(values, np.full(max(1, width), 1.0 / max(1, width)), "same")


def _about(values: Signal, peaks: Positions, half: int) -> Signal:
    """The stretch of `half` samples to each side of each peak, the ends held; shape (peaks, 2 half + 1)."""
    at = peaks[:, None] + np.arange(-half, half + 1)
    return np.asarray(values[np.clip(at, 0, len(values) - 1)])


def _likeness(clean: Signal, peaks: Positions, half: int) -> Signal:
    if len(peaks) == 0:
        return np.empty(0)
    shapes = _about(clean, peaks, half)
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    usual = np.median(shapes, axis=0)
    norms = np.linalg.norm(shapes, axis=1) * np.linalg.norm(usual)
    return np.asarray(np.divide(shapes @ usual, norms, out=np.zeros(len(peaks)), where=norms > 0))
