"""What a report tells of a period is what is stored of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from uuid import UUID

import numpy as np
import pytest

from processors.report.content import BeatMark, ReportContent
from processors.report.data import ReportData, content, gather
from schemas.burden import EctopicGroups
from schemas.errors import NotFound
from schemas.reports import ReportEvent
from schemas.rhythms import NORMAL, TACHYCARDIA
from schemas.samples import MISSING, Recording
from tests.storage.made import a_hrv_stretch
from tests.unit.processors.fakes import RATE_HZ, START_US, FakeDatabase
from tests.unit.processors.recorded import AT, DEVICE, NO_ARCHIVE, RECORDING, recorded

HALF_MINUTE = int(30 * RATE_HZ)
RECORDED = Recording(RECORDING, DEVICE, None, START_US, RATE_HZ, ("II",), (5.0,))
EVENT = ReportEvent(UUID(int=5), DEVICE, "requested", START_US, START_US + 30_000_000)


async def told(database: FakeDatabase, event: ReportEvent = EVENT) -> ReportContent:
    return content(await gather(database, NO_ARCHIVE, event))


async def data(database: FakeDatabase, event: ReportEvent = EVENT) -> ReportData:
    return await gather(database, NO_ARCHIVE, event)


async def test_a_report_names_the_patient_the_device_and_the_figures() -> None:
    report = await told(recorded((0, HALF_MINUTE)))
    assert (report.patient.name, report.patient.age, report.device.serial) == ("Ann Example", 61, "S1")
    assert (report.figures.heart_rate_mean_bpm, report.figures.qtc_ms, report.figures.st_mv) == (71.6, 420.0, -0.05)
    assert (report.figures.qtc_bazett_ms, report.figures.qtc_framingham_ms, report.figures.qtc_hodges_ms) == (
        438.2, 417.1, 415.6,
    )  # fmt: skip
    assert (report.figures.st80_mv, report.figures.p_axis_deg, report.figures.t_axis_deg) == (-0.04, 52.0, 38.0)
    assert (report.analysed_s, report.quality, report.engine_version) == (30.0, 0.9, "e-1")


async def test_a_report_of_no_kept_second_names_the_engine_of_its_beats() -> None:
    assert (await told(recorded((0, HALF_MINUTE), peak_s=None))).engine_version == "e-1"


async def test_a_report_counts_beats_and_seconds_of_each_rhythm_that_was_stated() -> None:
    report = await told(recorded((0, HALF_MINUTE)))
    assert report.beat_counts == {"N": 30, "V": 2}
    assert [(share.label, share.seconds) for share in report.rhythms] == [(NORMAL, 25)]
    assert [(e.label, e.started_at_us) for e in report.episodes] == [
        (NORMAL, START_US),
        (TACHYCARDIA, START_US + 15_000_000),
    ]


async def test_a_report_tells_groups_of_ectopic_beats_of_all_hours() -> None:
    hours = [{"bucket": AT, "beat_class": name, "couplets": 2, "runs": 1} for name in ("S", "V", "V")]
    report = await told(recorded((0, HALF_MINUTE), groups=hours))
    assert report.ectopic_groups == {"S": EctopicGroups(2, 1), "V": EctopicGroups(4, 2)}


async def test_a_report_tells_medians_of_stretches_with_figures() -> None:
    stretch = asdict(a_hrv_stretch(RECORDED))
    stretches = [stretch | {"sdnn_ms": sdnn_ms, "lf_hf": None} for sdnn_ms in (40.0, 60.0, 41.0)]
    refused = stretch | {"sdnn_ms": None, "reason": "little_nn"}
    report = await told(recorded((0, HALF_MINUTE), hrv=[*stretches, refused]))
    assert report.hrv is not None
    assert (report.hrv.stretches, report.hrv.refused) == (3, 1)
    assert (report.hrv.figures["sdnn_ms"], report.hrv.figures["lf_hf"]) == (41.0, None)
    assert (await told(recorded((0, HALF_MINUTE)))).hrv is None


async def test_each_strip_says_why_it_is_shown_and_they_come_in_order() -> None:
    report = await told(recorded((0, HALF_MINUTE)))
    assert [strip.title for strip in report.strips] == ["Start of the period", "Highest heart rate"]
    assert (await told(recorded((0, HALF_MINUTE), peak_s=None))).strips[1].title == TACHYCARDIA


async def test_a_strip_shows_the_samples_and_their_beats() -> None:
    strip = (await told(recorded((0, HALF_MINUTE)))).strips[0]
    assert (strip.first_index, strip.count, strip.leads, strip.uv_per_lsb) == (0, 2500, ("II",), (5.0,))
    assert np.array_equal(strip.samples[0], np.arange(2500))
    assert strip.beats == (BeatMark(300, "V"),)


async def test_what_never_came_is_missing_in_a_strip_and_not_a_line() -> None:
    strip = (await told(recorded((0, 500), (1000, HALF_MINUTE)))).strips[0]
    assert (strip.samples[0, 500:1000] == MISSING).all()
    assert (strip.samples[0, :500] != MISSING).all()


@pytest.mark.parametrize(
    ("end", "reached"), [(HALF_MINUTE, True), (HALF_MINUTE - 250, True), (HALF_MINUTE - 500, False)]
)
async def test_the_end_is_reached_when_the_last_block_is_stored(end: int, reached: bool) -> None:
    assert (await data(recorded((0, end)))).reaches_end is reached


async def test_a_device_of_nobody_has_a_nameless_patient() -> None:
    database = recorded((0, HALF_MINUTE))
    database.answers["FROM devices AS d"] = [{**database.answers["FROM devices AS d"][0], "user_id": None}]
    assert (await told(database)).patient.name is None


async def test_a_period_in_which_nothing_came_has_no_strips_and_no_figures() -> None:
    nothing = recorded(peak_s=None, labels=[], counts=[], episodes=[], beats=[])
    report = await told(nothing)
    assert (report.strips, report.rhythms, dict(report.beat_counts), report.engine_version) == ((), (), {}, "")


async def test_a_report_of_an_unknown_device_is_not_found() -> None:
    with pytest.raises(NotFound, match=f"no device {DEVICE}"):
        await gather(FakeDatabase(), NO_ARCHIVE, EVENT)


async def test_the_same_rows_give_the_same_report() -> None:
    one, two = [await told(recorded((0, HALF_MINUTE))) for _ in range(2)]
    assert repr(replace(one, created_at_us=0)) == repr(replace(two, created_at_us=0))
