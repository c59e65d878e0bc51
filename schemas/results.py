"""What a step gives: columns of beats, metrics and episodes, one numpy record per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """The recording a row is about, and its leads in their order.

    Its ids as text and as bytes are made once for the whole recording: Kafka and the database want them every second.
    """

    device_id: UUID
    recording_id: UUID
    leads: tuple[Lead, ...]
    device_text: str = field(init=False, repr=False, compare=False)
    recording_text: str = field(init=False, repr=False, compare=False)
    device_bytes: bytes = field(init=False, repr=False, compare=False)
    recording_bytes: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value in (("device", self.device_id), ("recording", self.recording_id)):
            object.__setattr__(self, f"{name}_text", str(value))  # the class is frozen
            object.__setattr__(self, f"{name}_bytes", value.bytes)


@dataclass(frozen=True, slots=True)
class Results:
    """Rows in the order they were decided; `source` columns point into `sources`.

    Columns and not objects, because the engine decides 100,000 beats a second and most callers only copy them on:
    to the database (storage/beats.py, metrics_rows.py) and to Kafka (codec_results.py) they go as they are, and
    processors/rows.py turns them into the dataclasses of `schemas` for who wants to look at them one by one.
    """

    sources: tuple[Source, ...]
    beats: NDArray[Any]
    metrics: NDArray[Any]
    episodes: NDArray[Any]
    engine_version: str


def merged(parts: Sequence[Results]) -> Results:
    """The rows of all parts, at least one, in their order; all of one engine version."""
    if len(parts) == 1:
        return parts[0]
    counts = [len(part.sources) for part in parts]
    offsets = np.cumsum([0, *counts[:-1]])
    return Results(
        sources=tuple(source for part in parts for source in part.sources),
        beats=_joined([part.beats for part in parts], offsets),
        metrics=_joined([part.metrics for part in parts], offsets),
        episodes=_joined([part.episodes for part in parts], offsets),
        engine_version=parts[0].engine_version,
    )


def _joined(tables: Sequence[NDArray[Any]], offsets: NDArray[np.int64]) -> NDArray[Any]:
    joined = np.concatenate(tables)
    joined["source"] += np.repeat(offsets, [table.size for table in tables]).astype("i4")
    return joined
