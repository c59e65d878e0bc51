"""QRS detection on the envelope of all leads together: candidates, their decision half a second later, search-back."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.envelope import envelope_delay
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import NEVER, PENDING, QUEUE, RECENT

# Chosen on the 22 training records of mitdb, lead 0, by the sum of missed and false beats.
HOLD_S: Final = 0.15
"""A candidate is the highest point until this long after it."""
LAG_S: Final = 0.5
"""A candidate is decided this long after it, when what follows it is known."""
REFRACTORY_S: Final = 0.24
EARLY_S: Final = 0.4
"""Until this long after a beat a rejected candidate is its T wave, later P waves and noise."""
FRACTION_EARLY: Final = 0.4
FRACTION_ON_TIME: Final = 0.15
FRACTION_LATE: Final = 0.2
OVER_EARLY_NOISE: Final = 1.9
OVER_LATE_NOISE: Final = 2.2
NOISE_GAIN: Final = 0.08
NEAR_S: Final = 0.28
NEAR_RATIO: Final = 1.3
"""A candidate followed this soon by one so much higher is the P wave of the other."""
LEVEL_GAIN: Final = 0.5
FLOOR_UV: Final = 10.0
BACK_INTERVALS: Final = 1.7
BACK_FRACTION: Final = 0.25
BACK_MAX_S: Final = 0.95
LEARN_S: Final = 2.0
LEAST_S: Final = 0.5
"""A shorter recording tells nothing: there is no level to tell a beat by."""
LONGEST_RR_S: Final = 2.5
"""Longer intervals don't enter the expected one."""
DECAY_AFTER_S: Final = 1.5
FIRST_RR_S: Final = 0.8
DECIDED_S: Final = BACK_MAX_S + 0.1
"""Every beat is decided when this much signal has followed it (the envelope's delay is 50 ms)."""


@kernel
def forget_beats(device: Record) -> None:
    """Before the first sample of a segment: no beat lies behind, levels stay."""
    device.e1 = 0.0
    device.e2 = 0.0
    device.best = 0.0
    device.best_u = NEVER
    device.last_u = NEVER
    device.back_u = NEVER
    device.back_e = 0.0
    device.early_max = 0.0
    device.late_max = 0.0
    device.queued = 0
    device.pending = 0


@kernel
def median(values: NDArray[Any], count: int) -> float:
    """Lower median of the first `count` values, without allocating."""
    for i in range(count):
        below = 0
        for j in range(count):
            if values[j] < values[i] or (values[j] == values[i] and j < i):
                below += 1
        if below == (count - 1) // 2:
            return float(values[i])
    return 0.0


@kernel
def upper_median(values: NDArray[Any], count: int) -> float:
    for i in range(count):
        below = 0
        for j in range(count):
            if values[j] < values[i] or (values[j] == values[i] and j < i):
                below += 1
        if below == count // 2:
            return float(values[i])
    return 0.0


@kernel
def detect(device: Record, leads: NDArray[Any], u: int, e: float, lead_e: NDArray[Any], column: int, end: bool) -> None:
    """Take in the fused envelope `e` of inner index `u` (and each lead's own, lead_e[:, column]); queue and decide.

    `end` decides everything now, as at the end of a segment.
    """
    hz = device.inner_hz
    at = u - envelope_delay(hz)
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        lead.best = max(lead.best, lead_e[k, column])
    if device.e1 > device.e2 and device.e1 >= e and (device.best_u == NEVER or device.e1 > device.best):
        device.best = device.e1
        device.best_u = at - 1
    device.e2 = device.e1
    device.e1 = e
    if device.best_u != NEVER and (end or at - device.best_u >= int(HOLD_S * hz)):
        enqueue(device, leads)
    if device.learned == 0:
        if not end and at < device.learn_until_u:
            return
        if u - device.segment_u < LEAST_S * hz:
            device.queued = 0
            return
        learn(device)
    lag = int(LAG_S * hz)
    while device.queued > 0 and (end or at - device.queue_u[0] >= lag):
        decide(device, leads)
    if device.back_u != NEVER:
        search_back(device, at)


@kernel
def enqueue(device: Record, leads: NDArray[Any]) -> None:
    """Put the highest point of the hold time in the queue, with each lead's own height there."""
    n = device.queued
    if n < QUEUE:
        device.queue_u[n] = device.best_u
        device.queue_e[n] = device.best
        device.queued = n + 1
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if n < QUEUE:
            lead.amplitudes[n] = lead.best
        lead.best = 0.0
    device.best = 0.0
    device.best_u = NEVER


@kernel
def learn(device: Record) -> None:
    """First levels, from the candidates of the learning period."""
    highest = 0.0
    for i in range(device.queued):
        highest = max(highest, device.queue_e[i])
    total = 0.0
    count = 0
    for i in range(device.queued):
        if device.queue_e[i] > 0.5 * highest:
            total += device.queue_e[i]
            count += 1
    device.level = total / count if count > 0 else FLOOR_UV
    device.early_noise = 0.15 * device.level
    device.late_noise = 0.1 * device.level
    device.learned = 1


@kernel
def threshold(device: Record, since: float) -> float:
    """Height a candidate needs `since` inner samples after the last beat; falls as a beat becomes due."""
    share = since / device.rr
    if share < 0.5:
        fraction = FRACTION_EARLY
    elif share < 1.0:
        fraction = FRACTION_EARLY + (FRACTION_ON_TIME - FRACTION_EARLY) * (share - 0.5) / 0.5
    elif share < 2.0:
        fraction = FRACTION_ON_TIME + (FRACTION_LATE - FRACTION_ON_TIME) * (share - 1.0)
    else:
        fraction = FRACTION_LATE
    height = fraction * device.level
    if since < EARLY_S * device.inner_hz:
        height = max(height, OVER_EARLY_NOISE * device.early_noise)
    else:
        height = max(height, OVER_LATE_NOISE * device.late_noise)
    return float(max(FLOOR_UV, min(height, 0.75 * device.level)))


@kernel
def decide(device: Record, leads: NDArray[Any]) -> None:
    """Accept or reject the oldest candidate."""
    hz = device.inner_hz
    u = device.queue_u[0]
    e = device.queue_e[0]
    since = float(min(u - device.last_u, 1 << 40))
    if since > int(REFRACTORY_S * hz):
        needed = threshold(device, since)
        accepted = e > needed
        for i in range(1, device.queued):
            if device.queue_u[i] - u < NEAR_S * hz and device.queue_e[i] > NEAR_RATIO * e:
                accepted = False
        if accepted:
            learn_lead_levels(device, leads)
            accept(device, u, e, since, min(1.0, 0.5 + 0.5 * (e - needed) / max(e, needed)))
        else:
            learn_lead_noise(device, leads)
            reject(device, u, e, since)
    drop_first(device, leads)


@kernel
def drop_first(device: Record, leads: NDArray[Any]) -> None:
    for i in range(1, device.queued):
        device.queue_u[i - 1] = device.queue_u[i]
        device.queue_e[i - 1] = device.queue_e[i]
        for k in range(device.leads):
            lead = leads[device.lead[k]]
            lead.amplitudes[i - 1] = lead.amplitudes[i]
    device.queued -= 1


@kernel
def learn_lead_levels(device: Record, leads: NDArray[Any]) -> None:
    """Each lead's own typical height at a beat, by which the leads are weighed."""
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if lead.level == 0.0:
            lead.level = lead.amplitudes[0]
        else:
            lead.level += 0.15 * (min(float(lead.amplitudes[0]), 3.0 * lead.level) - lead.level)


@kernel
def learn_lead_noise(device: Record, leads: NDArray[Any]) -> None:
    """Each lead's own typical height where there is no beat."""
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        lead.noise += 0.05 * (min(float(lead.amplitudes[0]), 3.0 * lead.level) - lead.noise)


@kernel
def accept(device: Record, u: int, e: float, since: float, sure: float) -> None:
    hz = device.inner_hz
    if since < LONGEST_RR_S * hz:
        learn_interval(device, since)
        device.early_noise += NOISE_GAIN * (min(device.early_max, 0.6 * device.level) - device.early_noise)
        device.late_noise += NOISE_GAIN * (min(device.late_max, 0.6 * device.level) - device.late_noise)
    device.levels[device.level_count % RECENT] = min(e, 2.0 * device.level)
    device.level_count += 1
    if device.level_count >= 4:
        count = min(device.level_count, RECENT)
        device.level += LEVEL_GAIN * (median(device.levels, count) - device.level)
    else:
        device.level += 0.3 * (min(e, 2.0 * device.level) - device.level)
    becomes_beat(device, u, sure)


@kernel
def learn_interval(device: Record, interval: float) -> None:
    device.rrs[device.rr_count % RECENT] = interval
    device.rr_count += 1
    device.rr = upper_median(device.rrs, min(device.rr_count, RECENT))


@kernel
def becomes_beat(device: Record, u: int, sure: float) -> None:
    """The beat waits in `pending` until the signal after it is there."""
    device.last_u = u
    device.early_max = 0.0
    device.late_max = 0.0
    device.back_u = NEVER
    device.back_e = 0.0
    if device.pending < PENDING:
        device.pending_u[device.pending] = u
        device.pending_sure[device.pending] = sure
        device.pending += 1


@kernel
def reject(device: Record, u: int, e: float, since: float) -> None:
    """Not a beat: it tells how high T waves and noise are, and may be called back."""
    early = since < EARLY_S * device.inner_hz
    if early:
        device.early_max = max(device.early_max, e)
    else:
        device.late_max = max(device.late_max, e)
    if e > device.back_e and (not early or e > OVER_EARLY_NOISE * device.early_noise):
        device.back_e = e
        device.back_u = u
    if since > DECAY_AFTER_S * device.inner_hz:
        device.level = max(FLOOR_UV, 0.95 * device.level)


@kernel
def search_back(device: Record, at: int) -> None:
    """When a beat is overdue, take the highest rejected candidate if it is high enough and not too old."""
    hz = device.inner_hz
    if device.last_u == NEVER or at - device.last_u <= BACK_INTERVALS * device.rr + int(LAG_S * hz):
        return
    if at - device.back_u >= BACK_MAX_S * hz or device.back_e <= max(FLOOR_UV, BACK_FRACTION * device.level):
        return
    u = device.back_u
    learn_interval(device, min(float(u - device.last_u), LONGEST_RR_S * hz))
    device.levels[device.level_count % RECENT] = device.back_e
    device.level_count += 1
    becomes_beat(device, u, 0.4)
