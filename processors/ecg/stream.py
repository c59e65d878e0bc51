"""One device's samples from block to rows: segments between gaps, chunks between seconds, samples within."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.beats import finish_due, finish_ready
from processors.ecg.detection import FIRST_RR_S, LEARN_S, detect, forget_beats
from processors.ecg.envelope import envelop, envelope_delay, fuse, note_height
from processors.ecg.filters import condition, restart, store
from processors.ecg.kernel import Record, inlined_kernel, kernel
from processors.ecg.quality import close_window
from processors.ecg.seconds import emit_due, schedule
from processors.ecg.state import ABSENT, CHUNK, NEVER, RING_MASK
from processors.ecg.timing import keep_time, since_start_us, window_holding, window_start
from processors.ecg.ventricular import CERTAIN
from processors.ecg.ventricular_odds import FIRST_QRS_MS as VENTRICULAR_QRS_MS
from processors.ecg.ventricular_odds import FIRST_RR_S as VENTRICULAR_RR_S
from processors.ecg.ventricular_signal import glimpse, watch

RELEARN_S: Final = 30.0
"""After a longer gap the levels are learned anew."""


@kernel
def begin_recording(device: Record, leads: NDArray[Any]) -> None:
    """A blank slot whose fixed fields are filled gets its first values."""
    device.next_index = NEVER
    device.segment_u = NEVER
    device.newest_u = NEVER
    device.broken_u = NEVER
    device.last_r_u = NEVER
    device.rr = FIRST_RR_S * device.inner_hz
    device.polarity = 1.0
    device.rhythm = ABSENT
    device.rhythm_first_u = NEVER
    device.next_rhythm = ABSENT
    device.pause_first_u = NEVER
    device.condition_last_u[:] = NEVER
    device.blocked_u = NEVER
    device.older_blocked_u = NEVER
    device.atrial_label = ABSENT
    device.atrial_first_u = NEVER
    device.window_of[:] = ABSENT
    device.ventricular = ABSENT
    device.ventricular_lead = ABSENT
    device.ventricular_rr = VENTRICULAR_RR_S
    device.ventricular_qrs = VENTRICULAR_QRS_MS
    device.ventricular_odds = -CERTAIN
    device.ventricular_first_u = NEVER
    device.ventricular_rise_u = NEVER
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        lead.weight = 1.0 / device.leads
        lead.score = 0.5


@kernel
def begin_segment(device: Record, leads: NDArray[Any], first: int) -> None:
    """The first sample, or the first after a gap: nothing of the signal before it is used any more."""
    u = (first + device.divisor - 1) // device.divisor
    if device.newest_u == NEVER or first - device.next_index > RELEARN_S * device.rate_hz:
        device.learned = 0
        device.level_count = 0
    device.segment_u = u
    device.broken_u = u
    device.learn_until_u = u + int(LEARN_S * device.inner_hz)
    device.newest_u = u - 1
    forget_beats(device)
    for k in range(device.leads):
        restart(leads[device.lead[k]])
    device.window = window_holding(first, device.rate_hz)
    device.window_end = window_start(device.window + 1, device.rate_hz)
    device.emit = max(device.emit, device.window)
    schedule(device)


@kernel
def hold_still(device: Record, leads: NDArray[Any], work: Record) -> int:
    """After the last sample of a segment: every lead stands still until the envelope has passed it."""
    pads = int(envelope_delay(device.inner_hz) + 2)
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        work.clean[:pads] = lead.ring[device.newest_u & RING_MASK]
        store(lead, work.clean, pads, device.newest_u + 1)
        envelop(lead, device.newest_u + pads, pads, device.inner_hz, work, work.envelopes[k])
    fuse(device, leads, work.envelopes, pads, work.fused)
    return pads


@kernel
def condition_leads(device: Record, leads: NDArray[Any], samples: NDArray[np.int16], count: int, done: int, size: int,
                    index: int, work: Record) -> int:  # fmt: skip
    """Samples [done, done + size) of each lead of a block, from recording index `index`, to the fused envelope."""
    work.holes[:] = 0
    outputs = 0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        part = samples[k * count + done : k * count + done + size]
        outputs = condition(lead, part, index, device, work)
        envelop(lead, (index + size) // device.divisor - 1, outputs, device.inner_hz, work, work.envelopes[k])
        note_height(lead, work.envelopes[k], outputs)
    fuse(device, leads, work.envelopes, outputs, work.fused)
    device.next_index = index + size
    device.window_samples += size
    return outputs


@kernel
def end_window(device: Record, leads: NDArray[Any], work: Record) -> None:
    """The second in progress has all the samples it will get."""
    if device.window_samples > 0:
        expected = device.window_end - window_start(device.window, device.rate_hz)
        glimpse(device, leads)
        close_window(device, leads, expected)
        watch(device, leads, work)
    device.window_samples = 0
    device.window += 1
    device.window_end = window_start(device.window + 1, device.rate_hz)


@inlined_kernel
def follow(device: Record, leads: NDArray[Any], outputs: int, ending: bool, beats: NDArray[Any], metrics: NDArray[Any],
           episodes: NDArray[Any], made: NDArray[Any], source: int, work: Record) -> None:  # fmt: skip
    """Go through the fused envelope from one event to the next: detect, finish beats, give seconds that are due.

    `ending` means that the envelope is of hold_still: it decides every beat and takes no time.
    """
    first_u = device.newest_u + 1
    stop = 0
    while stop < outputs:
        begin = stop
        due = outputs if ending else max(begin, min(device.emit_at_u, finish_due(device)) - first_u)
        stop = detect(device, leads, first_u, begin, min(outputs, due + 1), ending, work)
        if not ending:
            for j in range(begin, stop):
                if work.holes[j] == device.leads:
                    device.broken_u = first_u + j
            device.newest_u = first_u + stop - 1
        if device.pending > 0 and (not ending or stop >= outputs):
            made[0] = finish_ready(device, leads, device.newest_u, ending, beats, made[0], source, work)
        if not ending and device.newest_u >= device.emit_at_u:
            emit_due(device, leads, device.emit + 1, metrics, episodes, made, source, work)


@inlined_kernel
def take(device: Record, leads: NDArray[Any], samples: NDArray[np.int16], count: int, first: int, started_at_us: int,
         last: bool, beats: NDArray[Any], metrics: NDArray[Any], episodes: NDArray[Any], made: NDArray[Any],
         source: int, work: Record) -> None:  # fmt: skip
    """Take in a block: `samples` is lead after lead, `count` of each, from recording index `first`.

    `last` ends the recording instead. A segment that ends, there or at a gap, gets a stretch of stillness; it goes
    through the same loop, since a kernel inlined in two places is compiled twice.
    """
    told_us = started_at_us - since_start_us(first, device.rate_hz)
    if not last and device.next_index == NEVER:
        device.anchor_us = told_us
        device.older_anchor_us = told_us
        begin_segment(device, leads, first)
    elif not last:
        keep_time(device, first, told_us)
    ending = device.next_index != NEVER and (last or first > device.next_index)
    done = max(0, device.next_index - first) if device.next_index != NEVER and not ending else 0
    while ending or (done < count and not last):
        outputs = 0
        if not ending:
            index = first + done
            size = min(count - done, CHUNK * device.divisor, device.window_end - index)
            outputs = condition_leads(device, leads, samples, count, done, size, index, work)
            done += size
        elif device.newest_u >= device.segment_u:
            outputs = hold_still(device, leads, work)
        follow(device, leads, outputs, ending, beats, metrics, episodes, made, source, work)
        if device.next_index == device.window_end or (ending and (last or first >= device.window_end)):
            end_window(device, leads, work)
            if not ending and device.newest_u + 1 >= device.emit_at_u:
                emit_due(device, leads, device.emit + 1, metrics, episodes, made, source, work)
        if ending:
            emit_due(device, leads, device.window, metrics, episodes, made, source, work)
            if not last:
                begin_segment(device, leads, first)
            ending = False
