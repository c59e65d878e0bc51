"""The waves of beats by two of neurokit2's delineators, stated where the two agree."""

from __future__ import annotations

from typing import Any, Final

import neurokit2
import numpy as np

from processors.ecg.reference_window import LeadView, Positions, Signal, ask
from schemas.beats import Fiducials

BEATS_ABOUT: Final = 2
EDGE_S: Final = 0.6
"""The delineators are shown so many beats to each side: they take the rate from them, their time grows with them."""
LEAST_S: Final = 4.2
"""dwt refuses less than 4 s."""
SAME_PEAK_S: Final = 0.024
SAME_END_S: Final = 0.04
_KEYS: Final = {
    "p_onset": "ECG_P_Onsets", "p_peak": "ECG_P_Peaks", "p_offset": "ECG_P_Offsets",
    "qrs_onset": "ECG_R_Onsets", "qrs_offset": "ECG_R_Offsets",
    "t_onset": "ECG_T_Onsets", "t_peak": "ECG_T_Peaks", "t_offset": "ECG_T_Offsets",
}  # fmt: skip

Marks = dict[str, int]
"""Positions in the window by the names of Fiducials."""


def waves(lead: LeadView, first: int, end: int) -> list[Fiducials]:
    """The waves of peaks number `first` to `end`; positions in the window.

    QRS onset is prominence's and QRS end dwt's. A P or T wave is stated where both put its peak within 24 ms, its ends
    where both put them within 40 ms; P is dwt's then, T prominence's. On 35 of qtdb's records (those at even places of
    the list, better of two leads) that gives against the cardiologist: P onset 8 ± 16 ms, QRS onset 3 ± 17 (dwt: -49 ±
    53), QRS end 4 ± 16 (prominence: -24 ± 27), T end 1 ± 26 (dwt alone -37 ± 86, prominence alone -7 ± 36).
    """
    if first >= end:
        return []
    low, high = _extent(lead, first, end)
    shown = lead.peaks[(lead.peaks >= low) & (lead.peaks < high)]
    part = lead.clean[low:high]
    by_dwt, by_prominence = (_marked(part, shown - low, lead.rate_hz, method) for method in ("dwt", "prominence"))
    here = int(np.searchsorted(shown, lead.peaks[first]))
    return [
        _agreed(by_dwt[here + i], by_prominence[here + i], int(lead.peaks[first + i]) - low, low, lead.rate_hz)
        for i in range(end - first)
    ]


def _extent(lead: LeadView, first: int, end: int) -> tuple[int, int]:
    about = lead.peaks[max(0, first - BEATS_ABOUT) : end + BEATS_ABOUT]
    edge, least = int(EDGE_S * lead.rate_hz), int(LEAST_S * lead.rate_hz)
    high = min(len(lead.clean), int(about[-1]) + edge)
    low = max(0, min(int(about[0]) - edge, high - least))
    return low, max(high, min(len(lead.clean), low + least))


def _marked(clean: Signal, peaks: Positions, rate_hz: float, method: str) -> list[Marks]:
    """What the method marks of each beat; nothing where it fails, or loses count."""
    found: list[Marks] = [{} for _ in peaks]
    if len(peaks) < 3:
        return found
    answer: Any = ask(neurokit2.ecg_delineate, clean, peaks, sampling_rate=round(rate_hz), method=method)
    for name, key in _KEYS.items():
        column = () if answer is None else answer[1].get(key, ())
        for marks, at in zip(found, column, strict=False) if len(column) == len(peaks) else ():
            if at is not None and np.isfinite(at):
                marks[name] = int(at)
    return found


def _agreed(dwt: Marks, prominence: Marks, r: int, low: int, rate_hz: float) -> Fiducials:
    """One beat's marks, positions moved by `low`."""
    qrs_onset = prominence["qrs_onset"] if prominence.get("qrs_onset", r) < r else None
    qrs_offset = dwt["qrs_offset"] if dwt.get("qrs_offset", r) > r else None
    p = _wave("p", dwt, prominence, rate_hz)
    t = _wave("t", prominence, dwt, rate_hz)
    marks = {
        **(p if max(p.values(), default=r) <= (r if qrs_onset is None else qrs_onset) else {}),
        **({} if qrs_onset is None else {"qrs_onset": qrs_onset}),
        **({} if qrs_offset is None else {"qrs_offset": qrs_offset}),
        **(t if min(t.values(), default=r) >= (r if qrs_offset is None else qrs_offset) else {}),
    }
    return Fiducials(**{name: low + at for name, at in marks.items()})


def _wave(wave: str, chosen: Marks, other: Marks, rate_hz: float) -> Marks:
    """What both say of a wave: its marks in order, or none."""
    marks = {}
    for part, within_s in (("onset", SAME_END_S), ("peak", SAME_PEAK_S), ("offset", SAME_END_S)):
        name = f"{wave}_{part}"
        if name in chosen and name in other and abs(chosen[name] - other[name]) <= within_s * rate_hz:
            marks[name] = chosen[name]
    in_order = list(marks.values()) == sorted(set(marks.values()))
    return marks if f"{wave}_peak" in marks and in_order else {}
