"""Beats of the reference engine: what is measured of a peak neurokit2 found."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.reference_look import Look
from processors.ecg.reference_state import Held, Measured
from processors.ecg.reference_waves import waves
from processors.ecg.reference_window import REFRACTORY_S, Signal
from schemas.beats import Fiducials
from schemas.results import BEAT_DTYPE

OVERLAP_S: Final = 0.1
"""A later look may put a peak a little earlier; one that near is still taken when it wasn't given."""
LIKE: Final = 0.8
EARLY: Final = 0.87
LEVEL_S: Final = 0.016
ST_S: Final = (0.06, 0.08)
ST_MEAN_S: Final = 0.008
_DIRECTION_DEG: Final = {
    "I": 0.0, "MLI": 0.0, "II": 60.0, "MLII": 60.0, "III": 120.0, "MLIII": 120.0,
    "aVF": 90.0, "aVL": -30.0, "aVR": -150.0,
}  # fmt: skip
_UNIPOLAR: Final = 3**0.5 / 2
"""A unipolar limb lead shows the heart's vector so much smaller than a bipolar one (Einthoven's triangle)."""


def take_beats(seen: Look, until: int, source: int, rows: list[NDArray[Any]]) -> None:
    """Give the main lead's beats before index `until` that were not given yet."""
    held, lead = seen.held, seen.views[seen.held.main]
    from_index = held.given_until - OVERLAP_S * held.rate_hz
    if held.beats:
        from_index = max(from_index, held.beats[-1].index + REFRACTORY_S * held.rate_hz)
    first, end = np.searchsorted(lead.peaks + seen.first, [from_index, until])
    for number, marks in zip(range(first, end), waves(lead, int(first), int(end)), strict=True):
        rows.append(_give(seen, number, marks, source))
    held.given_until = max(held.given_until, until)


def _give(seen: Look, number: int, marks: Fiducials, source: int) -> NDArray[Any]:
    held, lead = seen.held, seen.views[seen.held.main]
    index = seen.first + int(lead.peaks[number])
    quality = seen.quality_at(held.main, index)
    like = max(0.0, float(lead.likeness[number]))
    beat = _measured(seen, index, marks, normal=quality > 0.0 and like >= LIKE)
    row = np.zeros((), BEAT_DTYPE)
    row["source"], row["r_index"], row["at_us"] = source, index, held.clock.time_of(index)
    row["beat_class"] = "N" if beat.normal else "Q"
    row["confidence"] = 100.0 * quality * (1.0 if lead.agreed[number] else 0.5) * (0.6 + 0.4 * min(1.0, like))
    for name in ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv"):
        value = getattr(beat, name)
        row[name] = np.nan if value is None else value
    level = _level(seen.signal[held.main], marks.qrs_onset, held.rate_hz)
    row["amplitude_mv"] = np.nan if level is None else seen.signal[held.main, index - seen.first] - level
    for name in Fiducials.__slots__:
        at = getattr(marks, name)
        row[name] = -1 if at is None else seen.first + at
    held.beats = [*held.beats[-31:], beat]
    return row


def _measured(seen: Look, index: int, marks: Fiducials, *, normal: bool) -> Measured:
    held = seen.held
    main = seen.signal[held.main]
    rr_ms = _interval(held, index)
    st = [_st(main, marks, after_s, held.rate_hz) for after_s in ST_S]
    return Measured(
        index=index,
        normal=normal and not _is_early(held, rr_ms),
        rr_ms=rr_ms,
        pr_ms=_ms(marks.p_onset, marks.qrs_onset, held.rate_hz),
        qrs_ms=_ms(marks.qrs_onset, marks.qrs_offset, held.rate_hz),
        qt_ms=_ms(marks.qrs_onset, marks.t_offset, held.rate_hz),
        st_mv=st[0],
        st80_mv=st[1],
        p_axis_deg=_axis(seen, marks.p_onset, marks.p_offset, area=True),
        qrs_axis_deg=_axis(seen, marks.qrs_onset, marks.qrs_offset, area=False),
        t_axis_deg=_axis(seen, marks.t_onset, marks.t_offset, area=True),
    )


def _interval(held: Held, index: int) -> float | None:
    """RR in ms; None for the first beat, across a gap and across a hole in all leads."""
    if not held.beats or held.is_broken(held.beats[-1].index, index):
        return None
    return 1000.0 * (index - held.beats[-1].index) / held.rate_hz


def _is_early(held: Held, rr_ms: float | None) -> bool:
    known = [beat.rr_ms for beat in held.beats[-8:] if beat.rr_ms is not None]
    return rr_ms is not None and len(known) >= 3 and rr_ms < EARLY * float(np.median(known))


def _ms(first: int | None, last: int | None, rate_hz: float) -> float | None:
    return None if first is None or last is None or first >= last else 1000.0 * (last - first) / rate_hz


def _level(signal: Signal, onset: int | None, rate_hz: float) -> float | None:
    """The isoelectric level: the mean of the 16 ms before QRS onset."""
    return None if onset is None else _mean(signal, onset - round(LEVEL_S * rate_hz), onset + 1)


def _st(signal: Signal, marks: Fiducials, after_s: float, rate_hz: float) -> float | None:
    """Level so long after the J point, against the isoelectric one; the mean of 16 ms."""
    level = _level(signal, marks.qrs_onset, rate_hz)
    if level is None or marks.qrs_offset is None:
        return None
    at = marks.qrs_offset + round(after_s * rate_hz)
    half = round(ST_MEAN_S * rate_hz)
    there = _mean(signal, at - half, at + half + 1)
    return None if there is None else there - level


def _mean(signal: Signal, low: int, high: int) -> float | None:
    part = signal[max(0, low) : high]
    return float(part.mean()) if high <= len(signal) and len(part) and np.isfinite(part).all() else None


def _axis(seen: Look, first: int | None, last: int | None, *, area: bool) -> float | None:
    """Frontal axis in degrees of a wave, the least squares of all limb leads; None with less than two of them.

    Of QRS the highest and the lowest point count, of P and T the area over the line from onset to offset.
    """
    limbs = [k for k, name in enumerate(seen.held.leads) if name in _DIRECTION_DEG]
    if len(limbs) < 2 or first is None or last is None or last - first < 2:
        return None
    waves_mv = seen.signal[limbs, first : last + 1]
    if not np.isfinite(waves_mv).all():
        return None
    angles = np.radians([_DIRECTION_DEG[seen.held.leads[k]] for k in limbs])
    gains = np.array([_UNIPOLAR if seen.held.leads[k].startswith("aV") else 1.0 for k in limbs])
    directions = np.stack([gains * np.cos(angles), gains * np.sin(angles)], axis=1)
    if np.linalg.matrix_rank(directions) < 2:
        return None
    x, y = np.linalg.lstsq(directions, _deflections(waves_mv, area=area), rcond=None)[0]
    return float(np.degrees(np.arctan2(y, x))) if x or y else None


def _deflections(waves_mv: Signal, *, area: bool) -> Signal:
    start = waves_mv[:, :1]
    if area:
        line = start + (waves_mv[:, -1:] - start) * np.linspace(0.0, 1.0, waves_mv.shape[1])
        return np.asarray((waves_mv - line).mean(axis=1))
    return np.asarray((waves_mv - start).max(axis=1) + (waves_mv - start).min(axis=1))
