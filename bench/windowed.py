"""The peer every speed claim is held against: neurokit2's `ecg_process` on the last 10 s, once a second."""

from __future__ import annotations

import time
import warnings
from typing import Final

WINDOW_S: Final = 10
RATE_HZ: Final = 250
_REPEATS: Final = 8


def neurokit2_devices_per_core() -> float:
    """How many devices one core serves that way: 1 / (CPU seconds of one window), the median of several."""
    import neurokit2  # noqa: PLC0415  # 4 s of imports that only this function needs

    signal = neurokit2.ecg_simulate(duration=WINDOW_S, sampling_rate=RATE_HZ, heart_rate=70, random_state=1)
    costs_s = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neurokit2.ecg_process(signal, sampling_rate=RATE_HZ)  # the first call compiles and imports
        for _ in range(_REPEATS):
            begun_s = time.process_time()
            neurokit2.ecg_process(signal, sampling_rate=RATE_HZ)
            costs_s.append(time.process_time() - begun_s)
    return 1 / sorted(costs_s)[len(costs_s) // 2]
