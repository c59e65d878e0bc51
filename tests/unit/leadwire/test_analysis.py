"""What `leadwire analyze` tells of a record is the middle of what was measured."""

from __future__ import annotations

import json
from uuid import UUID

import numpy as np
import pytest

from ingest.sources import RecordSource
from leadwire.analysis import Analyzed
from processors.analysis import Analysis
from schemas.beats import Beat, BeatClass
from schemas.metrics import Metrics
from schemas.quality import LeadQuality

RECORD = RecordSource("made", 250.0, ("II", "V1"), (5.0, 5.0), np.zeros((2, 750), np.int16))
LETTERS: tuple[BeatClass, ...] = ("N", "V", "V", "N")


def second(number: int, axis: float, v1: LeadQuality) -> Metrics:
    return Metrics(
        UUID(int=1), UUID(int=2), number * 1_000_000, "fast-1", qtc_bazett_ms=400.0 + 10 * number, t_axis_deg=axis,
        main_lead="II" if number else "V1", leads=(LeadQuality("II", 1.0), v1),
    )  # fmt: skip


@pytest.fixture
def analyzed() -> Analyzed:
    noisy = LeadQuality("V1", 0.25, ("noise", "saturated"))
    seconds = [
        second(0, 170.0, LeadQuality("V1", 0.5)),
        second(1, -179.0, noisy),
        second(2, -170.0, LeadQuality("V1", 0.25, ("noise",))),
    ]
    return Analyzed(RECORD, Analysis("fast-1", metrics=seconds), [])


def intervals(analyzed: Analyzed) -> dict[str, float | None]:
    told: dict[str, float | None] = json.loads(json.dumps(analyzed.as_json()))["intervals"]
    return told


def test_figures_are_medians_and_what_was_not_measured_is_null(analyzed: Analyzed) -> None:
    told = intervals(analyzed)
    assert (told["qtc_bazett_ms"], told["qtc_hodges_ms"]) == (410.0, None)


def test_the_median_of_an_axis_goes_the_short_way_round(analyzed: Analyzed) -> None:
    assert intervals(analyzed)["t_axis_deg"] == -179.0


def test_ectopic_beats_are_told_by_the_hour() -> None:
    beats = [
        Beat(UUID(int=1), UUID(int=2), n, n * 800_000, name, 90.0, "e", rr_ms=800.0) for n, name in enumerate(LETTERS)
    ]
    done = Analyzed(RECORD, Analysis("fast-1", beats=beats), [])
    told = json.loads(json.dumps(done.as_json()))["burden"]
    assert (told["ventricular"], told["ventricular_per_hour"], told["ventricular_percent"]) == (2, 2400.0, 50.0)
    assert told["ventricular_groups"] == {"couplets": 1, "runs": 0}
    assert [(hour["hour"], hour["beats"]) for hour in told["hours"]] == [(0, 4)]
    assert "V 2400/h; ventricular couplets 1, runs 0" in done.as_text()


def test_each_lead_has_its_mean_quality_and_the_seconds_of_each_flag(analyzed: Analyzed) -> None:
    assert analyzed.as_json()["quality"] == [
        {"lead": "II", "mean": 1.0, "flagged_s": {}},
        {"lead": "V1", "mean": 0.333, "flagged_s": {"noise": 2, "saturated": 1}},
    ]
    assert analyzed.as_json()["main_lead_s"] == {"II": 2, "V1": 1}
