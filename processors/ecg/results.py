"""What a step gives: columns of beats, metrics and episodes, one numpy record per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.samples import Lead

MAX_LEADS: Final = 12

BEAT_DTYPE: Final = np.dtype(
    [
        ("source", "i4"),  # position in Results.sources
        ("r_index", "i8"),
        ("at_us", "i8"),
        ("beat_class", "U1"),
        ("confidence", "f4"),
        *[(name, "f4") for name in ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")],  # NaN = absent
        *[
            (name, "i8")  # -1 = absent
            for name in (
                "p_onset", "p_peak", "p_offset", "qrs_onset", "qrs_offset", "t_onset", "t_peak", "t_offset",
            )
        ],
    ]
)  # fmt: skip

METRICS_DTYPE: Final = np.dtype(
    [
        ("source", "i4"),
        ("window_start_us", "i8"),
        *[
            (name, "f4")  # NaN = absent
            for name in (
                "heart_rate_bpm", "rr_ms", "pr_ms", "qrs_ms", "qt_ms",
                "qtc_ms", "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms",  # qtc_ms is Fridericia's
                "st_mv", "st80_mv",  # at J+60 and J+80 ms
                "p_axis_deg", "qrs_axis_deg", "t_axis_deg",
            )
        ],
        ("rhythm", "i1"),  # position in schemas.rhythms.LABELS, -1 = none stated
        ("arrhythmia_confidence", "f4"),
        ("quality", "f4"),
        ("main_lead", "i1"),  # the lead measured on, a position in Source.leads
        ("lead_quality", "f4", (MAX_LEADS,)),  # NaN beyond the recording's leads
        ("lead_flags", "u1", (MAX_LEADS,)),  # bits of schemas.quality.FLAGS
    ]
)  # fmt: skip

EPISODE_DTYPE: Final = np.dtype(
    [
        ("source", "i4"),
        ("first_r_index", "i8"),
        ("rhythm", "i1"),  # position in schemas.rhythms.LABELS
        ("state", "i1"),  # 0 opened, 1 updated, 2 closed
        ("started_at_us", "i8"),
        ("ended_at_us", "i8"),
        ("confidence", "f4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Source:
    """The recording a row is about, and its leads in their order."""

    device_id: UUID
    recording_id: UUID
    leads: tuple[Lead, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """Rows in the order they were decided; `source` columns point into `sources`.

    Columns and not objects, because the engine decides 100,000 beats a second and most callers only copy
    them on; processors/rows.py turns them into the dataclasses of `schemas`.
    """

    sources: tuple[Source, ...]
    beats: NDArray[Any]
    metrics: NDArray[Any]
    episodes: NDArray[Any]
    engine_version: str
