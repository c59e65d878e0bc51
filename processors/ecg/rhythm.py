"""The rhythm that the last intervals speak for, and how surely."""

from __future__ import annotations

from math import log, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.intervals import LAST_BEAT_S, newest_before, rate_interval, recent_rr
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_S, CLASS_V, NEVER
from schemas import rhythms

NORMAL: Final = rhythms.LABELS.index(rhythms.NORMAL)
BRADYCARDIA: Final = rhythms.LABELS.index(rhythms.BRADYCARDIA)
TACHYCARDIA: Final = rhythms.LABELS.index(rhythms.TACHYCARDIA)
IRREGULAR: Final = rhythms.LABELS.index(rhythms.IRREGULAR)
FIBRILLATION: Final = rhythms.LABELS.index(rhythms.ATRIAL_FIBRILLATION)
PAUSE: Final = rhythms.LABELS.index(rhythms.PAUSE)
PREMATURE: Final = rhythms.LABELS.index(rhythms.PREMATURE_BEATS)
NOISE: Final = rhythms.LABELS.index(rhythms.NOISE)

SLOW_BPM: Final = 60.0
FAST_BPM: Final = 100.0
"""The adult limits of sinus rhythm (ACC/AHA/HRS)."""
RATE_HYSTERESIS_BPM: Final = 2.0
RHYTHM_S: Final = 40.0
LONGEST_HISTORY: Final = 24
SHORTEST_HISTORY: Final = 4
ENTROPY_HISTORY: Final = 16
TOLERANCE_MS: Final = 30.0
ENTROPY_LIMIT: Final = -1.30
"""On 24 beats of afdb's unaudited beat annotations: Se 91 %, Sp 97 %; on mitdb's training records Se 100 %."""
ENTROPY_HYSTERESIS: Final = 0.15
SPREAD_LIMIT: Final = 0.10
MOST_VENTRICULAR: Final = 0.2
"""With more ventricular beats than this, unevenness says nothing of the atria."""
IRREGULAR_SPREAD: Final = 0.10
MOST_ECTOPIC: Final = 0.15
"""With more premature beats than this, they are what is to be said, not that the rhythm is irregular."""


@kernel
def spread(rr: NDArray[Any], count: int) -> float:
    """Root mean square of successive differences over the mean interval."""
    total = 0.0
    mean = rr[0]
    for i in range(1, count):
        total += (rr[i] - rr[i - 1]) ** 2
        mean += rr[i]
    return float(sqrt(total / (count - 1)) / (mean / count)) if count > 1 else 0.0


@kernel
def entropy(rr: NDArray[Any], count: int) -> float:
    """Coefficient of sample entropy (Lake & Moorman 2011), m = 1, on intervals in ms.

    -ln(A/B) + ln(2r) - ln(mean RR), with r widened until 5 pairs match, as the paper does for short records.
    """
    mean = 0.0
    for i in range(count):
        mean += rr[i]
    mean /= count
    r = TOLERANCE_MS
    pairs = 0
    singles = 0
    for _ in range(8):
        pairs = 0
        singles = 0
        for i in range(count - 1):
            for j in range(i + 1, count - 1):
                if abs(rr[i] - rr[j]) <= r:
                    singles += 1
                    if abs(rr[i + 1] - rr[j + 1]) <= r:
                        pairs += 1
        if pairs >= 5:
            break
        r *= 1.4
    if pairs == 0 or singles == 0:
        return 0.0
    return -log(pairs / singles) + log(2.0 * r) - log(mean)


@kernel
def by_rate(device: Record, mean_rr: float) -> int:
    """Normal, slow or fast, with a little reluctance to leave the label that holds."""
    rate = 60000.0 / mean_rr
    slow = SLOW_BPM + (RATE_HYSTERESIS_BPM if device.rhythm == BRADYCARDIA else 0.0)
    fast = FAST_BPM - (RATE_HYSTERESIS_BPM if device.rhythm == TACHYCARDIA else 0.0)
    if rate < slow:
        return BRADYCARDIA
    return TACHYCARDIA if rate > fast else NORMAL


@kernel
def share_of(device: Record, first_class: int, last_class: int, end_u: int, most: int) -> float:
    """Share of the classes from `first_class` to `last_class` among the last beats before `end_u`."""
    seen = 0
    found = 0
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            continue
        if seen >= most:
            break
        seen += 1
        kind = device.beat_class[slot]
        found += 1 if first_class <= kind <= last_class else 0
    return found / seen if seen > 0 else 0.0


@kernel
def judge(device: Record, end_u: int, rr: NDArray[Any]) -> int:
    """The label the last beats speak for; ABSENT when they are too few."""
    count = recent_rr(device, end_u, RHYTHM_S, LONGEST_HISTORY, rr)
    if count < SHORTEST_HISTORY or end_u - newest_before(device, end_u) > LAST_BEAT_S * device.inner_hz:
        return ABSENT
    uneven = spread(rr, count)
    if device.atrial_label != ABSENT:
        return int(device.atrial_label)
    if count >= 8 and uneven > IRREGULAR_SPREAD and share_of(device, CLASS_S, CLASS_V, end_u, count) < MOST_ECTOPIC:
        return IRREGULAR
    return by_rate(device, rate_interval(rr, min(count, 8)))


@kernel
def certainty(device: Record, label: int, end_u: int, quality: float, rr: NDArray[Any]) -> float:
    """0 to 100: the signal's quality times the distance from the label's limit."""
    if label == NOISE:
        return 100.0 * (1.0 - quality)
    count = recent_rr(device, end_u, RHYTHM_S, LONGEST_HISTORY, rr)
    if count < 2:
        return 50.0 * quality
    if label == FIBRILLATION:
        margin = 0.2 * float(device.atrial_score)
    elif label == IRREGULAR:
        margin = (spread(rr, count) - IRREGULAR_SPREAD) / 0.1
    else:
        rate = 60000.0 / rate_interval(rr, min(count, 8))
        margin = min(abs(rate - SLOW_BPM), abs(rate - FAST_BPM)) / 10.0
    return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, margin)))


@kernel
def stated(device: Record) -> int:
    """The one label a metrics row shows: what is most urgent of those that hold now."""
    if device.rhythm == NOISE:
        return NOISE
    if device.pause_first_u != NEVER:
        return PAUSE
    if device.premature_first_u != NEVER and device.rhythm in (NORMAL, BRADYCARDIA, TACHYCARDIA):
        return PREMATURE
    return int(device.rhythm)
