"""Waves by each library that delineates: columns named as our engine names them, -1 where it says nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.peers.detectors import neurokit2_cleaned, neurokit2_peaks

Columns: TypeAlias = dict[str, NDArray[np.int64]]

_NEUROKIT2: Final = {
    "p_onset": "ECG_P_Onsets", "p_peak": "ECG_P_Peaks", "p_offset": "ECG_P_Offsets",
    "qrs_onset": "ECG_R_Onsets", "qrs_offset": "ECG_R_Offsets",
    "t_onset": "ECG_T_Onsets", "t_peak": "ECG_T_Peaks", "t_offset": "ECG_T_Offsets",
}  # fmt: skip
_ECGDELI: Final = {
    "r_index": 5, "p_onset": 0, "p_peak": 1, "p_offset": 2, "qrs_onset": 3, "qrs_offset": 7,
    "t_onset": 9, "t_peak": 10, "t_offset": 11,
}  # fmt: skip
"""Columns of ecgdeli's table of fiducial points."""


def delineate(library: str, method: str, leads_mv: NDArray[np.float64], rate_hz: float) -> Columns:
    """The beats of a recording, shape (leads, count); neurokit2 reads the first lead only."""
    if library == "ecgdeli":
        return _ecgdeli(leads_mv, rate_hz)
    return _neurokit2(method, leads_mv[0], rate_hz)


def _ecgdeli(leads_mv: NDArray[np.float64], rate_hz: float) -> Columns:
    """The consensus of all leads; of one lead alone that is the lead's own table."""
    ecgdeli = import_module("ecgdeli")
    found = ecgdeli.annotate(ecgdeli.filter_ecg(leads_mv.T, rate_hz), rate_hz).consensus.positions
    count = leads_mv.shape[1]
    return {name: np.where(found[:, at] < count, found[:, at], -1) for name, at in _ECGDELI.items()}


def _neurokit2(method: str, ecg_mv: NDArray[np.float64], rate_hz: float) -> Columns:
    """Its own default cleaning and R peaks, as ecg_process does it, then ecg_delineate by the method."""
    cleaned = neurokit2_cleaned("neurokit", ecg_mv, rate_hz)
    peaks = np.asarray(neurokit2_peaks("neurokit", cleaned, rate_hz), np.int64)
    _, waves = import_module("neurokit2").ecg_delineate(cleaned, peaks, sampling_rate=int(rate_hz), method=method)
    columns = {name: _column(peaks, waves.get(theirs, ()), name) for name, theirs in _NEUROKIT2.items()}
    return {"r_index": peaks, **columns}


def _column(peaks: NDArray[np.int64], marks: Any, name: str) -> NDArray[np.int64]:
    """A mark for each R peak. The method cwt gives fewer marks than peaks: each goes to the peak next to it."""
    told = np.nan_to_num(np.asarray(marks, np.float64), nan=-1.0).astype(np.int64)
    if len(told) == len(peaks):
        return told
    column = np.full(len(peaks), -1, np.int64)
    told = told[told >= 0]
    owner = np.searchsorted(peaks, told) if name.startswith("p_") else np.searchsorted(peaks, told, side="right") - 1
    held = (owner >= 0) & (owner < len(peaks))
    column[owner[held]] = told[held]
    return column
