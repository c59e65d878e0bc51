"""Columns become dataclasses: absent figures None, numbers their names."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from processors import rows
from schemas import rhythms
from schemas.quality import LeadQuality
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source

SOURCE = Source(UUID(int=1), UUID(int=2), ("II", "V1"))


def results() -> Results:
    beat = np.zeros(1, BEAT_DTYPE)
    beat["r_index"], beat["beat_class"], beat["rr_ms"], beat["pr_ms"] = 500, "V", 800.0, np.nan
    beat["p_onset"], beat["qrs_onset"] = -1, 480
    metric = np.zeros(2, METRICS_DTYPE)
    metric["heart_rate_bpm"], metric["rhythm"] = [75.0, np.nan], [0, -1]
    metric["qtc_hodges_ms"], metric["t_axis_deg"], metric["main_lead"] = [410.0, np.nan], [-30.0, np.nan], [1, -1]
    metric["lead_quality"], metric["lead_flags"][0, :2] = np.nan, [0, 0b10001]
    metric["lead_quality"][0, :2] = [0.75, 0.25]
    episode = np.zeros(1, EPISODE_DTYPE)
    episode["rhythm"], episode["state"] = rhythms.LABELS.index(rhythms.PAUSE), 2
    return Results((SOURCE,), beat, metric, episode, "fast-1")


def test_a_beat_keeps_its_figures_and_loses_absent_ones() -> None:
    (beat,) = rows.beats(results())
    assert (beat.device_id, beat.recording_id, beat.r_index) == (SOURCE.device_id, SOURCE.recording_id, 500)
    assert (beat.beat_class, beat.rr_ms, beat.pr_ms, beat.engine_version) == ("V", 800.0, None, "fast-1")
    assert (beat.fiducials.p_onset, beat.fiducials.qrs_onset) == (None, 480)


def test_metrics_name_their_rhythm_or_none() -> None:
    first, second = rows.metrics(results())
    assert (first.heart_rate_bpm, first.arrhythmia_type) == (75.0, rhythms.NORMAL)
    assert (second.heart_rate_bpm, second.arrhythmia_type) == (None, None)


def test_metrics_tell_each_lead_of_the_recording_and_the_one_measured_on() -> None:
    first, second = rows.metrics(results())
    assert first.leads == (LeadQuality("II", 0.75), LeadQuality("V1", 0.25, ("missing", "noise")))
    assert (first.main_lead, first.qtc_hodges_ms, first.t_axis_deg) == ("V1", 410.0, -30.0)
    assert (second.leads, second.main_lead, second.qtc_hodges_ms, second.t_axis_deg) == ((), None, None, None)


def test_an_episode_names_its_label_and_state() -> None:
    (episode,) = rows.episodes(results())
    assert (episode.label, episode.state) == (rhythms.PAUSE, "closed")


def test_values_are_plain_python() -> None:
    (beat,) = rows.beats(results())
    assert {type(v) for v in (beat.r_index, beat.confidence, beat.beat_class)} == {int, float, str}
