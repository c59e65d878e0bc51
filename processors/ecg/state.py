"""What the fast engine remembers: one slot per device and one per device and lead, as numpy records."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.results import MAX_LEADS

Slots = NDArray[Any]
"""Structured array of DEVICE or LEAD records."""

RING: Final = 1024
"""Conditioned samples kept per lead: 2.7 s at the highest inner rate (374 Hz), and the learning period is 2 s."""
RING_MASK: Final = RING - 1
CHUNK: Final = 256
"""Inner samples conditioned at a time; what comes out doesn't depend on it, only the cache does."""
QUEUE: Final = 16
"""Candidates waiting for their decision: 2 s of learning holds at most 14."""
PENDING: Final = 16
RECENT: Final = 8
BEATS: Final = 32
BEAT_MASK: Final = BEATS - 1
WINDOWS: Final = 4
WINDOW_MASK: Final = WINDOWS - 1
SHAPES: Final = 8
"""Shapes remembered per lead, of which five are used: three of beats, one of T waves, one of other rejects."""
SHAPE: Final = 29
TRACE: Final = 128
"""Highest envelope of each 20 ms, kept for 2.5 s."""
SHAPE_AT: Final = 40
"""Where among a candidate's inputs its shape begins."""
INPUTS: Final = 120
"""What a candidate is judged by; the last four are spare, so that loops go in eights."""
HIDDEN: Final = 32
KINDS: Final = 4
KIND: Final = 24
"""Shapes of QRS complexes remembered per lead, and points of each (8 ms apart)."""
USUAL: Final = 52
"""Points of the usual beat from P to T, 16 ms apart."""
COARSE_POINTS: Final = 104
"""Points of a beat 8 ms apart, from 0.29 s before its middle to 0.54 s after it."""
CLASSED: Final = 2
"""Leads a beat's class is read from, at most."""
TRAITS: Final = 112
"""What the class of a beat is judged by; the last two are spare, so that loops go in fours."""
CLASS_UNITS: Final = 32
CLASS_ANSWERS: Final = 4
"""Hidden units of the network that tells classes, and the classes it tells."""
GRID_HZ: Final = 250.0
"""Beats are measured in windows at this rate, whatever the inner rate."""
BEFORE: Final = 112
"""Points of a beat's window before its middle (0.448 s), and in all (up to 0.70 s after it)."""
SPAN: Final = 288
MEASURED: Final = 3
"""Leads beats are measured on, at most."""
PLACES: Final = 48
UNITS: Final = 12
"""Places a boundary is looked for at, and hidden units of the networks that score them, at most."""
P_ONSET: Final = 0
QRS_ONSET: Final = 3
QRS_OFFSET: Final = 4
T_ONSET: Final = 5
CONDITIONS: Final = 11
MARKS: Final = 8
"""Order of marks: P onset, peak, offset, QRS onset, offset, T onset, peak, offset."""
VENTRICULAR_LAGS: Final = 21
VENTRICULAR_TRAITS: Final = VENTRICULAR_LAGS + 9
"""What a second's signal is described by: its autocorrelation and nine figures of its shape."""
VENTRICULAR_SCALE: Final = 1000.0
"""Steps a trait's running mean is kept in."""
INNER_RATE_HZ: Final = 250.0
"""Leads are averaged down to the whole fraction of their rate that lies nearest: 187 to 374 Hz (100 and up stay)."""
ATRIAL_RR: Final = 16
"""Intervals the network of atrial.py compares one with."""
ATRIAL_UNITS: Final = 16
ATRIAL_INPUTS: Final = 12
ATRIAL_P: Final = 16
"""Beats whose likeness of P is kept until their second is judged."""
NEVER: Final = -(1 << 60)
"""An index before every index."""
ABSENT: Final = -1

LEAD: Final = np.dtype(
    [
        # conditioning
        ("gain_uv", "f8"), ("offset", "i8"), ("held", "i8"), ("sum", "i8"), ("summed", "i4"), ("missing_run", "i4"),
        ("rebase", "i4"), ("base", "f8"), ("ring", "i2", (RING,)),
        # mains
        ("mains_hz", "f8"), ("mains_seen_hz", "f8"), ("mains_runs", "i4"), ("mains_uv", "f8"), ("mains_turn", "f8"),
        ("mains_step", "f8"), ("mains_newer", "f8"), ("mains_older", "f8"), ("mains_left", "f8"),
        # the second in progress, then the last seconds
        ("valid", "i4"), ("railed", "i4"), ("low", "i4"), ("high", "i4"), ("inner", "i4"), ("energy", "i8"),
        ("peak", "i4"), ("off_run", "i4"), ("quality_of", "f4", (WINDOWS,)), ("flags_of", "u1", (WINDOWS,)),
        # fusion
        ("level", "f8"), ("noise", "f8"), ("weight", "f8"), ("score", "f8"), ("usual_peak", "f4"),
        # of each candidate in the device's queue
        ("best", "f4"), ("amplitudes", "f4", (QUEUE,)),
        # shapes of beats and of what was rejected (decision_shapes.py); a column each
        ("shapes", "f4", (SHAPE, SHAPES)), ("shape_heights", "f4", (SHAPES,)), ("shape_counts", "f4", (SHAPES,)),
        # the average beat, in half a µV
        ("average", "i2", (SPAN,)), ("average_beats", "i4"), ("p_beats", "i4"), ("p_misses", "i4"), ("t_beats", "i4"),
        ("t_misses", "i4"),
        # shapes the class is told by (class_shapes.py), in 4 microvolts
        ("kinds", "i2", (KINDS, KIND)), ("usual", "i2", (USUAL,)), ("usual_beats", "i1"),
    ],
    align=True,
)  # fmt: skip

DEVICE: Final = np.dtype(
    [
        # fixed for a recording
        ("rate_hz", "f8"), ("inner_hz", "f8"), ("divisor", "i4"), ("leads", "i4"), ("lead", "i4", (MAX_LEADS,)),
        ("limb_i", "i4"), ("limb_ii", "i4"), ("limb_avf", "i4"),
        # time
        ("anchor_us", "i8"), ("anchor_index", "i8"), ("older_anchor_us", "i8"),
        ("next_index", "i8"), ("segment_u", "i8"), ("newest_u", "i8"), ("broken_u", "i8"),
        # detection
        ("e1", "f4"), ("e2", "f4"), ("best", "f4"), ("best_u", "i8"), ("learn_until_u", "i8"), ("learned", "i4"),
        ("queued", "i4"), ("queue_u", "i8", (QUEUE,)), ("queue_e", "f8", (QUEUE,)),
        ("level", "f8"), ("levels", "f8", (RECENT,)), ("level_count", "i4"),
        ("early_noise", "f8"), ("late_noise", "f8"), ("early_max", "f8"), ("late_max", "f8"),
        ("rr", "f8"), ("rrs", "f8", (RECENT,)), ("rr_count", "i4"),
        ("last_u", "i8"), ("last_e", "f8"), ("wake_u", "i8"), ("early_u", "i8"), ("late_u", "i8"),
        ("trace", "f4", (TRACE,)), ("trace_bin", "i8"), ("trace_next_u", "i8"), ("trace_top", "f4"),
        ("back_u", "i8"), ("back_e", "f8"), ("back_logit", "f8"),
        ("pending", "i4"), ("pending_u", "i8", (PENDING,)), ("pending_sure", "f4", (PENDING,)),
        # beats decided
        ("beats", "i8"), ("last_r_u", "i8"), ("polarity", "f8"), ("unlike_beats", "i4"), ("off_beats", "i4"),
        ("marks", "f4", (MARKS,)), ("marks_rr", "f4"), ("marks_age", "i4"),
        ("measured", "i4", (MEASURED,)), ("measured_leads", "i4"), ("measured_since", "i4"),
        ("beat_u", "i8", (BEATS,)), ("beat_class", "i1", (BEATS,)),
        *[
            (f"beat_{name}", "f4", (BEATS,))
            for name in ("rr", "pr", "qrs", "qt", "st", "st80", "p_axis", "axis", "t_axis")
        ],
        # what the class is told by: kinds of beats, the usual interval, the P wave (class_inputs.py)
        ("beat_kind", "i1", (BEATS,)),
        ("kind_counts", "f4", (KINDS,)), ("kind_early", "f4", (KINDS,)), ("kind_width", "f4", (KINDS,)),
        ("kind", "i1"), ("kind_usual", "i1"), ("rr_short", "f4"), ("rr_long", "f4"), ("rr_usual", "f4"),
        ("early_run", "f4"), ("early_onset", "f4"), ("last_like", "f4"), ("p_steady", "f4"),
        # seconds
        ("main", "i4"), ("window", "i8"), ("window_end", "i8"), ("window_samples", "i4"),
        ("emit", "i8"), ("emit_at_u", "i8"),
        ("window_of", "i8", (WINDOWS,)), ("window_quality", "f4", (WINDOWS,)),
        # rhythm: the primary label, the one that may replace it, the pause
        ("rhythm", "i4"), ("rhythm_first_u", "i8"), ("rhythm_since", "i8"), ("rhythm_sure", "f4"),
        ("next_rhythm", "i4"), ("next_runs", "i4"), ("next_first_u", "i8"),
        ("unreadable", "i4"), ("seen_beats", "i8"),
        ("pause_first_u", "i8"),
        # what may hold beside it (conditions.LABELS)
        ("condition_open", "i1", (CONDITIONS,)), ("condition_runs", "i1", (CONDITIONS,)),
        ("condition_first_u", "i8", (CONDITIONS,)), ("condition_last_u", "i8", (CONDITIONS,)),
        ("sv_seen", "i8"), ("sv_run", "i4"), ("sv_rr", "f4"), ("sv_first_u", "i8"),
        ("blocked_u", "i8"), ("older_blocked_u", "i8"), ("paced", "f4"),
        # atrial rhythm: beats taken in, where the present label or its absence began, what the network remembers
        ("atrial_beats", "i8"), ("atrial_first_u", "i8"), ("atrial_label", "i1"), ("atrial_kept", "u1"),
        ("atrial_deaf", "u1"), ("atrial_score", "f4"), ("atrial_mean", "f4"), ("atrial_rr", "i2", (ATRIAL_RR,)),
        ("atrial_memory", "i2", (ATRIAL_UNITS,)), ("atrial_p", "i1", (ATRIAL_P,)),
        # ventricular rhythms: the signal's running means, usual beats, smoothed log odds, seconds in a row, the label
        ("ventricular_fast", "i2", (VENTRICULAR_TRAITS,)), ("ventricular_slow", "i2", (VENTRICULAR_TRAITS,)),
        ("ventricular_rr", "f4"), ("ventricular_qrs", "f4"), ("ventricular_odds", "f4"), ("ventricular_lean", "f4"),
        ("ventricular_seen", "i2"), ("ventricular_alive", "i2"), ("ventricular_low", "i2"), ("ventricular_quiet", "i2"),
        ("ventricular_lead", "i1"), ("ventricular_calm", "i1"), ("ventricular_on", "i1"), ("ventricular", "i1"),
        ("ventricular_first_u", "i8"), ("ventricular_rise_u", "i8"),
    ],
    align=True,
)  # fmt: skip

WORK: Final = np.dtype(
    [
        ("gathered", "f8", (CHUNK,)), ("clean", "i4", (CHUNK,)), ("holes", "i4", (CHUNK,)),
        ("sums", "i4", (CHUNK + 64,)), ("squares", "f4", (CHUNK + 8,)),
        ("envelopes", "f4", (MAX_LEADS, CHUNK)), ("fused", "f4", (CHUNK,)),
        ("intervals", "f8", (BEATS,)),
        # of one second
        ("holds", "i1", (CONDITIONS,)), ("since_u", "i8", (CONDITIONS,)), ("until_u", "i8", (CONDITIONS,)),
        # of one candidate
        ("candidate", "f4", (INPUTS,)), ("candidate_hidden", "f4", (HIDDEN,)),
        ("candidate_norm", "f4"), ("candidate_turned", "i4"),
        # of one beat
        ("windows", "i4", (MEASURED, SPAN)), ("own", "i4", (SPAN,)),
        ("coarse", "f4", (CLASSED, COARSE_POINTS)), ("alikes", "f4", (KINDS, CLASSED)),
        ("best_alike", "f4", (KINDS,)), ("halved", "f4", (USUAL,)), ("sorted", "f4", (24,)), ("quartiles", "f4", (3,)),
        ("traits", "f4", (CLASSED, TRAITS)),
        ("class_hidden", "f4", (CLASS_UNITS,)), ("answers", "f4", (CLASS_ANSWERS,)),
        ("sums_of", "i4", (MEASURED, SPAN + 1)),
        ("fast", "f4", (SPAN,)), ("medium", "f4", (SPAN,)), ("slow", "f4", (SPAN,)), ("height", "f4", (SPAN,)),
        ("curve", "f4", (SPAN,)), ("hands", "f4", (4, 96)),
        ("inputs", "f4", (PLACES, PLACES)), ("hidden", "f4", (UNITS, PLACES)),
        ("scores", "f4", (3, PLACES)), ("places", "i4", (PLACES,)), ("ahead", "i4", (PLACES,)), ("chosen", "i4", (3,)),
        ("marks", "f4", (MARKS,)), ("rr", "f4"), ("p_like", "f4"), ("middle_u", "i8"),
        # of one interval
        ("atrial_inputs", "f4", (ATRIAL_INPUTS,)), ("atrial_sums", "f4", (3 * ATRIAL_UNITS,)),
        ("atrial_state", "f4", (2, ATRIAL_UNITS)),
        # of one second
        ("ventricular_inputs", "f4", (2 * VENTRICULAR_TRAITS + 9,)), ("ventricular_odds", "f4", (3,)),
        ("ventricular_hidden", "f4", (16,)), ("run_first_u", "i8"), ("run_last_u", "i8"),
    ],
    align=True,
)  # fmt: skip
"""What a chunk, a beat and a second are worked on in; nothing in it outlives them."""

BEAT_ROW: Final = np.dtype(
    [
        ("source", "i4"), ("beat_class", "i4"), ("r_index", "i8"), ("at_us", "i8"),
        *[(name, "f4") for name in ("confidence", "rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")],
        *[
            (name, "i8")
            for name in (
                "p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak", "t_offset",
            )
        ],
    ],
    align=True,
)  # fmt: skip
"""results.BEAT_DTYPE with the class as a number (position in CLASSES): kernels know no text."""

CLASSES: Final = np.array(["N", "S", "V", "F", "Q"])
CLASS_N: Final = 0
CLASS_S: Final = 1
CLASS_V: Final = 2
CLASS_F: Final = 3
CLASS_Q: Final = 4


def blank_leads(count: int) -> Slots:
    return np.zeros(count, LEAD)


def blank_devices(count: int) -> Slots:
    return np.zeros(count, DEVICE)
