"""QRS detection: candidates judged one after the other by a small network, 0.64 s after each; search-back."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.candidates import HOLD_S, SOON, drop_first, enqueue, forget_candidates, observe, silence_ahead
from processors.ecg.decision import judge
from processors.ecg.decision_inputs import AHEAD_S, FLOOR_UV, describe, turn
from processors.ecg.decision_shapes import learn_beat_shape, learn_other_shape, sample_shape
from processors.ecg.decision_weights import FIRST, LAST
from processors.ecg.envelope import envelope_delay
from processors.ecg.kernel import Record, inlined_kernel, kernel
from processors.ecg.state import NEVER, PENDING, RECENT, SHAPE, SHAPE_AT

LAG_S: Final = AHEAD_S
"""A candidate is decided this long after it, when what follows it is known."""
REFRACTORY_S: Final = 0.2
EARLY_S: Final = 0.4
"""Until this long after a beat a rejected candidate is its T wave, later P waves and noise."""
LEAST_SHARE: Final = 0.15
"""Lower candidates, half of all, are no beats: 0.03 % of the training beats are, most of them under noise."""
NO_LOGIT: Final = -9.0
NOISE_GAIN: Final = 0.08
LEVEL_GAIN: Final = 0.5
BACK_INTERVALS: Final = 1.5
BACK_LOGIT: Final = -2.0
BACK_S: Final = 0.88
LEARN_S: Final = 2.0
LEAST_S: Final = 0.5
"""A shorter recording tells nothing: there is no level to tell a beat by."""
LONGEST_RR_S: Final = 2.5
"""Longer intervals don't enter the expected one."""
DECAY_AFTER_S: Final = 1.5
FIRST_RR_S: Final = 0.8
DECIDED_S: Final = BACK_S + 0.07
"""Every beat is decided when this much signal has followed it (the envelope's delay is 50 ms)."""


@kernel
def forget_beats(device: Record) -> None:
    """Before the first sample of a segment: no beat lies behind, levels stay."""
    device.last_u = NEVER
    device.back_u = NEVER
    device.early_max = 0.0
    device.late_max = 0.0
    device.pending = 0
    forget_candidates(device, device.segment_u - envelope_delay(device.inner_hz))


@kernel
def median(values: NDArray[Any], count: int, rank: int) -> float:
    """The value with `rank` smaller ones among the first `count`, without allocating."""
    for i in range(count):
        below = 0
        for j in range(count):
            if values[j] < values[i] or (values[j] == values[i] and j < i):
                below += 1
        if below == rank:
            return float(values[i])
    return 0.0


@inlined_kernel
def detect(device: Record, leads: NDArray[Any], first_u: int, begin: int, end: int, last: bool,
           work: Record) -> int:  # fmt: skip
    """Take in the fused envelope (and each lead's own), columns [begin, end); column 0 is of inner index `first_u`.

    Stops early when it has decided something. Returns the column after the last one taken in. `last` decides
    everything at the end, as at the end of a segment.
    """
    stop = observe(device, leads, first_u, begin, end, work.fused, work.envelopes)
    at = first_u + stop - 1 - envelope_delay(device.inner_hz)
    closing = last and stop == end
    if at >= device.wake_u or closing:
        if prepare(device, leads, at, closing):
            while device.queued > 0 and (closing or at - device.queue_u[0] >= lag(device.inner_hz)):
                decide(device, leads, work)
                drop_first(device, leads)
            search_back(device, leads, at, work)
        sleep(device)
    return stop


@kernel
def lag(inner_hz: float) -> int:
    """Inner samples after which the trace ahead of a candidate is complete."""
    return int(LAG_S * inner_hz) + 2


@kernel
def prepare(device: Record, leads: NDArray[Any], at: int, end: bool) -> bool:
    """Close the candidate that is over; false while levels are still being learned."""
    hz = device.inner_hz
    if device.best_u != NEVER and (end or at - device.best_u >= int(HOLD_S * hz)):
        enqueue(device, leads)
    if end:
        silence_ahead(device)
    if device.learned == 0:
        if not end and at < device.learn_until_u:
            return False
        if at - device.segment_u < LEAST_S * hz:
            device.queued = 0
            return False
        learn(device)
    return True


@kernel
def sleep(device: Record) -> None:
    """Set the inner index at which there is something to do again."""
    hz = device.inner_hz
    wake = SOON
    if device.best_u != NEVER:
        wake = min(wake, device.best_u + int(HOLD_S * hz))
    if device.learned == 0:
        wake = min(wake, device.learn_until_u)
    elif device.queued > 0:
        wake = min(wake, device.queue_u[0] + lag(hz))
    if device.back_u != NEVER:
        wake = min(wake, device.back_u + int(BACK_S * hz))
    device.wake_u = wake


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
    device.last_e = device.level
    device.early_noise = 0.15 * device.level
    device.late_noise = 0.1 * device.level
    device.learned = 1


@kernel
def decide(device: Record, leads: NDArray[Any], work: Record) -> None:
    """Accept or reject the oldest candidate."""
    if not may_be_beat(device):
        return
    if too_low(device):
        settle(device, leads, False, NO_LOGIT, work)
        return
    describe(device, leads, work)
    logit = judge(work, FIRST, LAST)
    settle(device, leads, logit > 0.0, logit, work)


@kernel
def may_be_beat(device: Record) -> bool:
    """Whether the oldest candidate is far enough from the last beat."""
    return bool(device.queue_u[0] - device.last_u > int(REFRACTORY_S * device.inner_hz))


@kernel
def too_low(device: Record) -> bool:
    return bool(device.queue_e[0] < LEAST_SHARE * device.level)


@kernel
def settle(device: Record, leads: NDArray[Any], accepted: bool, logit: float, work: Record) -> None:
    """Learn from the oldest candidate what beats, or what other things, are like."""
    u = device.queue_u[0]
    e = device.queue_e[0]
    since = float(min(u - device.last_u, 1 << 40))
    if accepted:
        learn_lead_levels(device, leads)
        learn_shapes(device, leads, u, True, False, work)
        if since < LONGEST_RR_S * device.inner_hz:
            learn_interval(device, since)
            device.early_noise += NOISE_GAIN * (min(device.early_max, 0.6 * device.level) - device.early_noise)
            device.late_noise += NOISE_GAIN * (min(device.late_max, 0.6 * device.level) - device.late_noise)
        learn_level(device, e)
        becomes_beat(device, u, min(1.0, max(0.4, 0.5 + 0.1 * logit)))
    else:
        learn_lead_noise(device, leads)
        reject(device, leads, u, e, since, logit, work)


@kernel
def learn_level(device: Record, e: float) -> None:
    device.last_e = e
    device.levels[device.level_count % RECENT] = min(e, 2.0 * device.level)
    device.level_count += 1
    if device.level_count >= 4:
        count = min(device.level_count, RECENT)
        device.level += LEVEL_GAIN * (median(device.levels, count, (count - 1) // 2) - device.level)
    else:
        device.level += 0.3 * (min(e, 2.0 * device.level) - device.level)


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
def learn_shapes(device: Record, leads: NDArray[Any], u: int, beat: bool, early: bool, work: Record) -> None:
    """Each lead remembers what the candidate at `u` looks like."""
    shape = work.candidate[SHAPE_AT : SHAPE_AT + SHAPE]
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if device.leads == 1 and u == device.queue_u[0]:
            norm = float(work.candidate_norm)
            if work.candidate_turned:
                turn(shape)
        else:
            norm = sample_shape(lead, u, device, shape)
        if beat:
            learn_beat_shape(lead, shape, norm, work.candidate_hidden)
        else:
            learn_other_shape(lead, shape, norm, early)


@kernel
def learn_interval(device: Record, interval: float) -> None:
    device.rrs[device.rr_count % RECENT] = interval
    device.rr_count += 1
    count = min(device.rr_count, RECENT)
    device.rr = median(device.rrs, count, count // 2)


@kernel
def becomes_beat(device: Record, u: int, sure: float) -> None:
    """The beat waits in `pending` until the signal after it is there."""
    device.last_u = u
    device.early_max = 0.0
    device.late_max = 0.0
    device.back_u = NEVER
    if device.pending < PENDING:
        device.pending_u[device.pending] = u
        device.pending_sure[device.pending] = sure
        device.pending += 1


@kernel
def reject(device: Record, leads: NDArray[Any], u: int, e: float, since: float, logit: float,
           work: Record) -> None:  # fmt: skip
    """Not a beat: it tells what T waves and noise are like, and may be called back."""
    early = since < EARLY_S * device.inner_hz
    if early:
        if e > device.early_max:
            device.early_max = e
            device.early_u = u
    elif e > device.late_max:
        device.late_max = e
        device.late_u = u
    if logit > NO_LOGIT:
        learn_shapes(device, leads, u, False, early, work)
    if logit > BACK_LOGIT and (device.back_u == NEVER or logit > device.back_logit):
        device.back_logit = logit
        device.back_e = e
        device.back_u = u
    if since > DECAY_AFTER_S * device.inner_hz:
        device.level = max(FLOOR_UV, 0.9 * device.level)


@kernel
def search_back(device: Record, leads: NDArray[Any], at: int, work: Record) -> None:
    """When a beat is overdue, take the likeliest rejected candidate."""
    hz = device.inner_hz
    if device.back_u == NEVER or at - device.back_u < int(BACK_S * hz):
        return
    u = device.back_u
    if device.last_u == NEVER or at - device.last_u <= BACK_INTERVALS * device.rr:
        device.back_u = NEVER
        return
    learn_interval(device, min(float(u - device.last_u), LONGEST_RR_S * hz))
    learn_level(device, device.back_e)
    learn_shapes(device, leads, u, True, False, work)
    becomes_beat(device, u, 0.4)
