"""R peaks by each library, called as its manual shows; import_module, because only the peers' environment has them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Signal: TypeAlias = NDArray[np.float64]
Detect: TypeAlias = Callable[[str, Signal, float], Any]

_STEPS_PER_MV: Final = 200
"""gqrs wants whole steps as an acquisition system gives them; 200 is mitdb's."""
_UNCLEANED: Final = frozenset({"martinez2004", "manikandan2012", "khamis2016", "nabian2018", "rodrigues2021", "promac"})
"""Methods of neurokit2 whose name its own ecg_clean does not know; they get its default cleaning."""


def detect(library: str, method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    """Positions of R peaks of one lead, in whatever form the library gives them."""
    return _DETECT[library](method, ecg_mv, rate_hz)


def neurokit2_cleaned(method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    """As ecg_process does it: cleaned by the method's own filter where the library has one."""
    cleaner = "neurokit" if method in _UNCLEANED else method
    return import_module("neurokit2").ecg_clean(ecg_mv, sampling_rate=int(rate_hz), method=cleaner)


def neurokit2_peaks(method: str, cleaned: Signal, rate_hz: float) -> Any:
    _, told = import_module("neurokit2").ecg_peaks(cleaned, sampling_rate=int(rate_hz), method=method)
    return told["ECG_R_Peaks"]


def _neurokit2(method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    return neurokit2_peaks(method, neurokit2_cleaned(method, ecg_mv, rate_hz), rate_hz)


def _wfdb(method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    processing = import_module("wfdb.processing")
    if method == "xqrs":
        return processing.xqrs_detect(sig=ecg_mv, fs=rate_hz, verbose=False)
    steps = np.round(ecg_mv * _STEPS_PER_MV).astype(np.int64)
    return processing.gqrs_detect(d_sig=steps, fs=rate_hz, adc_gain=_STEPS_PER_MV, adc_zero=0)


def _sleepecg(_: str, ecg_mv: Signal, rate_hz: float) -> Any:
    return import_module("sleepecg").detect_heartbeats(ecg_mv, rate_hz)


def _biosppy(method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    """The steps of biosppy.signals.ecg.ecg, which has no argument for every one of its segmenters."""
    ecg, tools = import_module("biosppy.signals.ecg"), import_module("biosppy.signals.tools")
    band = {"ftype": "FIR", "band": "bandpass", "order": int(1.5 * rate_hz), "frequency": [0.67, 45]}
    filtered = tools.filter_signal(signal=ecg_mv, sampling_rate=rate_hz, **band)[0]
    filtered = filtered - filtered.mean()
    (peaks,) = getattr(ecg, f"{method}_segmenter")(signal=filtered, sampling_rate=rate_hz)
    return ecg.correct_rpeaks(signal=filtered, rpeaks=peaks, sampling_rate=rate_hz, tol=0.05)[0]


def _ecgdeli(_: str, ecg_mv: Signal, rate_hz: float) -> Any:
    ecgdeli = import_module("ecgdeli")
    return ecgdeli.annotate(ecgdeli.filter_ecg(ecg_mv, rate_hz), rate_hz, waves="QRS").leads[0].r_peak


def _py_ecg_detectors(method: str, ecg_mv: Signal, rate_hz: float) -> Any:
    return getattr(import_module("ecgdetectors").Detectors(int(rate_hz)), f"{method}_detector")(ecg_mv)


_DETECT: Final[dict[str, Detect]] = {
    "wfdb": _wfdb,
    "sleepecg": _sleepecg,
    "neurokit2": _neurokit2,
    "biosppy": _biosppy,
    "ecgdeli": _ecgdeli,
    "py-ecg-detectors": _py_ecg_detectors,
}
