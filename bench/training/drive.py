"""The detector's own kernels over a whole conditioned record, with every decision logged."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.candidates import drop_first, observe
from processors.ecg.decision import judge
from processors.ecg.decision_inputs import describe
from processors.ecg.detection import (
    FIRST_RR_S,
    LEARN_S,
    NO_LOGIT,
    forget_beats,
    lag,
    may_be_beat,
    prepare,
    search_back,
    settle,
    sleep,
    too_low,
)
from processors.ecg.envelope import envelop, envelope_delay, fuse
from processors.ecg.filters import condition, restart
from processors.ecg.kernel import Record, kernel
from processors.ecg.mains import look_for_mains
from processors.ecg.quality import close_window
from processors.ecg.state import ABSENT, CHUNK, INPUTS, NEVER, RING_MASK

LOG: Final = np.dtype([("u", "i8"), ("e", "f4"), ("logit", "f4"), ("kind", "i4"), ("inputs", "f4", (INPUTS,))])
"""A decision; `kind` is 0 when the network wasn't asked, 1 for no beat, 2 for a beat."""


@kernel
def conditioned(device: Record, leads: NDArray[Any], work: Record, raw: NDArray[np.int16], xs: NDArray[Any],
                es: NDArray[Any]) -> None:  # fmt: skip
    """Fill `xs` and `es` with the conditioned signal and the envelope of a record, int16 (leads, count) each second."""
    for k in range(device.leads):
        lead = leads[k]
        restart(lead)
        done = 0
        window = 0
        while done < xs.shape[1]:
            begun = done
            until = min(xs.shape[1], int((window + 1) * device.inner_hz))
            while done < until:
                size = min(CHUNK, until - done)
                part = raw[k, done * device.divisor : (done + size) * device.divisor]
                made = condition(lead, part, done * device.divisor, device, work)
                envelop(lead, done + size - 1, made, device.inner_hz, work, work.envelopes[k])
                xs[k, done : done + made] = work.clean[:made]
                es[k, done : done + made] = work.envelopes[k, :made]
                done += size
            look_for_mains(lead, begun, done, window, device.inner_hz)
            window += 1


@kernel
def begin(device: Record, leads: NDArray[Any]) -> None:
    device.segment_u = 0
    device.learn_until_u = int(LEARN_S * device.inner_hz)
    device.rr = FIRST_RR_S * device.inner_hz
    device.window_of[:] = ABSENT
    forget_beats(device)
    for k in range(device.leads):
        leads[k].weight = 1.0 / device.leads
        leads[k].score = 0.5
        leads[k].ring[:] = 0


@kernel
def drive(device: Record, leads: NDArray[Any], xs: NDArray[Any], es: NDArray[Any], truth: NDArray[Any], teach: bool,
          first: NDArray[Any], last: NDArray[Any], log: NDArray[Any], beats: NDArray[Any], work: Record,
          ) -> tuple[int, int]:  # fmt: skip
    """Fill `log` and `beats` (inner indices); returns how many of each.

    With `teach` the history is the true one: candidates at which `truth` is set become beats.
    """
    begin(device, leads)
    count = xs.shape[1]
    second = int(device.inner_hz)
    fused = np.zeros(second, np.float32)
    made = found = 0
    for first_u in range(0, count, second):
        size = min(second, count - first_u)
        envelopes = es[:, first_u : first_u + size]
        fuse(device, leads, envelopes, size, fused)
        stop = 0
        while stop < size:
            done = stop
            stop = observe(device, leads, first_u, done, size, fused, envelopes)
            fill_rings(device, leads, xs, first_u + done, first_u + stop)
            at = first_u + stop - 1 - envelope_delay(device.inner_hz)
            end = first_u + stop == count
            if at >= device.wake_u or end:
                if prepare(device, leads, at, end):
                    made = decide_logged(device, leads, at, end, truth, teach, first, last, log, made, work)
                sleep(device)
            found = take_beats(device, beats, found)
        if device.leads > 1 and size == second:
            close_second(device, leads, xs, es, first_u, second)
    return made, found


@kernel
def fill_rings(device: Record, leads: NDArray[Any], xs: NDArray[Any], low: int, high: int) -> None:
    for k in range(device.leads):
        for u in range(low, high):
            leads[k].ring[u & RING_MASK] = xs[k, u]


@kernel
def decide_logged(device: Record, leads: NDArray[Any], at: int, end: bool, truth: NDArray[Any], teach: bool,
                  first: NDArray[Any], last: NDArray[Any], log: NDArray[Any], made: int,
                  work: Record) -> int:  # fmt: skip
    """What detection.detect does when candidates are due, step by step."""
    while device.queued > 0 and (end or at - device.queue_u[0] >= lag(device.inner_hz)):
        row = log[made]
        row.u = device.queue_u[0]
        row.e = device.queue_e[0]
        row.logit = NO_LOGIT
        row.kind = 0
        if may_be_beat(device):
            if too_low(device):
                settle(device, leads, False, NO_LOGIT, work)
            else:
                describe(device, leads, work)
                logit = judge(work, first, last)
                row.logit = logit
                row.inputs[:] = work.candidate
                accepted = truth[max(0, row.u)] > 0 if teach else logit > 0.0
                row.kind = 2 if accepted else 1
                settle(device, leads, accepted, logit, work)
        made += 1
        drop_first(device, leads)
    if teach:
        device.back_u = NEVER
    else:
        search_back(device, leads, at, work)
    return made


@kernel
def take_beats(device: Record, beats: NDArray[Any], found: int) -> int:
    for i in range(device.pending):
        beats[found + i] = device.pending_u[i]
    found += device.pending
    device.pending = 0
    return found


@kernel
def close_second(device: Record, leads: NDArray[Any], xs: NDArray[Any], es: NDArray[Any], first_u: int, second: int,
                 ) -> None:  # fmt: skip
    """Let the quality of the second weigh the leads, as the stream does."""
    device.newest_u = first_u + second - 1
    device.window_samples = second
    for k in range(device.leads):
        lead = leads[k]
        lead.low = int(xs[k, first_u] / lead.gain_uv)
        lead.high = lead.low
        lead.valid = second - 1  # one short, so that mains, which is gone from `xs`, isn't looked for
        lead.inner = second
        for u in range(first_u, first_u + second):
            lead.low = min(lead.low, int(xs[k, u] / lead.gain_uv))
            lead.high = max(lead.high, int(xs[k, u] / lead.gain_uv))
            lead.energy += int(es[k, u])
            lead.peak = max(lead.peak, int(es[k, u]))
    close_window(device, leads, second)
    device.window += 1
