"""Ventricular beats in a row: tachycardia and idioventricular rhythm told by the beats' classes."""

from __future__ import annotations

from math import isnan
from typing import Final

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_V
from schemas import rhythms

IDIOVENTRICULAR: Final = rhythms.LABELS.index(rhythms.IDIOVENTRICULAR)
NON_SUSTAINED: Final = rhythms.LABELS.index(rhythms.NON_SUSTAINED_TACHYCARDIA)
RUN: Final = 3
FAST_BPM: Final = 100.0
"""Three beats or more at 100 a minute or more are ventricular tachycardia (ACC/AHA/HRS); slower, idioventricular."""
RELUCTANCE: Final = 0.1
"""A run that has been named keeps its name until its rate is so much beyond the limit."""
WARM_BEATS: Final = 12
"""Before so many beats the classes don't know what is usual."""
PACED: Final = 0.3
"""With spikes before so many beats their width is the pacemaker's."""
STALE_S: Final = 2.0
"""A run whose last beat is older than this, and not followed by another, is over."""


@kernel
def ventricular_run(device: Record, end_u: int, work: Record) -> int:
    """How many ventricular beats in a row there are at the end of the second that ends at `end_u`, or ended in it.

    Inner indices of the first and the last go to `work`. 0 when there are none.
    """
    second_u = end_u - device.inner_hz
    count = 0
    follows = False
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        u = device.beat_u[slot]
        if u >= end_u:
            continue
        if device.beat_class[slot] != CLASS_V:
            if count > 0 or u < second_u:
                break
            follows = True
            continue
        if count == 0 and u < (second_u if follows else end_u - STALE_S * device.inner_hz):
            break
        if count == 0:
            work.run_last_u = u
        count += 1
        work.run_first_u = u
        if isnan(device.beat_rr[slot]):  # the signal had a gap before this beat
            break
    return count


@kernel
def label_of_run(device: Record, end_u: int, work: Record) -> int:
    """NON_SUSTAINED or IDIOVENTRICULAR by the rate of a run of three or more, or ABSENT."""
    count = ventricular_run(device, end_u, work)
    if count < RUN or device.beats < WARM_BEATS:
        return ABSENT
    lasted = work.run_last_u - work.run_first_u
    if lasted <= 0:
        return ABSENT
    bpm = 60.0 * device.inner_hz * (count - 1) / lasted
    limit = FAST_BPM
    if device.ventricular == IDIOVENTRICULAR:
        limit *= 1.0 + RELUCTANCE
    elif device.ventricular != ABSENT:
        limit *= 1.0 - RELUCTANCE
    if bpm >= limit:
        return NON_SUSTAINED
    return ABSENT if device.paced > PACED else IDIOVENTRICULAR
