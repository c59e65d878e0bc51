"""Patterns that single ventricular beats make: couplet, bigeminy, trigeminy."""

from __future__ import annotations

from typing import Final

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import ABSENT, BEAT_MASK, BEATS, CLASS_V
from schemas import rhythms

COUPLET: Final = rhythms.LABELS.index(rhythms.COUPLET)
BIGEMINY: Final = rhythms.LABELS.index(rhythms.BIGEMINY)
TRIGEMINY: Final = rhythms.LABELS.index(rhythms.TRIGEMINY)
CYCLES: Final = 3
"""So many ventricular beats with the same number of others between them make a pattern."""
STALE_S: Final = 3.0
LONG: Final = 12


@kernel
def pattern_of(device: Record, end_u: int) -> int:
    """COUPLET, BIGEMINY or TRIGEMINY by the beats before `end_u`, or ABSENT.

    Bigeminy and trigeminy hold while the newest beats fit them; a couplet is told in the second in which the beat that
    ends it comes. Beats of a run of three or more belong to none.
    """
    newest = 0
    while newest < min(device.beats, BEATS) and device.beat_u[(device.beats - 1 - newest) & BEAT_MASK] >= end_u:
        newest += 1
    available = min(device.beats, BEATS) - newest
    if available < 4 or end_u - device.beat_u[slot_of(device, newest)] > STALE_S * device.inner_hz:
        return ABSENT
    for others in (1, 2):
        if has_cycles(device, newest, available, others):
            return BIGEMINY if others == 1 else TRIGEMINY
    if ends_couplet(device, newest, available, end_u):
        return COUPLET
    return ABSENT


@kernel
def slot_of(device: Record, ago: int) -> int:
    return int((device.beats - 1 - ago) & BEAT_MASK)


@kernel
def is_ventricular(device: Record, ago: int) -> bool:
    return bool(device.beat_class[slot_of(device, ago)] == CLASS_V)


@kernel
def has_cycles(device: Record, newest: int, available: int, others: int) -> bool:
    """Whether the newest CYCLES ventricular beats have exactly `others` beats between them, and no more after."""
    since = 0
    found = 0
    for i in range(min(available, LONG)):
        if not is_ventricular(device, newest + i):
            since += 1
            if since > others:
                return False
            continue
        if found > 0 and since != others:
            return False
        since = 0
        found += 1
        if found == CYCLES:
            return True
    return False


@kernel
def ends_couplet(device: Record, newest: int, available: int, end_u: int) -> bool:
    """Whether one of the second's beats is the first after exactly two ventricular ones."""
    for i in range(available - 3):
        if end_u - device.beat_u[slot_of(device, newest + i)] > device.inner_hz:
            return False
        pair = is_ventricular(device, newest + i + 1) and is_ventricular(device, newest + i + 2)
        alone = not is_ventricular(device, newest + i) and not is_ventricular(device, newest + i + 3)
        if pair and alone:
            return True
    return False
