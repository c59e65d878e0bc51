"""One device's samples from block to rows: segments between gaps, chunks between seconds, samples within."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.beats import finish_ready
from processors.ecg.detection import FIRST_RR_S, LEARN_S, detect, forget_beats
from processors.ecg.filters import condition, envelope_delay, half_box, push, restart, smoothing
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import close_window
from processors.ecg.seconds import emit_due, schedule
from processors.ecg.state import ABSENT, MAX_LEADS, NEVER
from processors.ecg.timing import keep_time, window_holding, window_start

CHUNK: Final = 64
"""Inner samples conditioned at a time; what comes out doesn't depend on it, only the cache does."""
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
    device.last_t_u = NEVER
    device.rr = FIRST_RR_S * device.inner_hz
    device.polarity = 1.0
    device.template_lead = ABSENT
    device.rhythm = ABSENT
    device.rhythm_first_u = NEVER
    device.next_rhythm = ABSENT
    device.pause_first_u = NEVER
    device.premature_first_u = NEVER
    device.window_of[:] = ABSENT
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
def end_segment(device: Record, leads: NDArray[Any], beats: NDArray[Any], made: NDArray[Any], source: int,
                scratch: NDArray[Any]) -> None:  # fmt: skip
    """Decide every beat up to the last sample: the signal is held still until the envelope has passed it."""
    if device.newest_u < device.segment_u:
        return
    half = half_box(device.inner_hz)
    smooth = smoothing(device.inner_hz)
    pads = envelope_delay(device.inner_hz) + 2
    for p in range(pads):
        u = device.newest_u + 1 + p
        fused = 0.0
        for k in range(device.leads):
            lead = leads[device.lead[k]]
            e = push(lead, u, lead.tail, half, smooth)
            scratch[3 + k, 0] = e
            fused += lead.weight * e
        detect(device, leads, u, fused, scratch[3:], 0, p == pads - 1)
    made[0] = finish_ready(device, leads, device.newest_u, True, beats, made[0], source, scratch)


@kernel
def end_window(device: Record, leads: NDArray[Any]) -> None:
    """The second in progress has all the samples it will get."""
    if device.window_samples > 0:
        expected = device.window_end - window_start(device.window, device.rate_hz)
        close_window(device, leads, expected)
    device.window_samples = 0


@kernel
def cross_gap(device: Record, leads: NDArray[Any], first: int, beats: NDArray[Any], metrics: NDArray[Any],
              episodes: NDArray[Any], made: NDArray[Any], source: int, scratch: NDArray[Any]) -> None:  # fmt: skip
    """Samples up to `first` never came: decide what is pending, give the seconds that are over, start afresh."""
    end_segment(device, leads, beats, made, source, scratch)
    if first >= device.window_end:
        end_window(device, leads)
        device.window += 1
    emit_due(device, device.window, metrics, episodes, made, source, scratch)
    begin_segment(device, leads, first)


@kernel
def end_recording(device: Record, leads: NDArray[Any], beats: NDArray[Any], metrics: NDArray[Any],
                  episodes: NDArray[Any], made: NDArray[Any], source: int, scratch: NDArray[Any]) -> None:  # fmt: skip
    end_segment(device, leads, beats, made, source, scratch)
    end_window(device, leads)
    emit_due(device, device.window + 1, metrics, episodes, made, source, scratch)


@kernel
def take(device: Record, leads: NDArray[Any], samples: NDArray[np.int16], count: int, first: int, told_us: int,
         beats: NDArray[Any], metrics: NDArray[Any], episodes: NDArray[Any], made: NDArray[Any], source: int,
         scratch: NDArray[Any], holes: NDArray[Any]) -> None:  # fmt: skip
    """Take in a block: `samples` is lead after lead, `count` of each, from recording index `first`."""
    if device.next_index == NEVER:
        device.anchor_us = told_us
        device.older_anchor_us = told_us
        begin_segment(device, leads, first)
    else:
        keep_time(device, first, told_us)
        if first > device.next_index:
            cross_gap(device, leads, first, beats, metrics, episodes, made, source, scratch)
    done = max(0, device.next_index - first) if device.next_index != NEVER else 0
    while done < count:
        index = first + done
        size = min(count - done, CHUNK * device.divisor, device.window_end - index)
        outputs = 0
        holes[:] = 0
        for k in range(device.leads):
            part = samples[k * count + done : k * count + done + size]
            outputs = condition(leads[device.lead[k]], part, index, device, scratch[3 + k], holes)
        device.next_index = index + size
        device.window_samples += size
        follow(device, leads, outputs, beats, metrics, episodes, made, source, scratch, holes)
        if device.next_index == device.window_end:
            end_window(device, leads)
            device.window += 1
            device.window_end = window_start(device.window + 1, device.rate_hz)
        done += size


@kernel
def follow(device: Record, leads: NDArray[Any], outputs: int, beats: NDArray[Any], metrics: NDArray[Any],
           episodes: NDArray[Any], made: NDArray[Any], source: int, scratch: NDArray[Any], holes: NDArray[Any],
           ) -> None:  # fmt: skip
    """Go through conditioned samples one by one: fuse, detect, finish beats, give seconds that are due."""
    first_u = device.next_index // device.divisor - outputs
    for j in range(outputs):
        u = first_u + j
        fused = 0.0
        for k in range(device.leads):
            fused += leads[device.lead[k]].weight * scratch[3 + k, j]
        device.newest_u = u
        if holes[j] == device.leads:
            device.broken_u = u
        detect(device, leads, u, fused, scratch[3:], j, False)
        if device.pending > 0:
            made[0] = finish_ready(device, leads, u, False, beats, made[0], source, scratch)
        if u >= device.emit_at_u:
            emit_due(device, device.emit + 1, metrics, episodes, made, source, scratch)


SCRATCH_ROWS: Final = 3 + MAX_LEADS
SCRATCH_COLUMNS: Final = int(1.2 * 375)
