"""The PDF report: true to scale, complete, the same twice, and never in need of a perfect patient."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.report.content import (
    BeatMark,
    DeviceIdentity,
    Episode,
    Figures,
    HrvMedians,
    Patient,
    ReportContent,
    RhythmShare,
    Strip,
)
from processors.report.pdf import render
from processors.report.text import duration, figure
from schemas.burden import EctopicGroups
from schemas.rhythms import IRREGULAR, NORMAL
from schemas.samples import LEADS, MISSING
from tests.unit.processors.report.pdf_drawing import Stroke, page_texts, reader, strokes

START_US = 1_767_225_600_000_000  # 2026-01-01 00:00:00 UTC
RATE_HZ = 250.0
EMPTY = ReportContent(UUID(int=1), START_US, "fast-1.2.3", START_US, START_US + 60_000_000)


def spikes(leads: int = 1, seconds: float = 10.0, millivolts: float = 1.0) -> NDArray[np.int16]:
    """A flat line with one sample of so many mV at each whole second, 5 µV to the unit."""
    samples = np.zeros((leads, int(seconds * RATE_HZ)), np.int16)
    samples[:, :: int(RATE_HZ)] = round(millivolts * 1000 / 5)
    return samples


def strip(samples: NDArray[np.int16], *, beats: tuple[BeatMark, ...] = (), title: str = "Start") -> Strip:
    leads = len(samples)
    return Strip(title, LEADS[:leads], RATE_HZ, (5.0,) * leads, samples, 1000, START_US, beats)


def with_strips(*strips: Strip) -> ReportContent:
    return replace(EMPTY, strips=strips)


def traces(pdf: bytes, page: int = 0) -> list[Stroke]:
    """The signal: the strokes of many points that are no grid (whose runs have two each)."""
    return [stroke for stroke in strokes(pdf, page) if max(map(len, stroke.runs), default=0) > 20]


def grids(pdf: bytes) -> list[Stroke]:
    return [stroke for stroke in strokes(pdf) if len(stroke.runs) > 20 and all(len(run) == 2 for run in stroke.runs)]


def test_a_second_is_25_mm() -> None:
    (trace,) = traces(render(with_strips(strip(spikes()))))
    (run,) = trace.runs
    peaks = run[run[:, 1] > run[:, 1].max() - 0.01]
    assert np.diff(peaks[:, 0]) == pytest.approx([25.0] * 9, abs=0.001)


def test_a_millivolt_is_10_mm() -> None:
    (trace,) = traces(render(with_strips(strip(spikes(millivolts=1.5)))))
    assert np.ptp(trace.runs[0][:, 1]) == pytest.approx(15.0, abs=0.001)


def test_each_lead_is_drawn_with_its_own_gain() -> None:
    two = replace(strip(spikes(leads=2)), uv_per_lsb=(5.0, 2.5))
    heights = [np.ptp(trace.runs[0][:, 1]) for trace in traces(render(with_strips(two)))]
    assert heights == pytest.approx([10.0, 5.0], abs=0.001)


def test_the_scale_does_not_depend_on_the_rate() -> None:
    samples = np.zeros((1, 7200), np.int16)
    samples[:, ::720] = 200
    (trace,) = traces(render(with_strips(replace(strip(samples), rate_hz=720.0))))
    peaks = trace.runs[0][trace.runs[0][:, 1] > trace.runs[0][:, 1].max() - 0.01]
    assert np.diff(peaks[:, 0]) == pytest.approx([25.0] * 9, abs=0.001)


@pytest.mark.parametrize(("which", "spacing_mm"), [(0, 1.0), (1, 5.0)])
def test_the_grid_has_squares_of_1_and_5_mm(which: int, spacing_mm: float) -> None:
    grid = grids(render(with_strips(strip(spikes()))))[which]
    columns = sorted({round(run[0, 0], 4) for run in grid.runs if run[0, 0] == run[1, 0]})
    rows = sorted({round(run[0, 1], 4) for run in grid.runs if run[0, 1] == run[1, 1]})
    assert np.diff(columns) == pytest.approx([spacing_mm] * (len(columns) - 1), abs=0.001)
    assert np.diff(rows) == pytest.approx([spacing_mm] * (len(rows) - 1), abs=0.001)


def test_the_baseline_lies_on_a_heavy_grid_line() -> None:
    pdf = render(with_strips(strip(spikes())))
    rows = [run[0, 1] for run in grids(pdf)[1].runs if run[0, 1] == run[1, 1]]
    baseline = np.median(traces(pdf)[0].runs[0][:, 1])
    assert np.abs(np.array(rows) - baseline).min() < 0.001


def test_the_calibration_pulse_is_1_mv_for_200_ms() -> None:
    pulses = [s.runs[0] for s in strokes(render(with_strips(strip(spikes())))) if [len(r) for r in s.runs] == [6]]
    (pulse,) = pulses
    top = pulse[pulse[:, 1] > pulse[:, 1].min() + 1]
    assert np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=0.001)
    assert np.ptp(top[:, 0]) == pytest.approx(5.0, abs=0.001)


def test_missing_samples_stay_blank() -> None:
    samples = spikes()
    samples[:, 1000:1500] = MISSING
    (trace,) = traces(render(with_strips(strip(samples))))
    first, second = trace.runs
    assert second[0, 0] - first[-1, 0] == pytest.approx((1500 - 999) / RATE_HZ * 25, abs=0.001)


def test_a_lead_without_a_signal_says_so() -> None:
    pdf = render(with_strips(strip(np.full((1, 2500), MISSING, np.int16))))
    assert traces(pdf) == []
    assert "no signal" in page_texts(pdf)[0]


def test_a_beat_mark_stands_over_its_peak() -> None:
    pdf = render(with_strips(strip(spikes(), beats=(BeatMark(1000 + 500, "V"),))))
    trace = traces(pdf)[0].runs[0]
    ticks = [run for s in strokes(pdf) for run in s.runs if len(run) == 2 and abs(np.ptp(run[:, 1]) - 1.4) < 0.001]
    assert [tick[0, 0] for tick in ticks] == pytest.approx([trace[500, 0]], abs=0.001)


def test_an_rr_interval_is_stated_but_never_over_a_gap() -> None:
    samples = spikes()
    samples[:, 600:700] = MISSING
    beats = (BeatMark(1000, "N"), BeatMark(1250, "N"), BeatMark(1500, "V"), BeatMark(1750, "N"))
    _, _, after = page_texts(render(with_strips(strip(samples, beats=beats))))[0].partition("RR (ms)")
    assert after.count("1000") == 2


def test_what_exceeds_its_row_is_said_to_be_cut_off() -> None:
    assert "cut off" in page_texts(render(with_strips(strip(spikes(millivolts=8)))))[0]
    assert "cut off" not in page_texts(render(with_strips(strip(spikes(millivolts=2)))))[0]


def test_a_deep_wave_gets_a_baseline_that_shows_it_whole() -> None:
    assert "cut off" not in page_texts(render(with_strips(strip(spikes(millivolts=-1.9)))))[0]


def test_times_of_day_stand_at_whole_seconds_utc() -> None:
    late = replace(strip(spikes()), started_at_us=START_US + 400_000)
    said = page_texts(render(with_strips(late)))[0]
    assert "00:00:01" in said
    assert "UTC" in said


def test_a_long_strip_goes_on_in_further_lines() -> None:
    pdf = render(with_strips(strip(spikes(seconds=25))))
    drawn = [trace.points for page in range(len(reader(pdf).pages)) for trace in traces(pdf, page)]
    assert drawn == [2500, 2500, 1250]


def test_twelve_leads_are_all_drawn() -> None:
    pdf = render(with_strips(strip(spikes(leads=12))))
    assert sum(len(traces(pdf, page)) for page in range(len(reader(pdf).pages))) == 12


def test_two_strips_share_a_page_after_the_first() -> None:
    one = strip(spikes(leads=2))
    assert [len(reader(render(with_strips(*[one] * count))).pages) for count in (0, 1, 2, 3, 4)] == [1, 1, 2, 2, 3]


def test_every_page_is_a4_and_carries_warning_source_and_number() -> None:
    pdf = render(with_strips(*[strip(spikes(leads=2))] * 3))
    size = reader(pdf).pages[0].mediabox
    assert (float(size.width), float(size.height)) == pytest.approx((297 * 72 / 25.4, 210 * 72 / 25.4))
    for number, said in enumerate(page_texts(pdf), start=1):
        assert "Research use: not for diagnosis or primary alarms" in said
        assert f"Engine fast-1.2.3 · Report {EMPTY.report_id}" in " ".join(said.split())
        assert f"Page {number} of 2" in said


def test_a_printer_is_asked_not_to_scale() -> None:
    assert b"/PrintScaling /None" in render(EMPTY)


def test_figures_stand_as_measured() -> None:
    figures = Figures(
        72.4, 51, 133.6, 160.2, 94, 388, qtc_ms=401.5, qtc_bazett_ms=423, qtc_framingham_ms=411, qtc_hodges_ms=407,
        st_mv=-0.042, st80_mv=0.03, p_axis_deg=55, qrs_axis_deg=-30, t_axis_deg=61,
    )  # fmt: skip
    content = replace(
        EMPTY, figures=figures, patient=Patient("Anna Example", 69, "female", "P-17"),
        device=DeviceIdentity("Holter", "SN-4"), rhythms=(RhythmShare(NORMAL, 45), RhythmShare(IRREGULAR, 15)),
        beat_counts={"N": 1234, "V": 7}, analysed_s=54.0, quality=0.93,
    )  # fmt: skip
    said = " ".join(page_texts(render(content))[0].split())
    for expected in (
        "Anna Example", "69 years", "female", "P-17", "Holter", "SN-4", "72", "51", "134", "160", "94", "388",
        "Fridericia 402", "Bazett 423", "Framingham 411", "Hodges 407", "J+60 / J+80 −0.04 / +0.03",
        "P / QRS / T 55 / −30 / 61", "75.0 %", "1 234", "54 s (90 %)", "93 %",
        "2026-01-01 00:00:00 to 2026-01-01 00:01:00 UTC",
    ):  # fmt: skip
        assert expected in said


BURDENED = replace(
    EMPTY, beat_counts={"N": 3990, "S": 2, "V": 8}, analysed_s=1800.0, ectopic_groups={"V": EctopicGroups(3, 1)},
    hrv=HrvMedians(11, 2, {"sdnn_ms": 45.3, "rmssd_ms": 31.2, "lf_hf": 1.584, "dfa_alpha1": None}),
)  # fmt: skip


def test_ectopic_burden_and_variability_stand_beside_each_other() -> None:
    said = " ".join(page_texts(render(BURDENED))[0].split())
    for expected in (
        "Premature atrial 4.0 /h couplets 0 runs 0", "Premature ventricular 16.0 /h couplets 3 runs 1",
        "medians of 11; 2 more without figures", "SDNN 45 ms", "RMSSD 31 ms", "LF/HF 1.58", "DFA α1 –",
    ):  # fmt: skip
        assert expected in said


def test_without_beats_or_stretches_neither_is_there() -> None:
    assert "Ectopic burden" not in page_texts(render(EMPTY))[0]
    assert "Heart rate variability" not in page_texts(render(replace(BURDENED, hrv=None)))[0]


def test_a_strip_of_two_leads_still_fits_on_the_first_page() -> None:
    assert len(reader(render(replace(BURDENED, strips=(strip(spikes(leads=2)),)))).pages) == 1


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    assert [figure(None), figure(float("nan")), figure(float("inf")), figure(-0.001, 2, signed=True)] == [
        "–", "–", "–", "0.00",
    ]  # fmt: skip
    said = page_texts(render(EMPTY))[0]
    assert "Name not given" in said
    assert said.count("–") >= 10


def test_no_strip_is_said_in_words() -> None:
    assert "no strip to show" in page_texts(render(EMPTY))[0]


def test_all_episodes_are_listed_and_the_first_page_says_where() -> None:
    episodes = tuple(
        Episode(IRREGULAR, START_US + i * 60_000_000, START_US + i * 60_000_000 + 12_400_000, 80) for i in range(100)
    )
    first, *rest = page_texts(render(replace(EMPTY, episodes=episodes)))
    assert "first 5 of 100, all from page 2" in first
    assert sum(said.count(IRREGULAR) for said in rest) == 100


def test_few_episodes_need_no_further_page() -> None:
    content = replace(EMPTY, episodes=(Episode(IRREGULAR, START_US, START_US + 12_400_000, 80),))
    (said,) = page_texts(render(content))
    assert "12.4 s" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (12.4, "12.4 s"), (59.96, "1 min"), (60, "1 min"), (200, "3 min 20 s"), (3725, "1 h 02 min")],
)
def test_durations_read_as_a_person_writes_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_equal_content_gives_equal_bytes() -> None:
    content = replace(with_strips(strip(spikes(leads=2))), patient=Patient("Łukasz Петров"))
    assert render(content) == render(replace(content, strips=(strip(spikes(leads=2)),)))


def test_another_engine_version_gives_other_bytes() -> None:
    assert render(EMPTY) != render(replace(EMPTY, engine_version="fast-1.2.4"))


def test_names_of_many_alphabets_are_written_as_they_are() -> None:
    for name in ("Łukasz Żółć", "Αλέξης", "Петров", "Gyűrű Őr"):
        assert name in page_texts(render(replace(EMPTY, patient=Patient(name))))[0]


def test_a_right_to_left_name_is_replaced_and_never_reversed() -> None:
    assert "???? 7" in page_texts(render(replace(EMPTY, patient=Patient("דויד 7"))))[0]


def test_a_very_long_name_is_cut_with_an_ellipsis() -> None:
    said = page_texts(render(replace(EMPTY, patient=Patient("Wolfeschlegel " * 400))))[0]
    assert "…" in said
    assert "Patient ID" in said


@settings(max_examples=40, deadline=None)
@given(name=st.text(), gender=st.text(), serial=st.text(), title=st.text(), version=st.text())
def test_any_text_gives_a_readable_document(name: str, gender: str, serial: str, title: str, version: str) -> None:
    content = replace(
        with_strips(strip(spikes(), title=title)), patient=Patient(name, 1, gender, name),
        device=DeviceIdentity(name, serial), engine_version=version,
    )  # fmt: skip
    assert len(reader(render(content)).pages) == 1


@settings(max_examples=40, deadline=None)
@given(
    data=st.binary(min_size=0, max_size=6000), leads=st.integers(1, 3), rate_hz=st.sampled_from([100.0, 360.0, 1000.0])
)
def test_any_samples_give_a_readable_document(data: bytes, leads: int, rate_hz: float) -> None:
    count = len(data) // 2 // leads
    samples = np.frombuffer(data[: count * 2 * leads], "<i2").reshape(leads, count)
    document = reader(render(with_strips(replace(strip(samples), rate_hz=rate_hz))))
    assert len(document.pages) >= 1
