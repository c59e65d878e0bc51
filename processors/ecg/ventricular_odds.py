"""The small trained network that tells ventricular tachycardia, flutter and fibrillation from everything else."""

from __future__ import annotations

from math import isnan, log, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import BEAT_MASK, BEATS, VENTRICULAR_SCALE, VENTRICULAR_TRAITS

OTHER: Final = 0
WIDE_AND_FAST: Final = 1
CHAOTIC: Final = 2
"""The networks' three answers: tachycardia, and flutter or fibrillation, and what is neither."""
OUTPUTS: Final = 3
HIDDEN: Final = 16
SIGNAL: Final = 2 * VENTRICULAR_TRAITS
BEAT: Final = 9
INPUTS: Final = SIGNAL + BEAT
LOOK_BACK_S: Final = 4.0
USUAL_GAIN: Final = 1.0 / 40.0
FIRST_RR_S: Final = 0.8
FIRST_QRS_MS: Final = 95.0


@kernel
def see_signal(means: NDArray[Any], first: int, inputs: NDArray[Any]) -> None:
    """Running means of the traits, to `inputs` from `first` on."""
    for i in range(VENTRICULAR_TRAITS):
        inputs[first + i] = means[i] / VENTRICULAR_SCALE


@kernel
def unevenness(total: float, squares: float, count: int) -> float:
    """Standard deviation of `count` values with this sum and sum of squares; 0 without values."""
    if count == 0:
        return 0.0
    mean = total / count
    return float(sqrt(max(0.0, squares / count - mean * mean)))


@kernel
def see_beats(device: Record, end_u: int, inputs: NDArray[Any]) -> None:
    """Intervals and widths of the beats in the 4 s before `end_u`, and against those usual so far, which they move.

    The beats' classes are left out: the network stays true when the rules of classes change.
    """
    hz = device.inner_hz
    beats = 0
    intervals = 0
    widths = 0
    rr_s = 0.0
    squares = 0.0
    shortest = 2.0
    width = 0.0
    last_s = LOOK_BACK_S
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        u = device.beat_u[slot]
        if u >= end_u:
            continue
        ago_s = (end_u - u) / hz
        last_s = min(last_s, ago_s)
        if ago_s > LOOK_BACK_S:
            break
        beats += 1
        if not isnan(device.beat_rr[slot]):
            one = device.beat_rr[slot] / 1000.0
            intervals += 1
            rr_s += one
            squares += one * one
            shortest = min(shortest, one)
        if not isnan(device.beat_qrs[slot]):
            widths += 1
            width += device.beat_qrs[slot]
    mean_s = min(2.0, max(0.2, rr_s / intervals)) if intervals > 0 else 2.0
    width_ms = min(220.0, max(50.0, width / widths)) if widths > 0 else float(device.ventricular_qrs)
    uneven = unevenness(rr_s, squares, intervals) / mean_s
    enter_beats(beats, widths / max(1, beats), mean_s, uneven, max(0.2, shortest), width_ms, last_s, inputs)
    compare_with_usual(device, mean_s, intervals > 0, width_ms, widths > 0, inputs)


@kernel
def enter_beats(beats: int, with_width: float, mean_s: float, uneven: float, shortest_s: float, width_ms: float,
                last_s: float, inputs: NDArray[Any]) -> None:  # fmt: skip
    """Seven figures of the last beats, each of about the size of 1."""
    inputs[SIGNAL] = 0.1 * beats
    inputs[SIGNAL + 1] = mean_s
    inputs[SIGNAL + 2] = min(1.0, uneven)
    inputs[SIGNAL + 3] = shortest_s
    inputs[SIGNAL + 4] = 0.01 * width_ms
    inputs[SIGNAL + 5] = with_width
    inputs[SIGNAL + 6] = last_s / LOOK_BACK_S


@kernel
def compare_with_usual(device: Record, mean_s: float, has_rr: bool, width_ms: float, has_width: bool,
                       inputs: NDArray[Any]) -> None:  # fmt: skip
    """Enter interval and width against those usual so far, then move these by what was measured."""
    if device.ventricular_seen > 0:
        inputs[SIGNAL + 7] = log(device.ventricular_rr / mean_s)
        inputs[SIGNAL + 8] = log(width_ms / device.ventricular_qrs)
    if has_rr:
        device.ventricular_rr += USUAL_GAIN * (mean_s - device.ventricular_rr)
    if has_width:
        device.ventricular_qrs += USUAL_GAIN * (width_ms - device.ventricular_qrs)


@kernel
def weigh_up(inputs: NDArray[Any], first: NDArray[Any], last: NDArray[Any], hidden: NDArray[Any],
             outputs: NDArray[Any]) -> None:  # fmt: skip
    """Log odds of OTHER, WIDE_AND_FAST and CHAOTIC, up to what they share, to `outputs`.

    `first` is float32 (INPUTS + 1, HIDDEN), `last` float32 (HIDDEN + 1, OUTPUTS); their last rows are the offsets.
    """
    for h in range(HIDDEN):
        hidden[h] = first[INPUTS, h]
    for i in range(INPUTS):
        value = inputs[i]
        for h in range(HIDDEN):
            hidden[h] += value * first[i, h]
    for o in range(OUTPUTS):
        outputs[o] = last[HIDDEN, o]
    for h in range(HIDDEN):
        if hidden[h] > 0.0:
            for o in range(OUTPUTS):
                outputs[o] += hidden[h] * last[h, o]
