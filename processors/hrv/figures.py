"""Figures of an NN series by neurokit2: time, frequency and non-linear; pure."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.hrv.intervals import NNSeries

HRV_VERSION: Final = f"hrv-1/neurokit2-{version('neurokit2')}"

_RATE_HZ: Final = 4
"""Of the series that the spectrum is taken of; the Task Force asks for 2 to 4 Hz. neurokit2's own 100 Hz takes twice as
long and moves LF and HF by 1 %."""
_NO_HISTOGRAM_MS: Final = 500.0
"""Bins so wide that neurokit2's triangular figures cost nothing: they want 20 minutes of signal, and we leave them."""
_SCALES: Final = np.arange(4, 17)
"""Beats: short-term fluctuations as Peng et al. have them (Chaos 5:82, 1995), in boxes that do not overlap."""
_NO_POWER_MS2: Final = 1e-9
"""Of a constant series rounding leaves a little, which must not be divided by."""


def hrv_figures(nn: NNSeries) -> dict[str, float | None]:
    """Each of schemas.hrv.FIGURES; None where the series gives no number. Raises whatever neurokit2 raises.

    Definitions are those of the Task Force (Circulation 93:1043, 1996): SDNN with n - 1, pNN50 of all NN intervals,
    Welch's spectrum with VLF up to 0.04, LF to 0.15 and HF to 0.4 Hz, LF and HF in normalised units of LF + HF.
    Differences, SD1 and SD2 (Brennan et al., IEEE TBME 48:1342, 2001) are of intervals with a beat in common only; what
    was left out is interpolated for the spectrum, while sample entropy (m = 2, r = 0.2 SD) and DFA's alpha 1 take the
    intervals as they follow. Deviations: VLF begins at 0.013 Hz, two cycles of Welch's windows of 150 s, and
    `total_ms2` is VLF + LF + HF.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # constant or short series; what came of them is looked at below
        told = _time(nn) | _frequency(nn) | _poincare(nn) | _complexity(nn)
    return {name: float(value) if np.isfinite(value) else None for name, value in told.items()}


def _series(nn: NNSeries) -> dict[str, NDArray[np.float64]]:
    return {"RRI": nn.interval_ms, "RRI_Time": nn.end_s - nn.end_s[0]}


def _time(nn: NNSeries) -> dict[str, float]:
    row = _neurokit2().hrv_time(_series(nn), binsize=_NO_HISTOGRAM_MS).iloc[0]
    names = {"mean_nn_ms": "MeanNN", "sdnn_ms": "SDNN", "rmssd_ms": "RMSSD", "sdsd_ms": "SDSD"}
    shares = {"pnn50": "pNN50", "pnn20": "pNN20"}
    return {name: row[f"HRV_{theirs}"] for name, theirs in (names | shares).items()}


def _frequency(nn: NNSeries) -> dict[str, float]:
    row = _neurokit2().hrv_frequency(_series(nn), normalize=False, interpolation_rate=_RATE_HZ, silent=True).iloc[0]
    vlf, lf, hf = (np.float64(row[f"HRV_{band}"]) for band in ("VLF", "LF", "HF"))
    high, both = (power if power > _NO_POWER_MS2 else np.nan for power in (hf, lf + hf))
    return {
        "vlf_ms2": vlf, "lf_ms2": lf, "hf_ms2": hf, "total_ms2": np.nansum([vlf, lf, hf]), "lf_hf": lf / high,
        "lf_nu": 100 * lf / both, "hf_nu": 100 * hf / both,
    }  # fmt: skip


def _poincare(nn: NNSeries) -> dict[str, float]:
    before, after = nn.interval_ms[:-1][nn.pairs], nn.interval_ms[1:][nn.pairs]
    sd1, sd2 = (np.std(axis, ddof=1) / np.sqrt(2) for axis in (after - before, after + before))
    return {"sd1_ms": sd1, "sd2_ms": sd2, "sd1_sd2": sd1 / sd2}


def _complexity(nn: NNSeries) -> dict[str, float]:
    spread = np.std(nn.interval_ms, ddof=1)
    if not spread:
        return {"sample_entropy": np.nan, "dfa_alpha1": np.nan}
    entropy, _ = _neurokit2().entropy_sample(nn.interval_ms, delay=1, dimension=2, tolerance=0.2 * spread)
    alpha, _ = _neurokit2().fractal_dfa(nn.interval_ms, scale=_SCALES, overlap=False)
    return {"sample_entropy": entropy, "dfa_alpha1": alpha}


def _neurokit2() -> Any:
    import neurokit2  # noqa: PLC0415  # two seconds and 150 MB, that nobody else who imports this should pay

    return neurokit2
