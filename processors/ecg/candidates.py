"""Candidates for a beat: the highest points of the envelope, and a coarse trace of it that they are judged by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.ecg.envelope import envelope_delay
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import NEVER, QUEUE, TRACE

HOLD_S: Final = 0.15
"""A candidate is the highest point until this long after it."""
TRACE_HZ: Final = 50.0
TRACE_MASK: Final = TRACE - 1
SOON: Final = 1 << 60


@kernel
def forget_candidates(device: Record, at: int) -> None:
    """Before the sample whose envelope stands for inner index `at`: nothing of the envelope is known."""
    device.e1 = 0.0
    device.e2 = 0.0
    device.best = 0.0
    device.best_u = NEVER
    device.queued = 0
    device.wake_u = SOON
    device.trace[:] = 0.0
    device.trace_top = 0.0
    device.trace_bin = int(at * TRACE_HZ / device.inner_hz)
    device.trace_next_u = bin_start(device, device.trace_bin + 1)


@kernel
def bin_start(device: Record, k: int) -> int:
    """First inner index of bin `k` of the trace."""
    start = int(k * device.inner_hz / TRACE_HZ)
    while int(start * TRACE_HZ / device.inner_hz) < k:
        start += 1
    return start


@kernel
def observe(device: Record, leads: NDArray[Any], first_u: int, begin: int, end: int, fused: NDArray[Any],
            envelopes: NDArray[Any]) -> int:  # fmt: skip
    """Take in the fused envelope in columns [begin, end), column 0 being of inner index `first_u`.

    Stops after the first column at which something is due (device.wake_u); returns the column after the last one.
    """
    shift = first_u - envelope_delay(device.inner_hz)
    stop = begin
    while stop < end:
        if shift + stop >= device.trace_next_u:
            close_bin(device)
        stop = rise_and_fall(device, shift, stop, min(end, device.trace_next_u - shift), fused)
        if shift + stop - 1 >= device.wake_u:
            break
    if device.leads > 1:
        for k in range(device.leads):
            lead = leads[device.lead[k]]
            highest = lead.best
            for j in range(begin, stop):
                highest = max(highest, envelopes[k, j])
            lead.best = highest
    return stop


@kernel
def close_bin(device: Record) -> None:
    """The bin of the trace is over."""
    device.trace[device.trace_bin & TRACE_MASK] = np.rint(device.trace_top)  # whole µV compress better in checkpoints
    device.trace_bin += 1
    device.trace_next_u = bin_start(device, device.trace_bin + 1)
    device.trace_top = 0.0


@kernel
def rise_and_fall(device: Record, shift: int, begin: int, end: int, fused: NDArray[Any]) -> int:
    """Follow the envelope through one bin of the trace; see observe."""
    e1 = device.e1
    e2 = device.e2
    top = device.trace_top
    hold = int(HOLD_S * device.inner_hz)
    stop = begin
    while stop < end:
        e = fused[stop]
        at = shift + stop
        top = max(top, e)
        if e1 > e2 and e1 >= e and (device.best_u == NEVER or e1 > device.best):
            device.best = e1
            device.best_u = at - 1
            device.wake_u = min(device.wake_u, at - 1 + hold)
        e2 = e1
        e1 = e
        stop += 1
        if at >= device.wake_u:
            break
    device.e1 = e1
    device.e2 = e2
    device.trace_top = top
    return stop


@kernel
def silence_ahead(device: Record) -> None:
    """At the end of a segment the trace goes on without height."""
    device.trace[device.trace_bin & TRACE_MASK] = device.trace_top
    for k in range(1, TRACE // 2):
        device.trace[(device.trace_bin + k) & TRACE_MASK] = 0.0


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
            lead.amplitudes[n] = lead.best if device.leads > 1 else device.best
        lead.best = 0.0
    device.best = 0.0
    device.best_u = NEVER


@kernel
def drop_first(device: Record, leads: NDArray[Any]) -> None:
    """The oldest candidate is decided and leaves the queue."""
    for i in range(1, device.queued):
        device.queue_u[i - 1] = device.queue_u[i]
        device.queue_e[i - 1] = device.queue_e[i]
        for k in range(device.leads):
            lead = leads[device.lead[k]]
            lead.amplitudes[i - 1] = lead.amplitudes[i]
    device.queued -= 1
