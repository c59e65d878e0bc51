"""The fast engine's promises: the same bits however samples come, gaps respected, bad signal survived."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from processors.ecg.interface import StateMismatch
from processors.ecg.rhythm import NOISE
from schemas.samples import MISSING, SampleBlock

from .signals import STARTED_AT_US, cut, ecg, every, of_device, regular, run

ENGINE = FastEngine()
_slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def two_leads(seconds: float = 70.0, rate_hz: float = 250.0) -> NDArray[np.int16]:
    beats = regular(83, seconds)
    first = ecg(beats, seconds, rate_hz, wide=range(5, len(beats), 9))
    first[int(20 * rate_hz) : int(22 * rate_hz)] = MISSING
    return np.stack([first, ecg(beats, seconds, rate_hz, noise_mv=0.05) // 2])


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 250.0, 257.3, 360.0, 500.0, 1000.0])
def test_block_length_changes_no_bit(rate_hz: float) -> None:
    samples = two_leads(rate_hz=rate_hz)
    whole = run(ENGINE, every(round(60 * rate_hz), samples, rate_hz=rate_hz))
    assert len(whole.beats) > 80
    for block_s in (0.04, 1.0, 7.77):
        assert run(ENGINE, every(round(block_s * rate_hz), samples, rate_hz=rate_hz)).bits == whole.bits


@_slow
@given(st.lists(st.integers(1, 9999), max_size=30, unique=True), st.integers(0, 29))
def test_neither_cut_points_nor_a_saved_state_change_a_bit(edges: list[int], save_at: int) -> None:
    samples = two_leads(40.0)
    expected = run(ENGINE, every(2500, samples))
    state = ENGINE.new_state()
    results = []
    for i, block in enumerate(cut(samples, [0, *sorted(edges), 10_000])):
        results.append(ENGINE.step([block], state).results)
        if i == save_at:
            state = ENGINE.load(ENGINE.dump(state))
    results.append(ENGINE.close([UUID(int=1)], state).results)
    assert of_device(results).bits == expected.bits


def test_other_devices_in_the_batch_change_no_bit() -> None:
    blocks = every(250, two_leads())
    alone = run(ENGINE, blocks)
    others: list[SampleBlock] = []
    for number in range(2, 30):
        rate = (100.0, 360.0, 500.0)[number % 3]
        others += every(round(rate), ecg(regular(50 + 3 * number, 20), 20, rate), device=number, rate_hz=rate)
    mixed = [*blocks, *others]
    random.Random(5).shuffle(others)  # noqa: S311 - a fixed order, nothing secret
    mixed = [block for pair in zip(blocks, others[: len(blocks)], strict=False) for block in pair]
    in_order = sorted(mixed, key=lambda b: (b.first_index / b.rate_hz, b.device_id.int))
    assert run(ENGINE, in_order, per_step=17).bits == alone.bits


def test_every_beat_is_found_at_its_place_in_time() -> None:
    times = regular(75, 60)
    found = run(ENGINE, every(250, ecg(times, 60))).beats
    assert np.abs(found["r_index"] - times * 250).max() <= 2
    assert (found["at_us"] == STARTED_AT_US + found["r_index"] * 4000).all()


def test_beats_come_within_a_second_and_metrics_soon_after_their_second() -> None:
    state = ENGINE.new_state()
    for block in every(10, ecg(regular(75, 30), 30)):
        results = ENGINE.step([block], state).results
        now_s = block.end_index / 250
        if now_s > 3.5:
            assert all(now_s - r / 250 <= 1.1 for r in results.beats["r_index"])
            assert all(now_s * 1e6 - (w - STARTED_AT_US) <= 2.2e6 for w in results.metrics["window_start_us"])


def test_intervals_are_those_of_the_signal() -> None:
    last = run(ENGINE, every(250, ecg(regular(75, 40), 40))).metrics[-2]
    assert last["heart_rate_bpm"] == pytest.approx(75, abs=0.5)
    assert last["pr_ms"] == pytest.approx(190, abs=40)
    assert last["qrs_ms"] == pytest.approx(95, abs=25)
    assert last["qt_ms"] == pytest.approx(390, abs=40)
    assert last["qtc_ms"] == pytest.approx(last["qt_ms"] / 0.8 ** (1 / 3), abs=1)


def test_no_interval_is_measured_across_a_gap() -> None:
    samples = ecg(regular(60, 60), 60)
    blocks = [b for b in every(250, samples) if not 20 <= b.first_index // 250 < 35]
    output = run(ENGINE, blocks)
    after = output.beats[output.beats["r_index"] >= 35 * 250][0]
    assert np.isnan(after["rr_ms"])
    assert np.nanmax(output.beats["rr_ms"]) < 1100
    seconds = (output.metrics["window_start_us"] - STARTED_AT_US) // 1_000_000
    assert seconds.tolist() == [*range(20), *range(35, 60)]


def test_a_short_gap_loses_no_second_and_gives_none_twice() -> None:
    samples = ecg(regular(60, 20), 20)
    blocks = [*cut(samples, range(0, 2600, 100)), *cut(samples[2650:], range(0, 2301, 50), first=2650)]
    seconds = (run(ENGINE, blocks).metrics["window_start_us"] - STARTED_AT_US) // 1_000_000
    assert seconds.tolist() == list(range(20))


def test_a_hole_in_all_leads_breaks_the_interval() -> None:
    samples = ecg(regular(60, 40), 40)
    samples[10 * 250 : 13 * 250] = MISSING
    output = run(ENGINE, every(250, samples))
    assert np.nanmax(output.beats["rr_ms"]) < 1100
    assert output.metrics["quality"][11] == 0


def test_a_new_recording_ends_the_old_one() -> None:
    samples = ecg(regular(75, 20), 20)
    blocks = [*every(250, samples), *every(250, samples, recording=1002)]
    state = ENGINE.new_state()
    results = ENGINE.step(blocks, state).results
    assert [s.recording_id.int for s in results.sources] == [1001, 1002]
    first = results.beats[results.beats["source"] == 0]
    assert len(first) == len(regular(75, 20))
    assert (results.episodes[results.episodes["source"] == 0]["state"] == 2).any()
    assert len(state.held) == 1


def test_time_follows_a_device_clock_that_runs_away() -> None:
    from dataclasses import replace  # noqa: PLC0415 - only here

    blocks = every(250, ecg(regular(75, 20), 20))
    moved = [b if i < 10 else replace(b, started_at_us=b.started_at_us + 60_000) for i, b in enumerate(blocks)]
    jitter = [replace(b, started_at_us=b.started_at_us + (i % 2) * 40_000) for i, b in enumerate(blocks)]
    plain, shifted = run(ENGINE, blocks).beats, run(ENGINE, moved).beats
    step = shifted["at_us"] - plain["at_us"]
    assert (step == np.where(plain["r_index"] < 2500, 0, 60_000)).all()
    assert (run(ENGINE, jitter).beats["at_us"] == plain["at_us"]).all()


@pytest.mark.parametrize("kind", ["flat", "missing", "railed", "noise"])
def test_a_signal_that_cannot_be_read_is_called_that_and_states_no_rhythm(kind: str) -> None:
    good = ecg(regular(75, 20), 20)
    bad = {
        "flat": np.full(5000, 17, np.int16),
        "missing": np.full(5000, MISSING, np.int16),
        "railed": np.full(5000, 32767, np.int16),
        "noise": np.random.default_rng(3).normal(0, 700, 5000).astype(np.int16),
    }[kind]
    output = run(ENGINE, every(250, np.concatenate([good, bad])))
    late = output.metrics[26:-1]
    assert (late["quality"] < 0.3).all()
    assert (late["rhythm"] == NOISE).all()
    assert np.isnan(late["heart_rate_bpm"]).all()


def test_a_bad_lead_does_not_hide_a_good_one() -> None:
    times = regular(75, 30)
    noise = np.random.default_rng(4).normal(0, 300, 7500).astype(np.int16)
    output = run(ENGINE, every(250, np.stack([noise, ecg(times, 30), np.zeros(7500, np.int16)])))
    settled = output.beats[output.beats["r_index"] > 5 * 250]["r_index"]
    expected = times[times > 5] * 250
    assert len(settled) == len(expected)
    assert np.abs(settled - expected).max() < 12


def test_axis_comes_from_limb_leads_only() -> None:
    lead = ecg(regular(75, 20), 20)
    with_limbs = run(ENGINE, every(250, np.stack([lead, lead]), leads=("I", "aVF")))
    assert with_limbs.metrics[-2]["qrs_axis_deg"] == pytest.approx(49, abs=2)
    assert np.isnan(run(ENGINE, every(250, lead)).metrics["qrs_axis_deg"]).all()


def test_state_stays_under_4_kb_for_a_device_and_lead() -> None:
    state = ENGINE.new_state()
    lead = ecg(regular(75, 20), 20, 360.0, noise_mv=0.05)
    ENGINE.step(every(360, lead, rate_hz=360.0), state)
    assert len(ENGINE.dump(state)) <= 4096
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    ENGINE.step(every(360, np.tile(lead, (12, 1)), rate_hz=360.0, leads=names, device=2), state)
    assert len(ENGINE.dump(state)) <= 13 * 4096


@pytest.mark.parametrize("data", [b"", b"LWF1fast-0 00000000\n", b"LWF1", bytes(4000)])
def test_foreign_state_is_refused(data: bytes) -> None:
    with pytest.raises(StateMismatch, match="start from an empty state"):
        ENGINE.load(data)


def test_damaged_state_is_refused() -> None:
    state = ENGINE.new_state()
    ENGINE.step(every(250, ecg(regular(75, 5), 5)), state)
    data = ENGINE.dump(state)
    for damaged in (data[:-20], data[:60] + b"xx" + data[62:]):
        with pytest.raises(StateMismatch):
            ENGINE.load(damaged)


def test_slots_of_ended_devices_are_used_again() -> None:
    state = ENGINE.new_state()
    block = ecg(regular(75, 2), 2)
    for number in range(1, 200):
        ENGINE.step(every(500, block, device=number), state)
        ENGINE.close([UUID(int=number), UUID(int=999_999)], state)
    assert state.devices.size == 16
    assert not state.held


_STRETCH = st.one_of(
    st.tuples(st.just("constant"), st.sampled_from([0, 32767, -32767, MISSING, 5])),
    st.tuples(st.just("impulse"), st.integers(-32767, 32767)),
    st.tuples(st.just("walk"), st.integers(0, 99)),
    st.tuples(st.just("beats"), st.integers(20, 260)),
)


def stretch(kind: str, value: int, count: int, rate_hz: float) -> NDArray[np.int16]:
    if kind == "constant":
        return np.full(count, value, np.int16)
    if kind == "impulse":
        spikes = np.zeros(count, np.int16)
        spikes[:: max(1, count // 7)] = value
        return spikes
    if kind == "walk":
        steps = np.random.default_rng(value).integers(-3000, 3001, count)
        return np.clip(np.cumsum(steps), -32768, 32767).astype(np.int16)
    return ecg(regular(value, count / rate_hz), count / rate_hz, rate_hz)[:count]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.lists(_STRETCH, min_size=1, max_size=3),
            st.integers(1, 4000),  # samples
            st.sampled_from([100.0, 250.0, 333.3, 1000.0]),
            st.integers(0, 9000),  # gap before
            st.sampled_from([1, 2, 3, 50, 4000]),  # block length
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_signal_raises_or_gives_figures_that_are_none(parts: list[Any]) -> None:
    state = ENGINE.new_state()
    first = 0
    for kinds, count, rate_hz, gap, size in parts:
        rows = np.stack([stretch(kind, value, count, rate_hz) for kind, value in kinds])
        first += gap
        for block in cut(rows, [*range(0, count, max(size, count // 40)), count], rate_hz=rate_hz, first=first):
            check(ENGINE.step([block], state).results)
        first += count
    check(ENGINE.close([UUID(int=1)], state).results)


def check(results: Any) -> None:
    for rows in (results.beats, results.metrics, results.episodes):
        for name in rows.dtype.names:
            if rows[name].dtype.kind == "f":
                assert not np.isinf(rows[name]).any(), name
    for rows, names in (
        (results.beats, ("confidence",)),
        (results.metrics, ("arrhythmia_confidence", "quality")),
        (results.episodes, ("confidence",)),
    ):
        for name in names:
            assert ((rows[name] >= 0) & (rows[name] <= 100)).all(), name
    for name in ("rr_ms", "qrs_ms", "pr_ms", "qt_ms"):
        assert not (results.beats[name] <= 0).any()
    assert (results.episodes["ended_at_us"] >= results.episodes["started_at_us"]).all()
