"""Rows are written once, then told; a server that is away is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from uuid import UUID

import numpy as np
import pytest
from prometheus_client import REGISTRY

from processors.alarms import AlarmNews, Board
from processors.publish import Decided
from processors.sinks import Rows, Sinks, patiently
from schemas.alarms import AlarmEvent
from schemas.beats import Beat
from schemas.clock import to_datetime
from schemas.errors import Busy
from schemas.metrics import Metrics
from schemas.rhythms import ASYSTOLE
from schemas.samples import Gap
from storage.arrays import moments
from tests.columns import as_results

from .alarm_rows import opened, run, seconds
from .fakes import START_US, FakeDatabase, FakePublisher, values

DEVICE, RECORDING = UUID(int=1), UUID(int=2)


def rows() -> Rows:
    beat = Beat(DEVICE, RECORDING, 5, START_US, "V", 90.0, "count-1")
    second = Metrics(DEVICE, RECORDING, START_US, "count-1")
    return Rows(decided=[Decided(3, as_results([beat], [second]))], gaps=[Gap(RECORDING, 10, 30)])


@pytest.fixture
def alarm() -> AlarmEvent:
    (event,) = run(Board(), [*seconds(75), opened(ASYSTOLE, 0)])
    return event


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_all_rows_of_a_batch_are_one_transaction() -> None:
    database, publisher = FakeDatabase(), FakePublisher()
    await Sinks(database, publisher).write(rows())
    assert [len(texts) for texts in database.transactions] == [3]
    assert ([beat.r_index for beat in publisher.beats], len(publisher.metrics)) == ([5], 1)


async def test_every_second_is_told_though_few_are_kept() -> None:
    database, publisher = FakeDatabase(), FakePublisher()
    seconds = [Metrics(DEVICE, RECORDING, START_US + s * 1_000_000, "count-1") for s in range(20)]
    await Sinks(database, publisher, metrics_every_s=10).write(Rows(decided=[Decided(3, as_results(metrics=seconds))]))
    assert publisher.metrics == seconds
    [kept], [latest] = database.written("INTO ecg_metrics ("), database.written("INTO ecg_metrics_latest (")
    assert values(kept["recorded_at"]) == values(moments(np.array([START_US, START_US + 10_000_000])))
    assert values(latest["recorded_at"]) == values(moments(np.array([START_US + 19_000_000])))


async def test_nothing_is_told_that_is_not_stored() -> None:
    database, publisher = FakeDatabase(), FakePublisher()

    def refuse(texts: list[str]) -> None:
        raise RuntimeError("disk full")

    database.before_commit = refuse
    with pytest.raises(RuntimeError, match="disk full"):
        await Sinks(database, publisher).write(rows())
    assert publisher.beats == []


async def test_alarms_are_told_as_they_stand_in_the_database(alarm: AlarmEvent) -> None:
    """An acknowledgement that came before the end is told with the end."""
    ended = replace(alarm, ended_at_us=alarm.began_at_us + 1)
    at, by = to_datetime(alarm.began_at_us), UUID(int=9)
    row = {**asdict(ended), "began_at": at, "raised_at": at, "ended_at": at, "limit_value": None}
    told = {name: value for name, value in row.items() if not name.endswith("_us") and name not in ("state", "limit")}
    acknowledged = {**told, "acknowledged_at": at, "acknowledged_by": by}
    database, publisher = FakeDatabase({"INSERT INTO ecg_alarms": [acknowledged]}), FakePublisher()
    await Sinks(database, publisher).write(Rows(alarms=AlarmNews([ended])))
    [published] = publisher.alarms
    assert (published.state, published.acknowledged_by) == ("cleared", by)


async def test_an_alarm_is_counted_when_it_is_raised(alarm: AlarmEvent) -> None:
    labels = {"kind": alarm.kind, "priority": "high"}
    before = figure("leadwire_alarms_raised_total", **labels)
    ended = replace(alarm, ended_at_us=alarm.began_at_us + 1)
    await Sinks(FakeDatabase(), FakePublisher()).write(Rows(alarms=AlarmNews([alarm, ended])))
    assert figure("leadwire_alarms_raised_total", **labels) - before == 1


async def test_a_device_that_appears_ends_what_was_open_of_it() -> None:
    database = FakeDatabase()
    await Sinks(database, FakePublisher()).write(Rows(alarms=AlarmNews(returned={DEVICE: START_US})))
    [asked] = database.written("UPDATE ecg_alarms")
    assert asked["device_id"] == [DEVICE]


async def test_no_rows_ask_nobody() -> None:
    database, publisher = FakeDatabase(), FakePublisher()
    await Sinks(database, publisher).write(Rows(owners={DEVICE: None}))
    assert database.transactions == []


async def test_what_is_stored_is_counted_once_however_often_it_was_tried() -> None:
    beats, missed = figure("leadwire_beats_total", beat_class="V"), figure("leadwire_samples_missed_total")
    database, publisher = FakeDatabase(), FakePublisher()
    database.away = publisher.away = 1
    await Sinks(database, publisher).write(rows())
    assert figure("leadwire_beats_total", beat_class="V") == beats + 1
    assert figure("leadwire_samples_missed_total") == missed + 20


async def test_busy_is_tried_again_and_its_answer_given() -> None:
    answers: Iterator[Busy | int] = iter([Busy("away"), Busy("away"), 7])

    async def call() -> int:
        answer = next(answers)
        if isinstance(answer, Busy):
            raise answer
        return answer

    assert await patiently(call) == 7


async def test_a_defect_is_not_tried_again() -> None:
    tried: list[int] = []

    async def call() -> None:
        tried.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await patiently(call)
    assert tried == [1]


def test_rows_of_two_partitions_are_one_batch() -> None:
    both = rows()
    both.extend(Rows(gaps=[Gap(RECORDING, 50, 60)], owners={DEVICE: None}))
    assert [gap.first_index for gap in both.gaps] == [10, 50]
    assert both.owners == {DEVICE: None}
    assert not Rows(owners={DEVICE: None}).any()
