"""Everything that travels, drawn by Hypothesis within its contract."""

from __future__ import annotations

from dataclasses import fields
from typing import Final
from uuid import UUID

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from schemas.alarms import AlarmEvent
from schemas.beats import Beat, Fiducials
from schemas.metrics import FIGURES as METRIC_FIGURES
from schemas.metrics import Metrics
from schemas.quality import FLAGS, LeadQuality
from schemas.reports import ReportEvent
from schemas.rhythms import LABELS, RhythmEpisode
from schemas.samples import LEADS, MAX_LEADS, Lead, SampleBlock

MOMENTS_US = st.integers(0, 2**52)
INDEXES = st.integers(0, 2**53)
FIGURES = st.floats(allow_nan=False, width=32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

BLOCK = SampleBlock(
    device_id=UUID(int=1),
    recording_id=UUID(int=2),
    first_index=500,
    started_at_us=1_700_000_000_000_000,
    rate_hz=250.0,
    leads=("I", "II"),
    uv_per_lsb=(5.0, 2.5),
    samples=np.arange(20, dtype=np.int16).reshape(2, 10),
    received_at_us=1_700_000_000_100_000,
)


METRICS_LEADS: Final[tuple[Lead, ...]] = ("MLII", "V1", "V5")


@st.composite
def blocks(draw: st.DrawFn) -> SampleBlock:
    """A block that keeps the contract: any leads, any samples (missing ones too), a recording begun after 1900."""
    leads = draw(st.lists(st.sampled_from(LEADS), min_size=1, max_size=MAX_LEADS, unique=True))
    count = draw(st.integers(1, 50))
    return SampleBlock(
        device_id=draw(st.uuids()),
        recording_id=draw(st.uuids()),
        first_index=draw(st.integers(0, 2**37)),
        started_at_us=draw(st.integers(0, 2**52)),
        rate_hz=draw(st.floats(100, 1000)),
        leads=tuple(leads),
        uv_per_lsb=tuple(draw(st.lists(st.floats(1e-6, 1e6), min_size=len(leads), max_size=len(leads)))),
        samples=draw(arrays(np.int16, (len(leads), count))),
        received_at_us=draw(MOMENTS_US),
    )


def beat_lists() -> st.SearchStrategy[list[Beat]]:
    """The beats of one recording: what a BeatBatch may hold."""
    marks = st.builds(Fiducials, **{field.name: st.none() | INDEXES for field in fields(Fiducials)})
    names = ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")
    beat = st.builds(
        Beat,
        device_id=st.just(UUID(int=1)),
        recording_id=st.just(UUID(int=2)),
        r_index=INDEXES,
        at_us=MOMENTS_US,
        beat_class=st.sampled_from("NSVFQ"),
        confidence=FIGURES,
        engine_version=st.just("fast-1"),
        fiducials=marks,
        **{name: st.none() | FIGURES for name in names},
    )
    return st.lists(beat, min_size=1, max_size=8)


def metrics() -> st.SearchStrategy[Metrics]:
    """Any second of any device whose recordings have the leads METRICS_LEADS; not all of them need be told."""
    flags = st.sets(st.sampled_from(FLAGS)).map(lambda chosen: tuple(flag for flag in FLAGS if flag in chosen))
    told = st.tuples(*(st.none() | st.builds(LeadQuality, st.just(lead), FIGURES, flags) for lead in METRICS_LEADS))
    return st.builds(
        Metrics,
        device_id=st.just(UUID(int=1)) | st.uuids(),
        recording_id=st.just(UUID(int=2)),
        window_start_us=MOMENTS_US,
        engine_version=st.just("fast-1"),
        arrhythmia_type=st.none() | st.sampled_from(LABELS),
        arrhythmia_confidence=FIGURES,
        quality=FIGURES,
        main_lead=st.none() | st.sampled_from(METRICS_LEADS),
        leads=told.map(lambda leads: tuple(lead for lead in leads if lead is not None)),
        **{name: st.none() | FIGURES for name in METRIC_FIGURES},
    )


def episodes() -> st.SearchStrategy[RhythmEpisode]:
    """Any episode in any state."""
    moments = {"started_at_us": MOMENTS_US, "ended_at_us": MOMENTS_US}
    return st.builds(RhythmEpisode, first_r_index=INDEXES, label=TEXTS, confidence=FIGURES, **moments)


def alarms() -> st.SearchStrategy[AlarmEvent]:
    """Any alarm in any state."""
    moments = {"began_at_us": MOMENTS_US, "raised_at_us": MOMENTS_US}
    later = {name: st.none() | MOMENTS_US for name in ("ended_at_us", "acknowledged_at_us")}
    figures = {name: st.none() | FIGURES for name in ("value", "limit", "confidence")}
    people = {name: st.none() | st.uuids() for name in ("user_id", "acknowledged_by")}
    return st.builds(AlarmEvent, kind=TEXTS, **moments, **later, **figures, **people)


def report_events() -> st.SearchStrategy[ReportEvent]:
    """Any report event in any state."""
    moments = {"period_start_us": MOMENTS_US, "period_end_us": MOMENTS_US}
    return st.builds(ReportEvent, detail=TEXTS, **moments)
