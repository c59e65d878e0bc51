"""The reference engine keeps the fast engine's contract and fills the same columns, on neurokit2."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from processors.ecg.engines import EngineName, engine
from processors.ecg.episodes import CLOSED, OPENED, UPDATED
from processors.ecg.interface import StateMismatch
from processors.ecg.rhythm import BRADYCARDIA, IRREGULAR, NOISE, NORMAL, PAUSE, TACHYCARDIA
from schemas.beats import Fiducials
from schemas.metrics import FIGURES
from schemas.samples import MISSING, SampleBlock

from .signals import STARTED_AT_US, UV_PER_LSB, Output, cut, ecg, every, many_leads, of_device, regular, run

REFERENCE = engine("neurokit2")
ENGINES: tuple[EngineName, ...] = ("fast", "neurokit2")


def seconds_of(output: Output) -> list[int]:
    return [int(us - STARTED_AT_US) // 1_000_000 for us in output.metrics["window_start_us"]]


def states(output: Output, label: int) -> list[int]:
    return [int(e["state"]) for e in output.episodes if e["rhythm"] == label]


def eventful() -> list[SampleBlock]:
    """Two leads of which one and then both are missing, a short gap, a long one, a clock that moves."""
    rows = many_leads(ecg(regular(75, 30), 30), 2)
    rows[0, 5 * 250 : 7 * 250] = MISSING
    rows[:, 9 * 250 : 9 * 250 + 100] = MISSING
    parts = ((0, 3100, 0, 0), (3100, 5200, 70, 60_000), (5200, 7500, 1000, 60_000))
    return [
        cut(rows[:, low:high], [0, high - low], first=low + gap, ahead_us=ahead)[0] for low, high, gap, ahead in parts
    ]


def recut(blocks: list[SampleBlock], size: int) -> list[SampleBlock]:
    """The same samples in blocks of at most `size`."""
    return [
        replace(
            block,
            samples=block.samples[:, at : at + size],
            first_index=block.first_index + at,
            started_at_us=block.started_at_us + at * 4000,
        )
        for block in blocks
        for at in range(0, block.count, size)
    ]


def test_block_length_changes_no_bit() -> None:
    whole = run(REFERENCE, eventful())
    assert len(whole.beats) > 25
    for size in (10, 777):
        assert run(REFERENCE, recut(eventful(), size)).bits == whole.bits


def test_a_saved_state_changes_no_bit() -> None:
    blocks = recut(eventful(), 400)
    state = REFERENCE.new_state()
    results = []
    for block in blocks:
        step = REFERENCE.step([block], state)
        results.append(step.results)
        state = REFERENCE.load(REFERENCE.dump(step.state))
    results.append(REFERENCE.close([UUID(int=1)], state).results)
    assert of_device(results).bits == run(REFERENCE, blocks).bits


def test_other_devices_in_the_batch_change_no_bit() -> None:
    blocks = every(250, ecg(regular(75, 12), 12))
    others = [every(360, ecg(regular(100, 12), 12, 360.0), device=number, rate_hz=360.0) for number in (2, 3)]
    mixed = [block for second in zip(*others, blocks, strict=True) for block in second]
    assert run(REFERENCE, mixed, per_step=5).bits == run(REFERENCE, blocks).bits


def test_every_beat_is_found_at_its_place_in_time() -> None:
    times = regular(75, 20)
    found = run(REFERENCE, every(250, ecg(times, 20))).beats
    assert np.abs(found["r_index"] - times * 250).max() <= 2
    assert (found["at_us"] == STARTED_AT_US + found["r_index"] * 4000).all()
    assert (found["confidence"] > 90).all()
    assert set(found["beat_class"]) == {"N"}


@pytest.mark.parametrize("name", ENGINES)
def test_either_engine_fills_every_column_where_beats_are_clean(name: EngineName) -> None:
    output = run(engine(name), every(250, many_leads(ecg(regular(75, 20), 20), 2), leads=("I", "II")))
    row, beat = output.metrics[-3], output.beats[-4]
    assert [figure for figure in FIGURES if np.isnan(row[figure])] == []
    assert [mark for mark in Fiducials.__slots__ if beat[mark] < 0] == []
    assert np.isfinite(row["lead_quality"]).tolist() == [True] * 2 + [False] * 10
    assert row["main_lead"] == 1


def test_intervals_and_levels_are_those_of_the_signal() -> None:
    lead = ecg(regular(75, 20), 20)
    t = np.arange(len(lead)) / 250
    for r in regular(75, 20):
        lead[(t > r + 0.06) & (t < r + 0.14)] += round(200 / UV_PER_LSB)  # 0.2 mV from J to the T wave
    row = run(REFERENCE, every(250, np.stack([lead, lead]), leads=("I", "aVF"))).metrics[-3]
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.5)
    assert row["pr_ms"] == pytest.approx(190, abs=40)
    assert row["st_mv"] == pytest.approx(0.2, abs=0.05)
    assert row["qrs_axis_deg"] == pytest.approx(49, abs=2)


def test_qt_is_corrected_after_all_four() -> None:
    row = run(REFERENCE, every(250, ecg(regular(75, 20), 20))).metrics[-3]
    qt, rr_s = float(row["qt_ms"]), float(row["rr_ms"]) / 1000
    assert qt == pytest.approx(390, abs=40)
    assert row["qtc_ms"] == pytest.approx(qt / rr_s ** (1 / 3), abs=0.1)
    assert row["qtc_bazett_ms"] == pytest.approx(qt / rr_s**0.5, abs=0.1)
    assert row["qtc_framingham_ms"] == pytest.approx(qt + 154 * (1 - rr_s), abs=0.1)
    assert row["qtc_hodges_ms"] == pytest.approx(qt + 1.75 * (60 / rr_s - 60), abs=0.1)


def test_metrics_come_once_a_second_two_seconds_after_it() -> None:
    state = REFERENCE.new_state()
    for block in every(250, ecg(regular(75, 12), 12)):
        metrics = REFERENCE.step([block], state).results.metrics
        now_s = block.end_index // 250
        assert len(metrics) == {6: 4}.get(now_s, int(now_s > 6))
        assert all(us == STARTED_AT_US + (now_s - 3) * 1_000_000 for us in metrics["window_start_us"][-1:])


def test_neither_a_gap_nor_a_hole_makes_an_interval_and_a_short_one_loses_no_second() -> None:
    output = run(REFERENCE, eventful())
    assert np.nanmax(output.beats["rr_ms"]) < 1000
    assert seconds_of(output) == [*range(22), *range(24, 34)]  # the long gap holds seconds 22 and 23


def test_no_second_is_given_for_a_long_gap() -> None:
    samples = ecg(regular(60, 40), 40)
    output = run(REFERENCE, [b for b in every(250, samples) if not 12 <= b.first_index // 250 < 25])
    after = output.beats[output.beats["r_index"] >= 25 * 250][0]
    assert np.isnan(after["rr_ms"])
    assert seconds_of(output) == [*range(12), *range(25, 40)]


@pytest.mark.parametrize("change", [{"recording": 1002}, {"leads": ("V1",)}, {"uv_per_lsb": 3.0}])
def test_another_recording_lead_or_gain_ends_the_recording(change: dict[str, object]) -> None:
    samples = ecg(regular(75, 10), 10)
    blocks = [*every(250, samples), *every(250, samples, **{"first": 2500, **change})]
    state = REFERENCE.new_state()
    results = REFERENCE.step(blocks, state).results
    before = results.beats[results.beats["r_index"] < 2500]
    assert len(before) == len(regular(75, 10))
    assert results.episodes["state"].tolist()[1] == CLOSED


def test_time_follows_a_device_clock_that_runs_away() -> None:
    blocks = every(250, ecg(regular(75, 12), 12))
    moved = [b if i < 6 else replace(b, started_at_us=b.started_at_us + 60_000) for i, b in enumerate(blocks)]
    jitter = [replace(b, started_at_us=b.started_at_us + (i % 2) * 40_000) for i, b in enumerate(blocks)]
    plain, shifted = run(REFERENCE, blocks).beats, run(REFERENCE, moved).beats
    assert (shifted["at_us"] - plain["at_us"] == np.where(plain["r_index"] < 1500, 0, 60_000)).all()
    assert (run(REFERENCE, jitter).beats["at_us"] == plain["at_us"]).all()


@pytest.mark.parametrize(("bpm", "label"), [(50, BRADYCARDIA), (75, NORMAL), (130, TACHYCARDIA)])
def test_the_rate_names_an_even_rhythm_opened_updated_and_closed_once(bpm: float, label: int) -> None:
    output = run(REFERENCE, every(250, ecg(regular(bpm, 22), 22)))
    assert output.metrics["rhythm"][-2] == label
    assert states(output, label) == [OPENED, UPDATED, CLOSED]
    assert len(set(output.episodes["first_r_index"])) == 1


def test_uneven_intervals_are_no_sinus_rhythm() -> None:
    times = 0.5 + np.cumsum(np.random.default_rng(11).uniform(0.42, 1.05, 30))
    assert run(REFERENCE, every(250, ecg(times, 22))).metrics["rhythm"][-3] == IRREGULAR


def test_a_pause_is_stated_while_it_lasts_and_closed_by_the_beat_that_ends_it() -> None:
    times = np.concatenate([regular(72, 9), 14.2 + regular(72, 8)])
    output = run(REFERENCE, every(250, ecg(times, 22)))
    assert states(output, PAUSE) == [OPENED, CLOSED]
    episode = output.episodes[output.episodes["rhythm"] == PAUSE][-1]
    assert episode["ended_at_us"] - episode["started_at_us"] == pytest.approx(1e6 * np.diff(times).max(), abs=8_000)


@pytest.mark.parametrize("value", [17, 32767, MISSING])
def test_a_signal_that_cannot_be_read_is_called_that_and_states_nothing_else(value: int) -> None:
    lead = np.concatenate([ecg(regular(75, 10), 10), np.full(2500, value, np.int16)])
    output = run(REFERENCE, every(250, lead))
    late = output.metrics[14:-1]
    assert (late["rhythm"] == NOISE).all()
    assert np.isnan(late["heart_rate_bpm"]).all()
    assert states(output, NOISE) == [OPENED, CLOSED]
    assert (output.beats["r_index"] < 2510).all()  # a step is a beat to neurokit2


def test_the_clearer_lead_is_measured() -> None:
    times = regular(75, 14)
    noise = np.random.default_rng(4).normal(0, 400, 3500).astype(np.int16)
    output = run(REFERENCE, every(250, np.stack([noise, ecg(times, 14)])))
    assert (output.metrics["main_lead"][2:] == 1).all()
    late = output.beats["r_index"][output.beats["r_index"] > 750]
    assert np.abs(late - times[times > 3] * 250).max() <= 2


def test_a_device_that_is_closed_is_forgotten() -> None:
    state = REFERENCE.new_state()
    REFERENCE.step(every(250, ecg(regular(75, 7), 7)), state)
    last = REFERENCE.close([UUID(int=1), UUID(int=999)], state).results
    assert len(last.beats) > 0
    assert not state


@pytest.mark.parametrize("damage", ["other engine", "cut", "changed"])
def test_foreign_or_damaged_state_is_refused(damage: str) -> None:
    state = REFERENCE.new_state()
    REFERENCE.step(every(250, ecg(regular(75, 5), 5)), state)
    data = REFERENCE.dump(state)
    other = engine("fast")
    bad = {"other engine": other.dump(other.new_state()), "cut": data[:-9], "changed": data[:60] + b"xx" + data[62:]}
    with pytest.raises(StateMismatch, match="start from an empty state"):
        REFERENCE.load(bad[damage])
