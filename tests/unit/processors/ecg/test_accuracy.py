"""Floors of what the engine finds on named records, the whole record streamed; docs/accuracy.md has all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.accuracy.beat_runs import engine_detector, run_beats
from bench.accuracy.beats import BeatScore
from bench.accuracy.boundaries import PointTotal
from bench.accuracy.conditions import Condition
from bench.accuracy.databases import open_database
from bench.accuracy.wave_runs import engine_delineator, run_waves

pytestmark = pytest.mark.data

LEAD_0 = {  # record: Se %, PPV %
    "100": (99.95, 99.95), "101": (99.9, 99.9), "103": (99.95, 99.95), "106": (99.9, 99.9), "108": (99.7, 99.7),
    "118": (99.95, 99.95), "200": (99.9, 99.85), "203": (99.4, 99.3), "207": (99.8, 99.7), "208": (99.6, 99.75),
    "209": (99.9, 99.9), "222": (99.5, 99.85), "223": (99.95, 99.95), "228": (99.9, 99.5),
}  # fmt: skip
ALL_LEADS = {
    "100": (99.95, 99.95), "103": (99.95, 99.95), "108": (99.8, 99.6), "200": (99.9, 99.6), "203": (99.4, 99.3),
    "208": (99.6, 99.7), "222": (99.8, 99.9), "228": (99.7, 99.8),
}  # fmt: skip
AT_250_HZ = {"100": (99.95, 99.95), "208": (99.5, 99.75)}
IN_NOISE = {"118e06": (98.0, 91.0), "118e00": (90.5, 79.0)}
IN_NOISE_ALL_LEADS = {"118e06": (99.9, 98.5), "118e00": (95.5, 85.5)}

OFFSET_MS = 6.0

BOUNDARY_RECORDS = ("sel123", "sel16272", "sel230", "sel803", "sele0122")
"""Of the half that nothing was chosen on."""
BOUNDARIES = {  # point: found %, largest mean either way and largest sd in ms, over all beats of these records
    "p_onset": (99.0, 5.0, 16.0), "p_offset": (99.0, 7.0, 16.0),
    "qrs_onset": (99.5, 4.0, 18.0), "qrs_offset": (99.5, 4.0, 12.0),
    "t_peak": (99.5, 10.0, 13.0), "t_offset": (99.5, 11.0, 16.0),
}  # fmt: skip


def scored(data: Path, db: str, record: str, condition: Condition) -> BeatScore:
    return run_beats(open_database(data, db, [record]), condition, engine_detector()).scores[0]


def assert_above(score: BeatScore, floors: tuple[float, float]) -> None:
    assert score.sensitivity >= floors[0]
    assert score.predictivity >= floors[1]


@pytest.mark.parametrize("record", LEAD_0)
def test_beats_are_found_on_the_first_lead_of(recordings: Path, record: str) -> None:
    score = scored(recordings, "mitdb", record, Condition(lead=0))
    assert_above(score, LEAD_0[record])
    assert score.offset_ms is not None
    assert abs(score.offset_ms) <= OFFSET_MS


@pytest.mark.parametrize("record", ALL_LEADS)
def test_beats_are_found_on_both_leads_of(recordings: Path, record: str) -> None:
    score = scored(recordings, "mitdb", record, Condition())
    assert_above(score, ALL_LEADS[record])


@pytest.mark.parametrize("record", AT_250_HZ)
def test_beats_are_found_at_250_hz_on(recordings: Path, record: str) -> None:
    score = scored(recordings, "mitdb", record, Condition(lead=0, rate_hz=250.0))
    assert_above(score, AT_250_HZ[record])


@pytest.mark.parametrize("record", IN_NOISE)
def test_beats_are_found_in_the_noise_of(recordings: Path, record: str) -> None:
    score = scored(recordings, "nstdb", record, Condition(lead=0))
    assert_above(score, IN_NOISE[record])


@pytest.mark.parametrize("record", IN_NOISE_ALL_LEADS)
def test_beats_are_found_by_two_leads_in_the_noise_of(recordings: Path, record: str) -> None:
    score = scored(recordings, "nstdb", record, Condition())
    assert_above(score, IN_NOISE_ALL_LEADS[record])


@pytest.fixture(scope="module")
def boundaries(recordings: Path) -> dict[str, PointTotal]:
    """Of the named records, by both leads together."""
    run = run_waves(open_database(recordings, "qtdb", BOUNDARY_RECORDS), "all leads", engine_delineator())
    return {total.point: total for total in run.totals("held back")}


@pytest.mark.parametrize("point", BOUNDARIES)
def test_boundaries_are_where_cardiologists_see_them(boundaries: dict[str, PointTotal], point: str) -> None:
    found, mean_ms, sd_ms = BOUNDARIES[point]
    total = boundaries[point]
    assert total.found >= found
    assert total.mean_ms is not None
    assert abs(total.mean_ms) <= mean_ms
    assert total.sd_ms is not None
    assert total.sd_ms <= sd_ms
