"""A decided beat becomes a row: its waves, intervals, class and confidence."""

from __future__ import annotations

from math import atan2, isnan, nan, pi
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.classification import classify, learn_shape, likeness
from processors.ecg.delineation import (
    AFTER_S,
    BEFORE_S,
    P_FROM_S,
    P_LEAST_OF_R,
    P_LEAST_UV,
    P_OVER_NOISE,
    P_UNTIL_S,
    READY_S,
    T_BEFORE_NEXT_S,
    T_FROM_S,
    T_LEAST_OF_R,
    T_LEAST_UV,
    T_LONGEST_S,
    T_PER_RR,
    T_SHORT_S,
    extremum,
    noise_of,
    qrs_edge,
    r_peak,
    trapezium_end,
    unroll,
)
from processors.ecg.kernel import Record, kernel
from processors.ecg.quality import UNREADABLE
from processors.ecg.state import ABSENT, BEAT_MASK, NEVER, RING_MASK, WINDOWS
from processors.ecg.timing import index_of, time_of

Samples = NDArray[Any]

SOFT_S: Final = 0.02
"""Half the average that P and T are looked for in."""
ST_AFTER_S: Final = 0.06
QRS_SHORTEST_MS: Final = 30.0
QRS_LONGEST_MS: Final = 240.0


@kernel
def finish_ready(device: Record, leads: NDArray[Any], u: int, end: bool, rows: NDArray[Any], made: int, source: int,
                 scratch: Samples) -> int:  # fmt: skip
    """Measure every pending beat that has enough signal after it; returns the number of rows made so far."""
    while device.pending > 0 and (end or u - device.pending_u[0] >= int(READY_S * device.inner_hz)):
        if made < rows.size:
            row = rows[made]
            row.source = source
            measure(device, leads, row, scratch)
            made += 1
        for i in range(1, device.pending):
            device.pending_u[i - 1] = device.pending_u[i]
            device.pending_sure[i - 1] = device.pending_sure[i]
        device.pending -= 1
    return made


@kernel
def measure(device: Record, leads: NDArray[Any], row: Record, scratch: Samples) -> None:
    """Fill the row of the oldest pending beat and remember the beat.

    The signal used reaches from 0.40 s before to 0.66 s after it and never past the segment, so the row is the same
    however the samples came.
    """
    hz = device.inner_hz
    centre = device.pending_u[0]
    first = max(device.segment_u, centre - int(BEFORE_S * hz))
    last = min(device.newest_u, centre + int(AFTER_S * hz))
    count = last - first + 1
    fine = scratch[0]
    soft = scratch[1]
    lead = leads[device.lead[device.main]]
    unroll(lead, first, count, fine, soft, int(SOFT_S * hz + 0.5))
    r = r_peak(fine, count, centre - first, hz, device.polarity)
    blank(row)
    row.r_index = index_of(device, first + r)
    row.at_us = time_of(device, row.r_index)
    rr_ms = interval(device, first + r)
    row.rr_ms = rr_ms
    locate(device, row, fine, soft, count, r, first)
    quality = quality_at(device, row.r_index)
    like = likeness(device, fine, count, r, scratch[2])
    row.beat_class = classify(device, rr_ms, row.qrs_ms, like, quality)
    row.confidence = 100.0 * quality * device.pending_sure[0] * (0.6 + 0.4 * max(0.0, like))
    if quality >= UNREADABLE:
        learn_shape(device, fine, count, r, like, scratch[2])
    remember(device, leads, row, first + r)


@kernel
def blank(row: Record) -> None:
    row.pr_ms = nan
    row.qrs_ms = nan
    row.qt_ms = nan
    row.st_mv = nan
    row.amplitude_mv = nan
    row.p_onset = ABSENT
    row.p_peak = ABSENT
    row.p_offset = ABSENT
    row.qrs_onset = ABSENT
    row.qrs_offset = ABSENT
    row.t_onset = ABSENT
    row.t_peak = ABSENT
    row.t_offset = ABSENT


@kernel
def interval(device: Record, r_u: int) -> float:
    """RR in ms; NaN for the first beat and across a gap or a hole in all leads."""
    if device.last_r_u == NEVER or device.broken_u > device.last_r_u:
        return nan
    return float(1000.0 * (r_u - device.last_r_u) / device.inner_hz)


@kernel
def quality_at(device: Record, index: int) -> float:
    """Quality of the second that holds `index`; of the latest one while that second is not over."""
    k = int(index // device.rate_hz)
    best = 0.0
    newest = -1
    for i in range(WINDOWS):
        if device.window_of[i] == k:
            return float(device.window_quality[i])
        if device.window_of[i] > newest:
            newest = device.window_of[i]
            best = device.window_quality[i]
    return float(best) if newest >= 0 else 0.5


@kernel
def locate(device: Record, row: Record, fine: Samples, soft: Samples, count: int, r: int, first: int) -> None:
    """QRS, T and P boundaries and what is measured from them."""
    hz = device.inner_hz
    onset = qrs_edge(fine, count, r, hz, -1)
    offset = qrs_edge(fine, count, r, hz, 1)
    if onset < 0 or offset < 0:
        return
    width = 1000.0 * (offset - onset) / hz
    if width < QRS_SHORTEST_MS or width > QRS_LONGEST_MS:
        return
    row.qrs_onset = index_of(device, first + onset)
    row.qrs_offset = index_of(device, first + offset)
    row.qrs_ms = width
    level = base_level(fine, onset, hz)
    row.amplitude_mv = (fine[r] - level) / 1000.0
    st = offset + int(ST_AFTER_S * hz + 0.5)
    if st < count:
        row.st_mv = (soft[st] - level) / 1000.0
    height = abs(fine[r] - level)
    find_t(device, row, fine, soft, count, r, offset, onset, first, height)
    find_p(device, row, fine, soft, onset, first, height)


@kernel
def base_level(fine: Samples, onset: int, hz: float) -> float:
    """The isoelectric level: the mean of the 16 ms before QRS onset."""
    low = max(0, onset - max(1, int(0.016 * hz)))
    total = 0.0
    for i in range(low, onset + 1):
        total += fine[i]
    return total / (onset + 1 - low)


@kernel
def next_beat(device: Record, centre: int) -> int:
    """Inner index of what may be the next beat, known so far: a pending one or a high candidate."""
    if device.pending > 1:
        return int(device.pending_u[1])
    for i in range(device.queued):
        if device.queue_u[i] - centre > 0.24 * device.inner_hz and device.queue_e[i] > 0.5 * device.level:
            return int(device.queue_u[i])
    return 1 << 60


@kernel
def find_t(device: Record, row: Record, fine: Samples, soft: Samples, count: int, r: int, offset: int, onset: int,
           first: int, height: float) -> None:  # fmt: skip
    hz = device.inner_hz
    low = offset + int(T_FROM_S * hz)
    high = min(count, onset + int(T_LONGEST_S * hz))
    rr = 1000.0 if isnan(row.rr_ms) else row.rr_ms
    high = min(high, onset + int((T_SHORT_S + T_PER_RR * rr / 1000.0) * hz))
    following = next_beat(device, first + r) - first
    high = min(high, following - int(T_BEFORE_NEXT_S * hz))
    peak = extremum(soft, low, high)
    if peak < 0:
        return
    line = soft[low] + (soft[high - 1] - soft[low]) * (peak - low) / (high - 1 - low)
    size = abs(soft[peak] - line)
    noise = noise_of(fine, soft, low, high)
    if size < max(T_LEAST_UV, T_LEAST_OF_R * height, 3.0 * noise):
        return
    row.t_peak = index_of(device, first + peak)
    start = trapezium_end(soft, peak, offset)
    if start >= 0:
        row.t_onset = index_of(device, first + start)
    finish = trapezium_end(soft, peak, high - 1)
    if finish > peak:
        row.t_offset = index_of(device, first + finish)
        row.qt_ms = 1000.0 * (finish - onset) / hz
        device.last_t_u = first + finish


@kernel
def find_p(device: Record, row: Record, fine: Samples, soft: Samples, onset: int, first: int, height: float) -> None:
    hz = device.inner_hz
    low = max(0, onset - int(P_FROM_S * hz))
    if device.last_t_u != NEVER and device.last_t_u < first + onset:
        low = max(low, device.last_t_u - first)
    high = onset - int(P_UNTIL_S * hz)
    if high - low < int(0.08 * hz):
        return
    peak = extremum(soft, low, high)
    if peak < 0:
        return
    line = soft[low] + (soft[high - 1] - soft[low]) * (peak - low) / (high - 1 - low)
    noise = noise_of(fine, soft, low, high)
    if abs(soft[peak] - line) < max(P_LEAST_UV, P_LEAST_OF_R * height, P_OVER_NOISE * noise):
        return
    start = trapezium_end(soft, peak, low)
    finish = trapezium_end(soft, peak, high - 1)
    if start < 0 or finish < 0 or start >= peak or finish <= peak:
        return
    row.p_onset = index_of(device, first + start)
    row.p_peak = index_of(device, first + peak)
    row.p_offset = index_of(device, first + finish)
    row.pr_ms = 1000.0 * (onset - start) / hz


@kernel
def deflection(lead: Record, onset_u: int, offset_u: int) -> float:
    """Net deflection of a lead over the QRS, µV: highest and lowest point against the onset, added."""
    start = lead.ring[onset_u & RING_MASK]
    top = 0.0
    bottom = 0.0
    for u in range(onset_u, offset_u + 1):
        away = float(lead.ring[u & RING_MASK]) - start
        top = max(top, away)
        bottom = min(bottom, away)
    return top + bottom


@kernel
def axis(device: Record, leads: NDArray[Any], row: Record) -> float:
    """Frontal QRS axis in degrees from I and aVF (or I and II); NaN without them or without boundaries."""
    if device.limb_i < 0 or (device.limb_avf < 0 and device.limb_ii < 0) or row.qrs_onset < 0:
        return nan
    low = row.qrs_onset // device.divisor
    high = row.qrs_offset // device.divisor
    i = deflection(leads[device.lead[device.limb_i]], low, high)
    if device.limb_avf >= 0:
        avf = deflection(leads[device.lead[device.limb_avf]], low, high)
    else:
        avf = deflection(leads[device.lead[device.limb_ii]], low, high) - i / 2.0
    if i == 0.0 and avf == 0.0:
        return nan
    # A unipolar lead is smaller than a bipolar one by the square root of 3 over 2 (Einthoven's triangle).
    return float(atan2(avf * 1.1547005383792515, i) * 180.0 / pi)


@kernel
def remember(device: Record, leads: NDArray[Any], row: Record, r_u: int) -> None:
    slot = device.beats & BEAT_MASK
    device.beat_u[slot] = r_u
    device.beat_class[slot] = row.beat_class
    device.beat_rr[slot] = row.rr_ms
    device.beat_pr[slot] = row.pr_ms
    device.beat_qrs[slot] = row.qrs_ms
    device.beat_qt[slot] = row.qt_ms
    device.beat_st[slot] = row.st_mv
    device.beat_axis[slot] = axis(device, leads, row)
    device.beats += 1
    device.last_r_u = r_u
    if not isnan(row.amplitude_mv):
        device.polarity += 0.1 * ((1.0 if row.amplitude_mv >= 0 else -1.0) - device.polarity)
