"""The small trained network that tells a beat from everything else that rises in the envelope."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import HIDDEN, INPUTS


@kernel
def judge(work: Record, first: NDArray[Any], last: NDArray[Any]) -> float:
    """Log odds that the candidate described by work.candidate is a beat.

    `first` is float32 (INPUTS + 1, HIDDEN), its last row the offsets; `last` is float32 (HIDDEN + 1,).
    """
    x = work.candidate
    hidden = work.candidate_hidden
    for h in range(HIDDEN):
        hidden[h] = first[INPUTS, h]
    for i in range(0, INPUTS, 8):
        a = x[i]
        b = x[i + 1]
        c = x[i + 2]
        d = x[i + 3]
        e = x[i + 4]
        f = x[i + 5]
        g = x[i + 6]
        k = x[i + 7]
        for h in range(HIDDEN):
            low = (a * first[i, h] + b * first[i + 1, h]) + (c * first[i + 2, h] + d * first[i + 3, h])
            high = (e * first[i + 4, h] + f * first[i + 5, h]) + (g * first[i + 6, h] + k * first[i + 7, h])
            hidden[h] += low + high
    total = last[HIDDEN]
    for h in range(HIDDEN):
        if hidden[h] > 0.0:
            total += hidden[h] * last[h]
    return float(total)
