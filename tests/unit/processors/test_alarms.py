"""Alarms: raised at once or after their delay, kept back under a bad signal, the same however the signal is cut."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import alarms
from processors.alarms import Board
from processors.ecg.quality import UNREADABLE as ENGINE_UNREADABLE
from schemas import rhythms
from schemas.alarms import (
    EXTREME_BRADYCARDIA,
    EXTREME_TACHYCARDIA,
    KIND_BY_NAME,
    KINDS,
    NO_DATA,
    UNREADABLE,
    AlarmEvent,
    AlarmLimits,
)

from .alarm_rows import DEVICE, NAN, OTHER, START_US, Row, closed, opened, peaks, run, s_of, seconds, step, together

CALM = [75.0] * 20


def brief(events: list[AlarmEvent]) -> list[tuple[str, str, float | None]]:
    """Kind, state, and when it was raised or ended."""
    return [(e.kind, e.state, s_of(e.raised_at_us if e.ended_at_us is None else e.ended_at_us)) for e in events]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.vital])
def test_a_vital_rhythm_is_raised_in_the_second_it_is_stated(kind: str) -> None:
    (event,) = run(Board(), [*seconds(*CALM), opened(kind, 12, 10.5)])
    assert (event.kind, event.priority, event.latching, event.state) == (kind, "high", True, "raised")
    assert (s_of(event.began_at_us), s_of(event.raised_at_us), event.confidence) == (10.5, 13, 90.0)


@pytest.mark.parametrize(("rate", "kind"), [(150.0, EXTREME_TACHYCARDIA), (40.0, EXTREME_BRADYCARDIA)])
def test_a_rate_past_its_limit_is_raised_after_the_delay(rate: float, kind: str) -> None:
    (event,) = run(Board(), seconds(75, 75, rate, rate, rate, rate))
    assert (event.kind, s_of(event.began_at_us), s_of(event.raised_at_us)) == (kind, 2, 5)
    assert (event.value, event.limit) == (rate, rate)


def test_a_rate_that_goes_past_its_limit_for_a_moment_is_none() -> None:
    assert run(Board(), seconds(160, 160, 75, 160, 160, 75)) == []


def test_a_second_without_a_rate_says_nothing_either_way() -> None:
    (event,) = run(Board(), seconds(160, NAN, 160, NAN, 160))
    assert s_of(event.raised_at_us) == 5


def test_a_heart_that_becomes_very_slow_is_told_before_its_mean_rate_is() -> None:
    rows = [*seconds(*[75.0] * 30), *peaks(*[0.8] * 10, *[2.0] * 9)]  # slow from 8 s on
    (event,) = run(Board(), rows)
    assert (event.kind, event.value, s_of(event.began_at_us), s_of(event.raised_at_us)) == (
        EXTREME_BRADYCARDIA, 30.0, 12, 15
    )  # fmt: skip


@pytest.mark.parametrize("intervals", [[3.2], [0.5, 1.6], [0.8, 1.6, 0.8, 1.6, 0.8, 1.6], [1.45] * 9])
def test_one_long_interval_is_no_slow_heart(intervals: list[float]) -> None:
    assert run(Board(), [*seconds(*[75.0] * 40), *peaks(*[0.8] * 10, *intervals, *[0.8] * 10)]) == []


def test_behind_a_gap_one_counts_anew() -> None:
    assert run(Board(), [*seconds(160, 160), *seconds(160, 160, start=9)]) == []


def test_a_rate_alarm_ends_only_well_within_the_limit() -> None:
    events = run(Board(), seconds(*[160] * 4, *[148] * 20, *[140] * 10))
    assert brief(events) == [(EXTREME_TACHYCARDIA, "raised", 3), (EXTREME_TACHYCARDIA, "raised", 24)]
    assert events[1].ended_at_us is not None  # latching: over, and still to be acknowledged


def test_what_does_not_latch_is_cleared_when_it_is_over() -> None:
    rows = [*seconds(*CALM, *CALM), opened(rhythms.ATRIAL_FIBRILLATION, 2), closed(rhythms.ATRIAL_FIBRILLATION, 10, 8)]
    kind = rhythms.ATRIAL_FIBRILLATION
    assert brief(run(Board(), rows)) == [(kind, "raised", 3), (kind, "cleared", 8)]


def test_what_comes_back_at_once_is_the_same_alarm() -> None:
    label = rhythms.ATRIAL_FIBRILLATION
    rows = [*seconds(*CALM, *CALM, *CALM), opened(label, 2), closed(label, 10, 8), opened(label, 15)]
    assert brief(run(Board(), rows)) == [(label, "raised", 3)]


def test_a_brief_rhythm_told_when_it_is_over_is_an_alarm_too() -> None:
    rows = [*seconds(*CALM, *CALM), opened(rhythms.PAUSE, 9, 5.5), closed(rhythms.PAUSE, 9, 9.2, 5.5)]
    first, last = run(Board(), rows)
    assert (first.state, last.state, s_of(last.ended_at_us)) == ("raised", "raised", 9.2)
    assert first.alarm_id == last.alarm_id


@pytest.mark.parametrize(
    "bad", [{"quality": 0.1, "label": None}, {"label": rhythms.NOISE}, {"label": rhythms.LEAD_OFF}]
)
def test_a_bad_signal_is_one_technical_alarm_and_no_other(bad: dict[str, Any]) -> None:
    rows = [*seconds(75, 75), *seconds(*[200] * 10, start=2, **bad), opened(rhythms.ATRIAL_FIBRILLATION, 6)]
    (event,) = run(Board(), rows)
    name = rhythms.LEAD_OFF if bad["label"] == rhythms.LEAD_OFF else rhythms.NOISE
    assert (event.kind, event.category, s_of(event.raised_at_us)) == (name, "technical", 5)


def test_what_outlasts_a_bad_signal_is_raised_once_it_can_be_read_again() -> None:
    label = rhythms.ATRIAL_FIBRILLATION
    rows = [*seconds(*CALM[:3], quality=0.1), *seconds(*CALM, start=3), opened(label, 1)]
    assert brief(run(Board(), rows)) == [
        (rhythms.NOISE, "raised", 3),
        (rhythms.NOISE, "cleared", 3),
        (label, "raised", 10),
    ]


def test_what_ends_in_a_bad_signal_is_never_raised() -> None:
    label = rhythms.ATRIAL_FIBRILLATION
    rows = [*seconds(*CALM[:9], quality=0.1), *seconds(*CALM, start=9), opened(label, 1), closed(label, 8, 6)]
    assert [event.kind for event in run(Board(), rows)] == [rhythms.NOISE] * 2


def test_an_alarm_that_stands_stays_through_a_bad_signal() -> None:
    rows = [*seconds(*[160] * 4), *seconds(*[NAN] * 30, start=4, quality=0.0, label=None)]
    assert brief(run(Board(), rows)) == [(EXTREME_TACHYCARDIA, "raised", 3), (rhythms.NOISE, "raised", 7)]


def test_a_vital_label_counts_though_the_signal_is_poor() -> None:
    label = rhythms.VENTRICULAR_FIBRILLATION
    rows = [*seconds(*CALM), *seconds(*[NAN] * 5, start=20, quality=0.1, label=label), opened(label, 22, 20)]
    assert brief(run(Board(), rows)) == [(label, "raised", 23)]


def test_a_patient_s_limits_are_their_own() -> None:
    board = Board()
    board.set_limits({DEVICE: AlarmLimits(low_bpm=30, high_bpm=70, delay_s=0)})
    news = board.take(together(step(seconds(75, 75)), step(seconds(75, 75), OTHER)))
    assert [(e.device_id, e.kind, s_of(e.raised_at_us)) for e in news.events] == [(DEVICE, EXTREME_TACHYCARDIA, 1)]


def test_limits_that_change_hold_from_then_on() -> None:
    board = Board()
    assert run(board, seconds(*[110] * 5)) == []
    board.set_limits({DEVICE: AlarmLimits(high_bpm=100)})
    (event,) = run(board, seconds(*[110] * 5, start=5))
    assert s_of(event.raised_at_us) == 8
    board.set_limits({})
    assert brief(run(board, seconds(*[110] * 10, start=10))) == [(EXTREME_TACHYCARDIA, "raised", 10)]


@pytest.mark.parametrize("off", [rhythms.ATRIAL_FIBRILLATION, EXTREME_TACHYCARDIA, rhythms.NOISE, NO_DATA])
def test_what_is_off_is_not_raised(off: str) -> None:
    board = Board()
    board.set_limits({DEVICE: AlarmLimits(off=(off,))})
    rows = [*seconds(*[160] * 5), opened(rhythms.ATRIAL_FIBRILLATION, 2), *seconds(*CALM[:4], start=5, quality=0.1)]
    events = run(board, rows) + board.close([DEVICE], 30_000_000).events
    assert {event.kind for event in events} == {
        rhythms.ATRIAL_FIBRILLATION, EXTREME_TACHYCARDIA, rhythms.NOISE, NO_DATA
    } - {off}  # fmt: skip


def test_a_device_that_falls_silent_ends_its_alarms_and_raises_no_data() -> None:
    board = Board()
    run(board, seconds(*[160] * 5))
    ended, silent = board.close([DEVICE, OTHER], 30_000_000).events
    assert (ended.kind, s_of(ended.ended_at_us)) == (EXTREME_TACHYCARDIA, 5)
    assert (silent.kind, s_of(silent.began_at_us), s_of(silent.raised_at_us)) == (NO_DATA, 5, 35)
    assert board.dump() == {}


def test_a_device_is_told_of_when_it_comes_and_when_it_comes_back() -> None:
    board = Board()
    assert board.take(step(seconds(75, 75))).returned == {DEVICE: START_US}
    assert board.take(step(seconds(75, start=2))).returned == {}
    board.close([DEVICE], 0)
    assert board.take(step(seconds(75, start=60))).returned == {DEVICE: START_US + 60_000_000}


def test_an_older_recording_ends_what_was_open() -> None:
    board = Board()
    run(board, seconds(*[160] * 5, start=1000))
    (event,) = run(board, seconds(75, 75))
    assert s_of(event.ended_at_us) == 1005


def test_the_active_ones_are_those_whose_condition_lasts() -> None:
    board = Board()
    run(board, [*seconds(*[160] * 5), opened(rhythms.ASYSTOLE, 3)])
    assert {alarm.kind for alarm in board.active} == {EXTREME_TACHYCARDIA, rhythms.ASYSTOLE}


def test_many_devices_have_a_slot_each() -> None:
    board = Board()
    devices = [UUID(int=i) for i in range(1, 300)]
    for _ in range(2):
        board.take(together(*(step(seconds(75), device_id) for device_id in devices)))
    assert len(board.dump()) == 299
    board.close(devices[:200], 0)
    (event,) = board.take(together(*(step(seconds(*[160] * 3), d) for d in devices[100:101]))).events
    assert event.device_id == devices[100]


def test_one_has_the_engine_s_idea_of_unreadable() -> None:
    assert UNREADABLE == ENGINE_UNREADABLE


LABELS = sorted(kind.name for kind in KINDS if kind.cause == "rhythm")


@st.composite
def stories(draw: st.DrawFn) -> list[Row]:
    """Two minutes of a heart in trouble: rates and signal change, episodes come and go, their ends told late."""
    rows: list[Row] = []
    while len(rows) < 120:
        rate, quality = draw(st.sampled_from([75.0, 35.0, 148.0, 160.0, NAN])), draw(st.sampled_from([0.9, 0.9, 0.1]))
        rows += seconds(*[rate] * draw(st.integers(1, 25)), start=len(rows), quality=quality)
    end = len(rows)
    intervals = draw(st.lists(st.sampled_from([0.8, 0.8, 1.6, 2.4]), max_size=60))
    rows += [peak for peak in peaks(*intervals, ahead=draw(st.booleans())) if peak.at_s < end]
    for label in draw(st.lists(st.sampled_from(LABELS), max_size=3, unique=True)):
        at = draw(st.integers(0, 20))
        while at < end - 12:
            last = at + draw(st.integers(1, 45))
            late = draw(st.integers(0, KIND_BY_NAME[label].settle_s - 1))
            rows.append(opened(label, at, at - draw(st.integers(0, 3))))
            if last + late < end:
                rows.append(closed(label, last + late, last, at))
            at = last + late + draw(st.integers(1, 25))
    return sorted(rows, key=lambda row: row.at_s)


@given(stories(), st.sets(st.integers(1, 120)), st.booleans())
def test_the_alarms_are_the_same_however_the_signal_is_cut(rows: list[Row], cuts: set[int], apart: bool) -> None:
    whole, pieces = run(Board(), rows), run(Board(), rows, cuts, apart=apart)
    assert sorted(map(repr, pieces)) == sorted(map(repr, whole))


@given(stories(), st.integers(1, 119))
def test_a_board_that_was_saved_goes_on_as_if_it_was_not(rows: list[Row], cut: int) -> None:
    board = Board()
    before = run(board, [row for row in rows if row.at_s < cut])
    loaded = alarms.load(alarms.dump(board))
    after = run(loaded, [row for row in rows if row.at_s >= cut])
    assert before + after == run(Board(), rows, [cut])
    assert alarms.dump(loaded) == alarms.dump(alarms.load(alarms.dump(loaded)))


@given(stories())
def test_an_alarm_ends_once_and_after_it_was_raised(rows: list[Row]) -> None:
    board = Board()
    events = run(board, rows) + board.close([DEVICE], 0).events
    raised = [event.alarm_id for event in events if event.ended_at_us is None]
    ended = [event.alarm_id for event in events if event.ended_at_us is not None]
    assert len(set(raised)) == len(raised)
    assert sorted(map(str, ended)) == sorted(
        str(e.alarm_id) for e in events if e.ended_at_us is None and e.kind != NO_DATA
    )
    assert all(event.kind in KIND_BY_NAME for event in events)
