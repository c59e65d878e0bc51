"""What may hold beside the primary rhythm: ectopic beats, patterns of them, conduction, repolarisation."""

from __future__ import annotations

from typing import Final

from processors.ecg.classification import usual_rr
from processors.ecg.intervals import newest_before
from processors.ecg.kernel import Record, kernel
from processors.ecg.rhythm import FIBRILLATION, FLUTTER, PACED, SINUS, p_share
from processors.ecg.state import BEAT_MASK, BEATS, CLASS_S, CLASS_V, NEVER
from schemas import rhythms

LABELS: Final = tuple(
    rhythms.LABELS.index(label)
    for label in (
        rhythms.SECOND_DEGREE_BLOCK, rhythms.BIGEMINY, rhythms.TRIGEMINY, rhythms.COUPLET,
        rhythms.PREMATURE_VENTRICULAR, rhythms.PREMATURE_ATRIAL, rhythms.FIRST_DEGREE_BLOCK,
        rhythms.ST_ELEVATION, rhythms.ST_DEPRESSION, rhythms.PROLONGED_QT, rhythms.WIDE_QRS,
    )
)  # fmt: skip
"""The most urgent first."""
(BLOCK_2, BIGEMINY, TRIGEMINY, COUPLET, PVC, PAC, BLOCK_1, ST_UP, ST_DOWN, LONG_QT, WIDE) = range(len(LABELS))
OPEN_AFTER_S: Final = (1, 1, 1, 1, 1, 1, 10, 60, 60, 30, 10)
CLOSE_AFTER_S: Final = (12, 4, 4, 10, 10, 10, 10, 30, 30, 30, 10)
"""For so many seconds a condition must hold, or not hold any more."""
STATED: Final = PAC
"""Conditions up to this one are what a metrics row states in place of a sinus rhythm; the others stand beside it."""

PR_LONG_MS: Final = 200.0
"""Kusumoto et al. 2018 (ACC/AHA/HRS, bradycardia and conduction delay)."""
PR_MOSTLY: Final = 0.75
QRS_WIDE_MS: Final = 120.0
QTC_LONG_MS: Final = 470.0
"""By Fridericia. Rautaharju et al. 2009 (AHA/ACCF/HRS) say 450 ms in men, 460 in women: this is long in anyone."""
ST_UP_MV: Final = 0.2
ST_DOWN_MV: Final = 0.1
"""For a minute; a depression of 0.1 mV for 1 min is what ambulatory recordings are searched for."""
EARLY: Final = 0.9
HYSTERESIS_MS: Final = 5.0
HYSTERESIS_MV: Final = 0.02
BLOCKS_WITHIN_S: Final = 30.0
"""Two blocked P waves this close together are a block; one alone might be something else."""
BLOCKED_FOR_S: Final = 12.0


@kernel
def find_conditions(device: Record, row: Record, start_u: int, end_u: int, pattern: int, work: Record) -> None:
    """Set work.holds, since_u and until_u of each condition for the second [start_u, end_u) whose metrics are in `row`.

    `pattern` is the label of a ventricular pattern, or ABSENT. Nothing holds in a rhythm of the ventricles' own.
    """
    work.holds[:] = 0
    work.since_u[:] = newest_before(device, end_u)
    work.until_u[:] = end_u
    rhythm = device.rhythm
    sinus = rhythm in SINUS
    if not (sinus or rhythm in (FIBRILLATION, FLUTTER, PACED)):
        return
    find_ectopics(device, start_u, end_u, sinus, work)
    for i in (BIGEMINY, TRIGEMINY, COUPLET):
        work.holds[i] = pattern == LABELS[i]
    find_blocks(device, row, end_u, sinus, work)
    wide = over(device, row.qrs_ms, QRS_WIDE_MS, HYSTERESIS_MS, WIDE)
    work.holds[WIDE] = wide
    if rhythm != PACED and not wide:
        work.holds[ST_UP] = over(device, row.st_mv, ST_UP_MV, HYSTERESIS_MV, ST_UP)
        work.holds[ST_DOWN] = over(device, -row.st_mv, ST_DOWN_MV, HYSTERESIS_MV, ST_DOWN)
        work.holds[LONG_QT] = sinus and over(device, row.qtc_ms, QTC_LONG_MS, HYSTERESIS_MS, LONG_QT)


@kernel
def over(device: Record, value: float, limit: float, hysteresis: float, condition: int) -> bool:
    """Whether a value is over its limit; a little less will do once the condition is open. NaN is not."""
    return bool(value > limit - (hysteresis if device.condition_open[condition] else 0.0))


@kernel
def find_ectopics(device: Record, start_u: int, end_u: int, sinus: bool, work: Record) -> None:
    """Premature beats of the second; atrial ones only where there is a sinus rhythm to be premature in.

    A beat that looks supraventricular but is no tenth early is none: an escape beat, or one of a fast rhythm.
    """
    early_ms = EARLY * usual_rr(device)
    for i in range(min(device.beats, BEATS)):
        slot = (device.beats - 1 - i) & BEAT_MASK
        u = device.beat_u[slot]
        if u < start_u:
            break
        if u >= end_u:
            continue
        kind = device.beat_class[slot]
        if kind == CLASS_V or (kind == CLASS_S and sinus and device.beat_rr[slot] < early_ms):
            condition = PVC if kind == CLASS_V else PAC
            work.until_u[condition] = u if work.holds[condition] == 0 else work.until_u[condition]
            work.since_u[condition] = u
            work.holds[condition] = 1


@kernel
def find_blocks(device: Record, row: Record, end_u: int, sinus: bool, work: Record) -> None:
    """First degree by the PR interval, second degree by P waves that were blocked."""
    slow = sinus and p_share(device, end_u) >= PR_MOSTLY
    work.holds[BLOCK_1] = slow and over(device, row.pr_ms, PR_LONG_MS, HYSTERESIS_MS, BLOCK_1)
    if sinus and device.older_blocked_u != NEVER:
        close = device.blocked_u - device.older_blocked_u <= BLOCKS_WITHIN_S * device.inner_hz
        work.holds[BLOCK_2] = close and end_u - device.blocked_u <= BLOCKED_FOR_S * device.inner_hz
        work.since_u[BLOCK_2] = device.older_blocked_u
