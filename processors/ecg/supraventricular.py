"""Supraventricular tachycardia: a fast narrow rhythm that begins from one beat to the next."""

from __future__ import annotations

from math import isnan
from typing import Final

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_S, CLASS_V
from schemas import rhythms

SUPRAVENTRICULAR: Final = rhythms.LABELS.index(rhythms.SUPRAVENTRICULAR_TACHYCARDIA)
RUN: Final = 3
"""So many premature supraventricular beats in a row are a tachycardia, if they come fast enough."""
FAST_MS: Final = 600.0
SOONER: Final = 0.87
"""The first of them must be early by this much: a sinus tachycardia has beats that look the same."""
SUDDEN: Final = 0.7
SUDDEN_MS: Final = 460.0
"""Over 130 a minute, and so much faster from one beat to the next: that didn't come from the sinus node."""
EVEN: Final = 0.15
SLOWER: Final = 1.2
"""It ends with an interval this much longer than its own."""
GAIN: Final = 0.2


@kernel
def follow_supraventricular(device: Record, end_u: int) -> int:
    """Take in the new beats before `end_u`; SUPRAVENTRICULAR while a run of at least 3 goes on, else ABSENT."""
    count = min(device.beats - device.sv_seen, BEATS)
    for i in range(count):
        slot = (device.beats - count + i) & BEAT_MASK
        if device.beat_u[slot] >= end_u:
            break
        device.sv_seen = device.beats - count + i + 1
        take_beat(device, slot)
    return SUPRAVENTRICULAR if device.sv_run >= RUN else ABSENT


@kernel
def take_beat(device: Record, slot: int) -> None:
    """One more beat: it begins a run, goes on with it, or ends it."""
    rr = device.beat_rr[slot]
    before = device.beat_rr[(slot - 1) & BEAT_MASK]
    kind = device.beat_class[slot]
    if isnan(rr) or kind == CLASS_V or rr > FAST_MS or (device.sv_run > 0 and rr > SLOWER * device.sv_rr):
        device.sv_run = 0
        return
    if device.sv_run >= RUN or (device.sv_run > 0 and (kind == CLASS_S or abs(rr - device.sv_rr) < EVEN * rr)):
        device.sv_run = min(device.sv_run + 1, RUN)
        device.sv_rr += GAIN * (rr - device.sv_rr)
    elif (kind == CLASS_S and rr < SOONER * before) or (rr < SUDDEN_MS and rr < SUDDEN * before):
        device.sv_run = 1
        device.sv_rr = rr
        device.sv_first_u = device.beat_u[slot]
    else:
        device.sv_run = 0
