"""Whatever a device sends: no exception, no infinity, a number wherever one is promised, and flags that say why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from processors.ecg.engines import EngineName, engine
from processors.rows import metrics
from schemas.metrics import FIGURES, Metrics
from schemas.quality import FLAGS, Flag
from schemas.results import MAX_LEADS, Results
from schemas.rhythms import LABELS
from schemas.samples import MISSING, Lead, SampleBlock

from .signals import STARTED_AT_US, TWELVE, cut, ecg, every, many_leads, regular, run

FAST = FastEngine()
ENGINES: tuple[EngineName, ...] = ("fast", "neurokit2")
RAIL = 32767
GAINS = (0.001, 0.1, 2.0, 10_000.0)
_MARKS = ("p_onset", "p_peak", "p_offset", "qrs_onset", "r_index", "qrs_offset", "t_onset", "t_peak", "t_offset")
_slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_SIGNAL = st.one_of(
    st.tuples(st.just("constant"), st.sampled_from([0, 1, 17, -4000, RAIL, -RAIL, MISSING])),
    st.tuples(st.just("impulses"), st.integers(-RAIL, RAIL)),
    st.tuples(st.just("holes"), st.integers(1, 400)),
    st.tuples(st.just("walk"), st.integers(0, 99)),
    st.tuples(st.just("white"), st.integers(0, 20_000)),
    st.tuples(st.just("square"), st.integers(1, 40)),
    st.tuples(st.just("mains"), st.sampled_from([50, 60])),
    st.tuples(st.just("beats"), st.integers(20, 260)),
)
_PART = st.tuples(
    st.lists(_SIGNAL, min_size=1, max_size=3),  # a signal a lead: another number is a lead swap
    st.integers(1, 4000),  # samples
    st.sampled_from([100.0, 250.0, 333.3, 1000.0]),
    st.sampled_from(GAINS),
    st.one_of(st.just(0), st.integers(1, 9000)),  # missing before it
    st.sampled_from([1, 2, 3, 50, 4000]),  # block length
)
_FIRST_INDICES = st.sampled_from([0, 1, 10_007, 2**31 - 3, 2**40])


def signal(kind: str, value: int, count: int, rate_hz: float) -> NDArray[np.int16]:
    """`count` samples; what `value` means depends on the kind."""
    at = np.arange(count)
    chance = np.random.default_rng(abs(value))
    made: NDArray[Any]
    match kind:
        case "impulses":
            made = np.where(at % max(1, count // 7) == 0, value, 0)
        case "holes":
            made = np.where(at // value % 2 == 0, MISSING, beating(70, count, rate_hz))
        case "walk":
            made = np.cumsum(chance.integers(-3000, 3001, count))
        case "white":
            made = chance.normal(0, value, count)
        case "square":
            made = np.where(at * value / rate_hz % 1 < 0.5, RAIL, -RAIL)
        case "mains":
            made = 3000 * np.sin(2 * np.pi * value * at / rate_hz)
        case "beats":
            made = beating(value, count, rate_hz)
        case _:
            made = np.full(count, value)
    return np.clip(made, MISSING, RAIL).astype(np.int16)


def beating(bpm: float, count: int, rate_hz: float) -> NDArray[np.int16]:
    return ecg(regular(bpm, count / rate_hz), count / rate_hz, rate_hz)


@_slow
@given(st.lists(_PART, min_size=1, max_size=4), _FIRST_INDICES)
def test_no_signal_raises_or_gives_what_is_no_number(
    parts: list[tuple[list[tuple[str, int]], int, float, float, int, int]], first: int
) -> None:
    state = FAST.new_state()
    for signals, count, rate_hz, gain, gap, size in parts:
        rows = np.stack([signal(kind, value, count, rate_hz) for kind, value in signals])
        first += gap
        edges = [*range(0, count, max(size, count // 40)), count]
        clock_us = -round(first * 1e6 / rate_hz)  # the device's own clock shows the present at any index
        for block in cut(rows, edges, rate_hz=rate_hz, first=first, uv_per_lsb=gain, ahead_us=clock_us):
            check(FAST.step([block], state).results)
        first += count
    check(FAST.close([UUID(int=1)], state).results)


@_slow
@given(st.lists(st.integers(MISSING, RAIL), min_size=1, max_size=300), st.integers(1, 12), st.integers(1, 40))
def test_no_samples_raise_or_give_what_is_no_number(values: list[int], leads: int, repeats: int) -> None:
    lead = np.tile(np.array(values, np.int16), repeats)
    rows = np.stack([np.roll(lead, 17 * k) for k in range(leads)])
    blocks = every(100, rows)
    state = FAST.new_state()
    for block in blocks:
        check(FAST.step([block], state).results)
    check(FAST.close([UUID(int=1)], state).results)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", ["impulses", "holes", "walk", "white", "square", "mains"])
def test_either_engine_goes_from_beats_to_anything_and_back(name: EngineName, kind: str) -> None:
    good = beating(75, 1750, 250.0)
    odd = signal(kind, {"holes": 90, "square": 1, "mains": 50}.get(kind, 9000), 1500, 250.0)
    check_all(name, every(500, np.concatenate([good, odd, good])))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("gain", GAINS)
def test_no_gain_is_too_small_or_too_large(name: EngineName, gain: float) -> None:
    check_all(name, cut(beating(75, 2500, 250.0), [0, 1000, 2500], uv_per_lsb=gain))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("count", [1, 2, 3, 24, 130, 500, 749])
def test_a_recording_may_be_shorter_than_anything_can_be_said_of(name: EngineName, count: int) -> None:
    check_all(name, every(count, many_leads(beating(75, 2500, 250.0), 3)[:, :count]))


def test_beats_stay_where_they_are_at_the_largest_index() -> None:
    """A float knows whole numbers up to 2**53, so close to it time may be told a sample or two beside."""
    first, lead = 2**53 - 2**53 % 1000, beating(75, 20_000, 1000.0)
    there = run(FAST, cut(lead, range(0, 20_001, 500), rate_hz=1000.0, first=first, ahead_us=-first * 1000))
    here = run(FAST, cut(lead, range(0, 20_001, 500), rate_hz=1000.0))
    assert np.abs(there.beats["at_us"] - here.beats["at_us"]).max() <= 2000
    assert np.abs(there.beats["r_index"] - first - here.beats["r_index"]).max() <= 1
    assert len(here.metrics) == len(there.metrics) == 20


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("kind", "value", "flag"),
    [
        ("constant", 17, "flat"), ("constant", RAIL, "saturated"), ("constant", -RAIL, "saturated"),
        ("constant", MISSING, "missing"), ("white", 700, "noise"), ("white", 12_000, "noise"),
    ],
)  # fmt: skip
def test_a_bad_signal_is_flagged_for_what_it_is(name: EngineName, kind: str, value: int, flag: Flag) -> None:
    lead = np.concatenate([beating(75, 3750, 250.0), signal(kind, value, 2500, 250.0)])
    seconds = seconds_of(name, lead)
    before, after = seconds[5:13], seconds[17:24]
    assert [second.leads[0].flags for second in before] == [()] * len(before)
    assert all(flag in second.leads[0].flags for second in after)
    assert all(second.leads[0].quality < 0.25 for second in after)
    assert all(second.quality < 0.25 for second in after)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("kind", "value"), [("constant", 17), ("constant", RAIL), ("white", 700), ("mains", 50)])
def test_a_lead_without_the_heartbeat_is_told_and_does_not_speak_for_the_device(
    name: EngineName, kind: str, value: int
) -> None:
    dead, alive = signal(kind, value, 5000, 250.0), beating(75, 5000, 250.0)
    late = seconds_of(name, np.stack([dead, alive]), leads=("II", "V5"))[8:-1]
    for second in late:
        told, good = second.leads
        assert {"lead_off", "noise"} & set(told.flags)
        assert told.quality < 0.5
        assert not good.flags
        assert good.quality > 0.8
        assert second.main_lead == "V5"
        assert second.quality == good.quality


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", [("constant", 17), ("constant", RAIL)])
def test_a_lead_is_called_off_when_it_showed_no_beat_for_seconds(name: EngineName, kind: tuple[str, int]) -> None:
    lead = np.concatenate([beating(75, 3750, 250.0), signal(*kind, 2500, 250.0)])
    off = ["lead_off" in second.leads[0].flags for second in seconds_of(name, lead)]
    assert not any(off[:16])
    assert all(off[19:24])


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_a_tenth_of_a_second_missing_is_told(name: EngineName, share: float) -> None:
    """By what never came and by what came as missing alike; a hole in one lead is that lead's alone."""
    rows = many_leads(beating(75, 5000, 250.0), 2)
    rows[0, 2500 + 30 : 2500 + 30 + int(share * 250)] = MISSING
    low, high = 3750 + 30, 3750 + 30 + int(share * 250)
    blocks = [*cut(rows[:, :low], range(0, low + 1, low // 15)), *cut(rows[:, high:], [0, 5000 - high], first=high)]
    seconds = metrics_of(name, blocks)
    told = [["missing" in lead.flags for lead in seconds[k].leads] for k in (9, 10, 15)]
    assert told == [[False, False], [share > 0.1, False], [share > 0.1] * 2]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 1000.0])
def test_clean_leads_have_no_flags_and_full_quality(name: EngineName, rate_hz: float) -> None:
    leads: tuple[Lead, ...] = TWELVE if name == "fast" else ("I", "II")
    rows = many_leads(beating(75, int(20 * rate_hz), rate_hz), len(leads))
    for second in seconds_of(name, rows, rate_hz=rate_hz, leads=leads)[4:]:
        assert [lead.lead for lead in second.leads] == list(leads)
        assert all(not lead.flags and lead.quality > 0.8 for lead in second.leads)


def seconds_of(
    name: EngineName, rows: NDArray[np.int16], rate_hz: float = 250.0, leads: tuple[Lead, ...] | None = None
) -> list[Metrics]:
    return metrics_of(name, every(round(rate_hz), rows, rate_hz=rate_hz, leads=leads))


def metrics_of(name: EngineName, blocks: Sequence[SampleBlock]) -> list[Metrics]:
    """The metrics of each second of the recording."""
    return [row for results in steps(name, blocks) for row in metrics(results)]


def check_all(name: EngineName, blocks: Sequence[SampleBlock]) -> None:
    seconds: list[int] = []
    for results in steps(name, blocks):
        check(results)
        seconds += results.metrics["window_start_us"].tolist()
    count = max(block.end_index for block in blocks)
    assert seconds == [STARTED_AT_US + k * 1_000_000 for k in range(-(-count // 250))]


def steps(name: EngineName, blocks: Sequence[SampleBlock]) -> Iterable[Results]:
    chosen = engine(name)
    state = chosen.new_state()
    for block in blocks:
        step = chosen.step([block], state)
        state = step.state
        yield step.results
    yield chosen.close([UUID(int=1)], state).results


def check(results: Results) -> None:
    check_numbers(results)
    check_beats(results)
    check_leads(results)
    assert (results.episodes["ended_at_us"] >= results.episodes["started_at_us"]).all()
    assert set(results.episodes["rhythm"]) <= set(range(len(LABELS)))
    assert set(results.metrics["rhythm"]) <= set(range(-1, len(LABELS)))


def check_numbers(results: Results) -> None:
    """No infinity anywhere, and no NaN where it doesn't mean "absent"."""
    for rows, never_absent in (
        (results.beats, {"confidence": 100.0}),
        (results.metrics, {"arrhythmia_confidence": 100.0, "quality": 1.0}),
        (results.episodes, {"confidence": 100.0}),
    ):
        for name in rows.dtype.names or ():
            assert rows[name].dtype.kind not in "f" or not np.isinf(rows[name]).any(), name
        for name, most in never_absent.items():
            assert ((rows[name] >= 0) & (rows[name] <= most)).all(), name
    rate = results.metrics["heart_rate_bpm"]
    assert (np.isnan(rate) | ((rate > 0) & (rate < 400))).all()
    assert set(FIGURES) <= set(results.metrics.dtype.names or ())


def check_beats(results: Results) -> None:
    """In order, each its marks in order, and no interval that is none."""
    for source in set(results.beats["source"]):
        assert (np.diff(results.beats["r_index"][results.beats["source"] == source]) > 0).all()
    for beat in results.beats[list(_MARKS)].tolist():
        found = [mark for mark in beat if mark >= 0]
        assert found == sorted(found), dict(zip(_MARKS, beat, strict=True))
    for name in ("rr_ms", "qrs_ms", "pr_ms", "qt_ms"):
        assert not (results.beats[name] <= 0).any(), name


def check_leads(results: Results) -> None:
    """A quality and known flags for each lead of the recording, nothing for those it hasn't."""
    table = results.metrics
    counts = np.array([len(source.leads) for source in results.sources], np.int64)[table["source"]]
    has = np.arange(MAX_LEADS) < counts[:, None]
    quality = np.where(has, table["lead_quality"], 0.5)
    assert ((quality >= 0) & (quality <= 1)).all()
    assert np.isnan(table["lead_quality"][~has]).all()
    assert (table["lead_flags"] < 1 << len(FLAGS)).all()
    assert not table["lead_flags"][~has].any()
    assert ((table["main_lead"] >= -1) & (table["main_lead"] < counts)).all()
