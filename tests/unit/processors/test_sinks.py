"""Rows are written once, then told; a server that is away is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from processors.sinks import Rows, Sinks, patiently
from schemas.beats import Beat
from schemas.errors import Busy
from schemas.metrics import Metrics
from schemas.samples import Gap

from .fakes import START_US, FakeDatabase, FakePublisher

DEVICE, RECORDING = UUID(int=1), UUID(int=2)


def rows() -> Rows:
    beat = Beat(DEVICE, RECORDING, 5, START_US, "V", 90.0, "count-1")
    return Rows(beats=[beat], metrics=[Metrics(DEVICE, RECORDING, START_US, "count-1")], gaps=[Gap(RECORDING, 10, 30)])


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_all_rows_of_a_batch_are_one_transaction() -> None:
    database, publisher = FakeDatabase(), FakePublisher()
    await Sinks(database, publisher).write(rows())
    assert [len(texts) for texts in database.transactions] == [3]
    assert (publisher.beats, publisher.metrics) == (rows().beats, rows().metrics)


async def test_every_second_is_told_though_few_are_kept() -> None:
    database, publisher = FakeDatabase(), FakePublisher()
    seconds = [Metrics(DEVICE, RECORDING, START_US + s * 1_000_000, "count-1") for s in range(20)]
    await Sinks(database, publisher, metrics_every_s=10).write(Rows(metrics=seconds))
    assert publisher.metrics == seconds
    [kept], [latest] = database.written("INTO ecg_metrics ("), database.written("INTO ecg_metrics_latest (")
    assert kept["window_start_us"] == f"{{{START_US},{START_US + 10_000_000}}}"
    assert latest["window_start_us"] == f"{{{START_US + 19_000_000}}}"


async def test_nothing_is_told_that_is_not_stored() -> None:
    database, publisher = FakeDatabase(), FakePublisher()

    def refuse(texts: list[str]) -> None:
        raise RuntimeError("disk full")

    database.before_commit = refuse
    with pytest.raises(RuntimeError, match="disk full"):
        await Sinks(database, publisher).write(rows())
    assert publisher.beats == []


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
