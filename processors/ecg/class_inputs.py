"""What the class of a beat is judged by, and what is remembered of it for the beats to come."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.class_shapes import choose_usual, find_kind, learn_kind, learn_usual
from processors.ecg.class_timing import COMMON, describe_kind, describe_marks, describe_next, describe_timing
from processors.ecg.class_waves import P_LIKE, describe_waves
from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK

LATEST: Final = 1.3
P_MOVE: Final = 1.0 / 24.0
NOT_EARLY: Final = 0.9
SHORT_BEATS: Final = 16.0
LONG_BEATS: Final = 128.0
USUAL_BEATS: Final = 12.0
STRANGE_BEATS: Final = 64.0
STRANGE: Final = 0.15
"""The usual interval follows one that differs less in a dozen beats; a run that begins at once must last to count."""


@kernel
def describe_beat(device: Record, leads: NDArray[Any], count: int, row: Record, alike: float, sure: float,
                  quality: float, work: Record) -> None:  # fmt: skip
    """Fill work.traits, a row for each of `count` leads gathered before, and learn from the beat."""
    found, shift = find_kind(device, leads, count, work)
    early = describe_timing(device, row.rr_ms, sure, quality, work)
    describe_next(work)
    describe_kind(device, found, work)
    describe_marks(device, row.qrs_ms, row.pr_ms, alike, work)
    wide = 0.0
    for k in range(count):
        if k > 0:
            for i in range(COMMON):
                work.traits[k, i] = work.traits[0, i]
        lead = leads[device.lead[device.measured[k]]]
        wide = max(wide, describe_waves(device, lead, k, shift, found, work))
    device.last_like = work.best_alike[device.kind_usual]
    device.kind = found
    if quality > 0.0:
        last = device.beat_kind[(device.beats - 1) & BEAT_MASK] if device.beats > 0 else ABSENT
        device.kind = learn_kind(device, leads, count, found, shift, min(LATEST, early), wide, work)
        learn(device, leads, count, shift if found >= 0 else 0, last, row.rr_ms, work)


@kernel
def learn(device: Record, leads: NDArray[Any], count: int, shift: int, last: int, rr_ms: float,
          work: Record) -> None:  # fmt: skip
    """Let the usual kind, beat, P wave and interval follow; `last` is the kind of the beat before."""
    choose_usual(device, leads)
    usual = device.kind == device.kind_usual
    if usual:
        for k in range(count):
            learn_usual(leads[device.lead[device.measured[k]]], work.coarse[k], shift)
    if isnan(rr_ms):
        return
    if usual and rr_ms > NOT_EARLY * device.rr_usual:
        device.p_steady += P_MOVE * (work.traits[0, P_LIKE] - device.p_steady)
    if device.rr_usual <= 0.0:
        device.rr_usual = rr_ms
        device.rr_short = rr_ms
        device.rr_long = rr_ms
    device.rr_short += (rr_ms - device.rr_short) / SHORT_BEATS
    device.rr_long += (rr_ms - device.rr_long) / LONG_BEATS
    if usual and last == device.kind:
        change = abs(rr_ms / device.rr_usual - 1.0)
        device.rr_usual += (rr_ms - device.rr_usual) / (USUAL_BEATS if change < STRANGE else STRANGE_BEATS)
