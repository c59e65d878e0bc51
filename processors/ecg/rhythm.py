"""The rhythm, judged once a second from the last intervals: one primary label, pauses and premature beats beside it."""

from __future__ import annotations

from math import isnan, log, sqrt
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.intervals import LAST_BEAT_S, newest_before, rate_interval, recent_rr
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_S, CLASS_V, NEVER
from processors.ecg.timing import index_of, time_of, window_start
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
PAUSE_S: Final = 3.0
"""ACC/AHA/HRS 2018, bradycardia: a pause is longer than 3 s."""
RHYTHM_S: Final = 40.0
LONGEST_HISTORY: Final = 24
SHORTEST_HISTORY: Final = 4
ENTROPY_HISTORY: Final = 16
TOLERANCE_MS: Final = 30.0
ENTROPY_LIMIT: Final = -1.40
ENTROPY_HYSTERESIS: Final = 0.15
SPREAD_LIMIT: Final = 0.07
IRREGULAR_SPREAD: Final = 0.10
RUNS: Final = 3
"""A new label must hold for this many seconds before it replaces the old one."""
UPDATE_S: Final = 10
PREMATURE_S: Final = 10.0
"""Premature beats closer together than this are one episode."""
OPENED: Final = 0
UPDATED: Final = 1
CLOSED: Final = 2


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
def state_episode(device: Record, row: Record, source: int, label: int, state: int, first_u: int, end_index: int,
                  sure: float) -> None:  # fmt: skip
    row.source = source
    row.rhythm = label
    row.state = state
    row.first_r_index = index_of(device, first_u)
    row.started_at_us = time_of(device, row.first_r_index)
    row.ended_at_us = max(row.started_at_us, time_of(device, end_index))
    row.confidence = sure


@kernel
def add(device: Record, rows: NDArray[Any], made: int, source: int, label: int, state: int, first_u: int,
        end_index: int, sure: float) -> int:  # fmt: skip
    if made < rows.size:
        state_episode(device, rows[made], source, label, state, first_u, end_index, sure)
        return made + 1
    return made


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
def ectopic_share(device: Record, end_u: int, most: int) -> float:
    """Share of S and V among the last beats before `end_u`."""
    seen = 0
    ectopic = 0
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            continue
        if seen >= most:
            break
        seen += 1
        kind = device.beat_class[slot]
        ectopic += 1 if kind in (CLASS_S, CLASS_V) else 0
    return ectopic / seen if seen > 0 else 0.0


@kernel
def judge(device: Record, end_u: int, rr: NDArray[Any]) -> int:
    """The label the last beats speak for; ABSENT when they are too few."""
    count = recent_rr(device, end_u, RHYTHM_S, LONGEST_HISTORY, rr)
    if count < SHORTEST_HISTORY or end_u - newest_before(device, end_u) > LAST_BEAT_S * device.inner_hz:
        return ABSENT
    uneven = spread(rr, count)
    if count >= ENTROPY_HISTORY:
        limit = ENTROPY_LIMIT - (ENTROPY_HYSTERESIS if device.rhythm == FIBRILLATION else 0.0)
        if uneven > SPREAD_LIMIT and entropy(rr, count) > limit:
            return FIBRILLATION
    if count >= 8 and uneven > IRREGULAR_SPREAD and ectopic_share(device, end_u, count) < 0.15:
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
        margin = (entropy(rr, count) - ENTROPY_LIMIT + ENTROPY_HYSTERESIS) / 0.6
    elif label == IRREGULAR:
        margin = (spread(rr, count) - IRREGULAR_SPREAD) / 0.1
    else:
        rate = 60000.0 / rate_interval(rr, min(count, 8))
        margin = min(abs(rate - SLOW_BPM), abs(rate - FAST_BPM)) / 10.0
    return 100.0 * quality * (0.6 + 0.4 * min(1.0, max(0.0, margin)))


@kernel
def follow_rhythm(device: Record, rows: NDArray[Any], made: int, source: int, k: int, end_u: int, quality: float,
                  rr: NDArray[Any]) -> int:  # fmt: skip
    """Judge second `k`; open, update and close episodes. Returns the number of rows made so far."""
    device.unreadable = device.unreadable + 1 if quality < UNREADABLE else 0
    label = judge(device, end_u, rr) if device.unreadable == 0 else ABSENT
    if device.unreadable >= RUNS:
        label = NOISE
    if label == ABSENT or label == device.rhythm:
        device.next_runs = 0
    elif label == device.next_rhythm and device.next_runs > 0:
        device.next_runs += 1
    else:
        device.next_rhythm = label
        device.next_runs = 1
        start = newest_before(device, end_u)
        if label == NOISE or start == NEVER:
            start = window_start(k, device.rate_hz) // device.divisor
        device.next_first_u = start
    if device.next_runs >= RUNS or (label == NOISE and device.rhythm != NOISE):
        sure = certainty(device, label, end_u, quality, rr)
        made = change_rhythm(device, rows, made, source, k, sure)
    elif device.rhythm != ABSENT:
        if label == device.rhythm:
            device.rhythm_sure = certainty(device, label, end_u, quality, rr)
        if (k - device.rhythm_since) % UPDATE_S == 0 and k > device.rhythm_since:
            made = add(device, rows, made, source, device.rhythm, UPDATED, device.rhythm_first_u,
                       window_start(k + 1, device.rate_hz), device.rhythm_sure)  # fmt: skip
    return made


@kernel
def change_rhythm(device: Record, rows: NDArray[Any], made: int, source: int, k: int, sure: float) -> int:
    first_u = max(device.next_first_u, device.rhythm_first_u + 1)
    if device.rhythm != ABSENT:
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u,
                   index_of(device, first_u), device.rhythm_sure)  # fmt: skip
    device.rhythm = device.next_rhythm
    device.rhythm_first_u = first_u
    device.rhythm_since = k
    device.rhythm_sure = sure
    device.next_runs = 0
    end = window_start(k + 1, device.rate_hz)
    return add(device, rows, made, source, device.rhythm, OPENED, first_u, end, sure)


@kernel
def follow_beats(device: Record, rows: NDArray[Any], made: int, source: int, end_u: int, quality: float) -> int:
    """Pauses and premature beats among the beats of the second that ends at `end_u`."""
    sure = 100.0 * quality
    count = min(device.beats - device.seen_beats, BEATS)
    for i in range(count):
        slot = (device.beats - count + i) & BEAT_MASK
        u = device.beat_u[slot]
        if u >= end_u:
            break
        device.seen_beats = device.beats - count + i + 1
        made = end_pause(device, rows, made, source, slot, sure)
        kind = device.beat_class[slot]
        if kind in (CLASS_S, CLASS_V) and quality >= UNREADABLE and device.rhythm != FIBRILLATION:
            if device.premature_first_u == NEVER:
                device.premature_first_u = u
                made = add(device, rows, made, source, PREMATURE, OPENED, u, index_of(device, u), sure)
            device.premature_last_u = u
    last = newest_before(device, end_u)
    if device.premature_first_u != NEVER and end_u - device.premature_last_u > PREMATURE_S * device.inner_hz:
        made = close_premature(device, rows, made, source, sure)
    if (device.pause_first_u == NEVER and last > device.broken_u and quality >= UNREADABLE
            and end_u - last > PAUSE_S * device.inner_hz):  # fmt: skip
        device.pause_first_u = last
        made = add(device, rows, made, source, PAUSE, OPENED, last, index_of(device, end_u), sure)
    return made


@kernel
def end_pause(device: Record, rows: NDArray[Any], made: int, source: int, slot: int, sure: float) -> int:
    """Close the open pause at this beat, or state a whole one that this beat has ended."""
    u = device.beat_u[slot]
    rr = device.beat_rr[slot]
    if device.pause_first_u != NEVER:
        first = device.pause_first_u
        device.pause_first_u = NEVER
        return add(device, rows, made, source, PAUSE, CLOSED, first, index_of(device, u), sure)
    if not isnan(rr) and rr > 1000.0 * PAUSE_S and device.unreadable == 0:
        first = u - int(round(rr * device.inner_hz / 1000.0))
        made = add(device, rows, made, source, PAUSE, OPENED, first, index_of(device, u), sure)
        return add(device, rows, made, source, PAUSE, CLOSED, first, index_of(device, u), sure)
    return made


@kernel
def close_premature(device: Record, rows: NDArray[Any], made: int, source: int, sure: float) -> int:
    first = device.premature_first_u
    device.premature_first_u = NEVER
    return add(device, rows, made, source, PREMATURE, CLOSED, first, index_of(device, device.premature_last_u), sure)


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


@kernel
def close_episodes(device: Record, rows: NDArray[Any], made: int, source: int, end_index: int) -> int:
    """End of the recording: whatever is open ends there."""
    if device.premature_first_u != NEVER:
        made = close_premature(device, rows, made, source, device.rhythm_sure)
    if device.pause_first_u != NEVER:
        made = add(device, rows, made, source, PAUSE, CLOSED, device.pause_first_u, end_index, device.rhythm_sure)
        device.pause_first_u = NEVER
    if device.rhythm != ABSENT:
        made = add(device, rows, made, source, device.rhythm, CLOSED, device.rhythm_first_u, end_index,
                   device.rhythm_sure)  # fmt: skip
        device.rhythm = ABSENT
    return made
