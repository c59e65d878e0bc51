"""Ventricular rhythms, second by second: fibrillation, flutter, tachycardia, idioventricular rhythm, asystole."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.intervals import newest_before
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, VENTRICULAR_LAGS, VENTRICULAR_SCALE, VENTRICULAR_TRAITS
from processors.ecg.ventricular_odds import CHAOTIC, OTHER, WIDE_AND_FAST, see_beats, see_signal, weigh_up
from processors.ecg.ventricular_runs import IDIOVENTRICULAR, NON_SUSTAINED, label_of_run
from processors.ecg.ventricular_weights import FIRST, LAST
from schemas import rhythms

ASYSTOLE: Final = rhythms.LABELS.index(rhythms.ASYSTOLE)
SUSTAINED: Final = rhythms.LABELS.index(rhythms.SUSTAINED_TACHYCARDIA)
FLUTTER: Final = rhythms.LABELS.index(rhythms.VENTRICULAR_FLUTTER)
FIBRILLATION: Final = rhythms.LABELS.index(rhythms.VENTRICULAR_FIBRILLATION)
WITHOUT_BEATS: Final = (ASYSTOLE, FLUTTER, FIBRILLATION)
"""What the detector calls beats then is none: no rate and no interval is to be shown."""

SUSTAINED_S: Final = 30.0
ASYSTOLE_S: Final = 4.0
"""Monitors call asystole after 4 s without a QRS complex."""
SILENT_SECONDS: Final = 4
CERTAIN: Final = 6.0
"""Log odds beyond this count as this; a calm second counts as this much against."""
GAIN: Final = 0.4
ENTER: Final = 1.5
LEAVE: Final = -3.0
"""Smoothed log odds at which a rhythm is stated and given up; chosen by leaving out one record of vfdb's first half at
a time, and by false alarms an hour on mitdb's training records under noise."""
ENTER_SECONDS: Final = 3
"""So many seconds in a row must have been looked at: a recording's first ones tell little."""
RISE: Final = -1.0
PERIODIC: Final = 0.6
UNPERIODIC: Final = 0.4
IRREGULAR: Final = 0.3
PERIODIC_FROM: Final = 8
SINE_TO: Final = 13
"""Autocorrelation at lags of 0.16 s and more: in flutter its peak is 0.4 to 0.9, in fibrillation 0.1 to 0.6. A sine of
180 a minute and more (a lag of 0.32 s and less) has a trough as deep as the peak is high. In tachycardia the peak is
over 0.38 in nine seconds of ten."""
SWITCH: Final = 2.0
READABLE: Final = 0.5


@kernel
def follow_ventricular(device: Record, leads: NDArray[Any], end_u: int, quality: float, work: Record) -> int:
    """Position in LABELS of what the ventricles do by the second that ends at `end_u`, or ABSENT.

    Called once for every second that had samples, when its beats are decided; `device.ventricular_first_u` becomes
    the inner index where the label began.
    """
    weigh_second(device, end_u, work)
    label = asystole(device, end_u)
    if label == ABSENT and device.ventricular_on == 1:
        label = kind(device)
    if label == ABSENT and quality >= READABLE:
        label = label_of_run(device, end_u, work)
    begin(device, label, end_u, work)
    if label == NON_SUSTAINED and end_u - device.ventricular_first_u >= SUSTAINED_S * device.inner_hz:
        label = SUSTAINED
    device.ventricular = label
    return label


@kernel
def weigh_second(device: Record, end_u: int, work: Record) -> None:
    """Let the network's odds of the newest second move the smoothed ones; they switch `ventricular_on`."""
    inputs = work.ventricular_inputs
    see_beats(device, end_u, inputs)
    evidence = -CERTAIN
    if device.ventricular_seen > 0:
        see_signal(device.ventricular_fast, 0, inputs)
        see_signal(device.ventricular_slow, VENTRICULAR_TRAITS, inputs)
        odds = work.ventricular_odds
        weigh_up(inputs, FIRST, LAST, work.ventricular_hidden, odds)
        evidence = max(odds[WIDE_AND_FAST], odds[CHAOTIC]) - odds[OTHER]
        lean = odds[CHAOTIC] - odds[WIDE_AND_FAST]
        device.ventricular_lean += GAIN * (min(CERTAIN, max(-CERTAIN, lean)) - device.ventricular_lean)
    before = device.ventricular_odds
    device.ventricular_odds += GAIN * (min(CERTAIN, max(-CERTAIN, evidence)) - before)
    if before < RISE <= device.ventricular_odds:
        device.ventricular_rise_u = end_u
    if device.ventricular_odds > ENTER and device.ventricular_seen >= ENTER_SECONDS:
        device.ventricular_on = 1
    elif device.ventricular_odds < LEAVE:
        device.ventricular_on = 0


@kernel
def kind(device: Record) -> int:
    """Flutter is what repeats itself like a sine; else tachycardia or fibrillation by the odds, reluctant to change."""
    fluttering = device.ventricular == FLUTTER
    fibrillating = fluttering or device.ventricular == FIBRILLATION
    limit = -SWITCH if fibrillating else (SWITCH if device.ventricular in (NON_SUSTAINED, SUSTAINED) else 0.0)
    if device.ventricular_seen == 0 and fibrillating:
        return int(device.ventricular)
    highest = 0.0
    lowest = 0.0
    trough = 0.0
    for i in range(VENTRICULAR_LAGS):
        height = device.ventricular_slow[i] / VENTRICULAR_SCALE
        lowest = min(lowest, height)
        if i >= PERIODIC_FROM and height > highest:
            highest = height
            trough = lowest if i <= SINE_TO else 0.0
    wanted = UNPERIODIC if fluttering else PERIODIC
    chaotic = device.ventricular_lean >= limit
    if highest >= wanted and (chaotic or trough <= -wanted):
        return FLUTTER
    return FIBRILLATION if chaotic or highest < IRREGULAR else NON_SUSTAINED


@kernel
def asystole(device: Record, end_u: int) -> int:
    """ASYSTOLE when a readable signal has had no QRS complex for 4 s, or nothing at all."""
    if device.ventricular_alive < SILENT_SECONDS:
        return ABSENT
    if device.ventricular_quiet >= SILENT_SECONDS:
        device.ventricular_on = 0
        device.ventricular_odds = -CERTAIN
        return ASYSTOLE
    last = max(newest_before(device, end_u), device.broken_u, device.segment_u)
    silent = end_u - last > ASYSTOLE_S * device.inner_hz and device.ventricular_low >= SILENT_SECONDS
    return ASYSTOLE if silent and device.ventricular_on == 0 and device.ventricular_odds < RISE else ABSENT


@kernel
def begin(device: Record, label: int, end_u: int, work: Record) -> None:
    """Keep, or set, where the label began."""
    tachycardia = label == NON_SUSTAINED and device.ventricular in (NON_SUSTAINED, SUSTAINED)
    if label == ABSENT or label == device.ventricular or tachycardia:  # noqa: PLR1714 - numba has no `in` for mixed widths
        return
    if label == ASYSTOLE:
        device.ventricular_first_u = max(newest_before(device, end_u), device.segment_u)
    elif device.ventricular_on == 0:
        device.ventricular_first_u = work.run_first_u
    elif device.ventricular in (NON_SUSTAINED, SUSTAINED, FLUTTER, FIBRILLATION):
        device.ventricular_first_u = end_u - round(device.inner_hz)
    else:
        device.ventricular_first_u = device.ventricular_rise_u


@kernel
def is_ventricular(label: int) -> bool:
    """Whether follow_ventricular may return it, ABSENT apart."""
    return label in (ASYSTOLE, SUSTAINED, NON_SUSTAINED, FLUTTER, FIBRILLATION, IDIOVENTRICULAR)


@kernel
def sureness(device: Record, label: int, quality: float) -> float:
    """0 to 100: how sure the label is that follow_ventricular has just returned."""
    if label in (FLUTTER, FIBRILLATION) or device.ventricular_on == 1:
        return float(50.0 + 50.0 * min(1.0, max(0.0, device.ventricular_odds / CERTAIN)))
    if label == ASYSTOLE:
        return 90.0 if device.ventricular_quiet >= SILENT_SECONDS else 70.0
    return 100.0 * quality
