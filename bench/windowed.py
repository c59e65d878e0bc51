"""The peer every speed claim is held against: neurokit2's `ecg_process` on the last 10 s, once a second."""

from __future__ import annotations

import time
import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_S: Final = 10


def window_cpu_s(ecg_mv: NDArray[np.float64], rate_hz: int, windows: int) -> float:
    """CPU seconds of one window, the mean of `windows`; a device needs one a second. `ecg_mv` is WINDOW_S long."""
    import neurokit2  # noqa: PLC0415  # 4 s of imports that our own figure must not wait for

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neurokit2.ecg_process(ecg_mv, sampling_rate=rate_hz)  # the first call compiles and imports
        before_s = time.process_time()
        for _ in range(windows):
            neurokit2.ecg_process(ecg_mv, sampling_rate=rate_hz)
    return (time.process_time() - before_s) / windows
