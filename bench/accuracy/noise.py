"""Noise added to a record as the Noise Stress Test Database was made (Moody et al. 1984; WFDB's nst and sigamp)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.rates import resampled
from bench.accuracy.records import Record
from bench.accuracy.references import Positions, Stretch

CLEAN_S: Final = 300
STRETCH_S: Final = 120
"""Five minutes without, then two minutes with and two minutes without, to the end."""
_MEASURED: Final = 300
_TRIMMED: Final = 20
"""Amplitudes are means over the first 300 beats or seconds, less the lowest and the highest 20th."""
_QRS_S: Final = 0.05


def noisy_stretches(record: Record) -> tuple[Stretch, ...]:
    """Where `with_noise` adds noise; the records of nstdb have theirs in the same minutes."""
    begins = range(round(CLEAN_S * record.rate_hz), record.count, round(2 * STRETCH_S * record.rate_hz))
    return tuple(Stretch(b, min(record.count, b + round(STRETCH_S * record.rate_hz))) for b in begins)


def with_noise(record: Record, normal: Positions, noise: Record, snr_db: float) -> Record:
    """The record with noise in `noisy_stretches`, lead i with noise signal i (modulo their number).

    The signal's power is that of a sine as high as the mean normal QRS complex, S = (peak to peak)**2 / 8; the
    noise's is the square of its mean RMS value in one second; the gain makes 10 log10(S / N) = `snr_db`. Where noise
    begins and ends the signal is shifted to go on without a step. `normal` are positions of normal beats.
    """
    gains = noise_gains(record, normal, noise, snr_db)
    noise = resampled(noise, record.rate_hz)
    added = np.zeros(record.samples.shape)
    for lead, gain in enumerate(gains):
        signal = noise.mv[lead % len(noise.leads)] * (1000.0 / record.uv_per_lsb[lead])
        added[lead] = gain * _switched(signal, record.count, noisy_stretches(record))
    return replace(record, samples=np.clip(np.round(record.samples + added), -32767, 32767).astype(np.int16))


def noise_gains(record: Record, normal: Positions, noise: Record, snr_db: float) -> NDArray[np.float64]:
    """What each lead's noise (in millivolts) is multiplied by."""
    amplitudes = _qrs_amplitudes_mv(record, normal)
    levels = _noise_levels_mv(noise)[np.arange(len(record.leads)) % len(noise.leads)]
    gains: NDArray[np.float64] = 10 ** (-snr_db / 20) * np.sqrt(1 / 8) * amplitudes / levels
    return gains


def _switched(signal: NDArray[np.float64], count: int, stretches: tuple[Stretch, ...]) -> NDArray[np.float64]:
    """The signal's changes within the stretches, summed up: no step at either end. A short signal starts again."""
    signal = np.resize(signal, count)
    steps = np.zeros(count)
    for stretch in stretches:
        steps[stretch.begin + 1 : stretch.end] = np.diff(signal[stretch.begin : stretch.end])
    return np.cumsum(steps)


def _qrs_amplitudes_mv(record: Record, normal: Positions) -> NDArray[np.float64]:
    reach = round(_QRS_S * record.rate_hz)
    whole = normal[(normal >= reach) & (normal + reach < record.count)][:_MEASURED]
    windows = [record.samples[:, at - reach : at + reach] for at in whole]
    heights = np.array([window.max(axis=1).astype(np.float64) - window.min(axis=1) for window in windows])
    return _in_mv(_trimmed_mean(heights), record)


def _noise_levels_mv(noise: Record) -> NDArray[np.float64]:
    size = round(noise.rate_hz)
    seconds = min(_MEASURED, noise.count // size)
    split = noise.samples[:, : seconds * size].reshape(len(noise.leads), seconds, size).astype(np.float64)
    # sigamp cuts what is left of a step off; with noise as small as em's second signal that is 2 % of the gain.
    around = np.trunc(split - split.mean(axis=2, keepdims=True))
    return _in_mv(_trimmed_mean(np.sqrt((around**2).mean(axis=2)).T), noise)


def _in_mv(steps: NDArray[np.float64], record: Record) -> NDArray[np.float64]:
    """One figure of each lead in millivolts."""
    figures: NDArray[np.float64] = steps * np.array(record.uv_per_lsb, np.float64) / 1000.0
    return figures


def _trimmed_mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each column without its lowest and highest 20th."""
    low = len(rows) // _TRIMMED
    means: NDArray[np.float64] = np.sort(rows, axis=0)[low : len(rows) - low].mean(axis=0)
    return means
