"""The rhythm that a device's last beats speak for: one primary label at a time, and how surely."""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.intervals import AVERAGED, LAST_BEAT_S, newest_before, rate_interval, recent_rr
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_N, CLASS_S, CLASS_V
from schemas import rhythms

NORMAL: Final = rhythms.LABELS.index(rhythms.NORMAL)
BRADYCARDIA: Final = rhythms.LABELS.index(rhythms.BRADYCARDIA)
TACHYCARDIA: Final = rhythms.LABELS.index(rhythms.TACHYCARDIA)
SINUS_ARRHYTHMIA: Final = rhythms.LABELS.index(rhythms.SINUS_ARRHYTHMIA)
IRREGULAR: Final = rhythms.LABELS.index(rhythms.IRREGULAR)
FIBRILLATION: Final = rhythms.LABELS.index(rhythms.ATRIAL_FIBRILLATION)
FLUTTER: Final = rhythms.LABELS.index(rhythms.ATRIAL_FLUTTER)
PACED: Final = rhythms.LABELS.index(rhythms.PACED)
PAUSE: Final = rhythms.LABELS.index(rhythms.PAUSE)
NOISE: Final = rhythms.LABELS.index(rhythms.NOISE)
LEAD_OFF: Final = rhythms.LABELS.index(rhythms.LEAD_OFF)
SINUS: Final = (NORMAL, BRADYCARDIA, TACHYCARDIA, SINUS_ARRHYTHMIA, IRREGULAR)
"""What the rate and its unevenness name when nothing more is known."""

SLOW_BPM: Final = 60.0
FAST_BPM: Final = 100.0
"""The adult limits of sinus rhythm (ACC/AHA/HRS)."""
RATE_HYSTERESIS_BPM: Final = 2.0
RHYTHM_S: Final = 40.0
LONGEST_HISTORY: Final = 24
SHORTEST_HISTORY: Final = 4
UNEVEN: Final = 0.10
"""Spread of the intervals, see `spread`."""
MOST_ECTOPIC: Final = 0.15
"""With more premature beats than this, they are what is to be said, not that the rhythm is irregular."""
P_SHARE: Final = 0.6
"""With P waves before this share of the beats, unevenness is the sinus node's."""
PACED_FROM: Final = 0.5
PACED_UNTIL: Final = 0.3
"""Share of the last ten or so beats that a spike stands before."""


@kernel
def spread(rr: NDArray[Any], count: int) -> float:
    """Root mean square of successive differences over the mean interval, without the two largest of them.

    A rhythm that changes once, or holds one early beat, is not uneven for that.
    """
    if count < 4:
        return 0.0
    total = 0.0
    largest = 0.0
    second = 0.0
    mean = rr[0]
    for i in range(1, count):
        step = (rr[i] - rr[i - 1]) ** 2
        total += step
        mean += rr[i]
        second = max(second, min(step, largest))
        largest = max(largest, step)
    return float(sqrt(max(0.0, total - largest - second) / (count - 3)) / (mean / count))


@kernel
def normal_rr(device: Record, end_u: int, out: NDArray[Any]) -> int:
    """Intervals in ms between neighbouring normal beats of the last 40 s before `end_u`, newest first; how many."""
    found = 0
    for i in range(min(device.beats, BEATS) - 1):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            continue
        if end_u - device.beat_u[slot] > RHYTHM_S * device.inner_hz or found >= LONGEST_HISTORY:
            break
        normal = device.beat_class[slot] == CLASS_N and device.beat_class[(slot - 1) & BEAT_MASK] == CLASS_N
        if normal and not isnan(device.beat_rr[slot]):
            out[found] = device.beat_rr[slot]
            found += 1
    return found


@kernel
def is_uneven(device: Record, end_u: int, rr: NDArray[Any]) -> bool:
    """Whether the intervals between normal beats swing, and most beats are normal; overwrites `rr`."""
    if share_of(device, CLASS_S, CLASS_V, end_u, LONGEST_HISTORY) >= MOST_ECTOPIC:
        return False
    count = normal_rr(device, end_u, rr)
    return bool(count >= AVERAGED and spread(rr, count) > UNEVEN)


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
def p_share(device: Record, end_u: int) -> float:
    """Share of the last normal beats before `end_u` that have a P wave; 0 without beats."""
    seen = 0
    found = 0
    for i in range(min(device.beats, AVERAGED)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u or device.beat_class[slot] != CLASS_N:
            continue
        seen += 1
        found += 0 if isnan(device.beat_pr[slot]) else 1
    return found / seen if seen > 0 else 0.0


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
def judge(device: Record, end_u: int, rr: NDArray[Any]) -> int:
    """What the last beats speak for when nothing more urgent holds; ABSENT when they are too few."""
    count = recent_rr(device, end_u, RHYTHM_S, LONGEST_HISTORY, rr)
    if count < SHORTEST_HISTORY or end_u - newest_before(device, end_u) > LAST_BEAT_S * device.inner_hz:
        return ABSENT
    if device.paced >= (PACED_UNTIL if device.rhythm == PACED else PACED_FROM):
        return PACED
    mean_rr = rate_interval(rr, min(count, AVERAGED))
    if is_uneven(device, end_u, rr):
        return SINUS_ARRHYTHMIA if p_share(device, end_u) >= P_SHARE else IRREGULAR
    return by_rate(device, mean_rr)


@kernel
def certainty(device: Record, label: int, end_u: int, quality: float, rr: NDArray[Any]) -> float:
    """0 to 100: the signal's quality times the distance from the label's limit."""
    if label in (NOISE, LEAD_OFF):
        return 100.0 * (1.0 - quality)
    if label in (FIBRILLATION, FLUTTER):
        return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, 0.2 * float(device.atrial_score))))
    if label in (IRREGULAR, SINUS_ARRHYTHMIA):
        margin = (spread(rr, normal_rr(device, end_u, rr)) - UNEVEN) / 0.1
        return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, margin)))
    if label in (FIBRILLATION, FLUTTER):
        return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, 0.2 * float(device.atrial_score))))
    count = recent_rr(device, end_u, RHYTHM_S, LONGEST_HISTORY, rr)
    if count < 2:
        return 50.0 * quality
    rate = 60000.0 / rate_interval(rr, min(count, AVERAGED))
    margin = min(abs(rate - SLOW_BPM), abs(rate - FAST_BPM)) / 10.0
    return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, margin)))
