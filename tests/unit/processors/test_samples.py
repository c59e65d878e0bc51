"""Write, then acknowledge: what the worker promises of every record it is given."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from processors.samples import Arrival, SampleProcessor
from schemas.errors import Busy, Conflict, Malformed, UnknownDevice
from schemas.settings import WorkerSettings
from storage.devices import DeviceOwner

from .fakes import (
    PARTITIONS,
    START_US,
    Acks,
    CountingEngine,
    FakeDatabase,
    FakePublisher,
    block,
    device_on,
    owner,
    record,
    values,
)

HOME, NEXT = 1, 2
OURS, NEIGHBOUR, STRANGER = device_on(HOME), device_on(NEXT), device_on(HOME, nth=3)
BAD = b"\xff\xff"


class Bench:
    """A processor between a fake database and a fake Kafka, and what it acknowledged."""

    def __init__(self, *known: DeviceOwner) -> None:
        self.database, self.publisher = FakeDatabase(), FakePublisher()
        self.database.know(*(known or (owner(OURS), owner(NEIGHBOUR))))
        self.samples = self.worker()
        self.home, self.next = Acks(HOME), Acks(NEXT)

    def worker(self) -> SampleProcessor:
        settings = WorkerSettings.model_validate({"max_rejects_in_row": 3, "idle_after_s": 30})
        return SampleProcessor(CountingEngine(), self.database, self.publisher, settings, PARTITIONS)

    async def process(self, arrivals: list[Arrival]) -> None:
        await self.samples.process(arrivals)
        await self.samples.stored()

    async def send(self, *offsets: int) -> None:
        """A second of our device at each offset."""
        await self.process([self.home.arrival(record(i, block(OURS, i * 250))) for i in offsets])

    async def send_bad(self, *offsets: int) -> None:
        await self.process([self.home.arrival(record(i, value=BAD)) for i in offsets])

    @property
    def stored(self) -> list[int]:
        """R indexes of the beats that were committed."""
        written = self.database.written("INSERT INTO ecg_beats")
        return [index for params in written for index in values(params["r_index"])]

    @property
    def next_offsets(self) -> dict[int, int | None]:
        held = self.samples.partitions.items()
        return {number: partition.next_offset for number, partition in held if partition.next_offset is not None}

    @property
    def told(self) -> list[int]:
        """R indexes of the beats that were published."""
        return [beat.r_index for beat in self.publisher.beats]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_results_are_stored_and_published_at_once(bench: Bench) -> None:
    await bench.send(0, 1)
    assert (bench.stored, bench.told) == ([0, 250], [0, 250])


async def test_nothing_is_acknowledged_before_a_checkpoint(bench: Bench) -> None:
    await bench.send(0, 1)
    assert (bench.home.offsets, bench.database.checkpoints) == ([], [])
    await bench.samples.checkpoint()
    assert (bench.home.offsets, bench.database.checkpoints) == ([0, 1], [2])


async def test_a_checkpoint_acknowledges_what_came_before_it_only(bench: Bench) -> None:
    await bench.send(0, 1)
    await bench.samples.checkpoint()
    await bench.send(2)
    assert bench.home.offsets == [0, 1]
    await bench.samples.checkpoint()
    assert bench.home.offsets == [0, 1, 2]


async def test_a_checkpoint_that_fails_acknowledges_nothing(bench: Bench) -> None:
    await bench.send(0)
    bench.database.before_commit = refuse_checkpoints
    with pytest.raises(RuntimeError, match="disk full"):
        await bench.samples.checkpoint()
    assert bench.home.offsets == []


def refuse_checkpoints(texts: list[str]) -> None:
    if any("INSERT INTO checkpoints" in text for text in texts):
        raise RuntimeError("disk full")


async def test_a_partition_that_did_not_move_is_not_saved_again(bench: Bench) -> None:
    await bench.send(0)
    await bench.samples.checkpoint()
    await bench.samples.checkpoint()
    assert bench.database.checkpoints == [1]


async def test_open_stretches_and_state_are_saved_in_one_transaction(bench: Bench) -> None:
    await bench.send(0)
    before = len(bench.database.transactions)
    await bench.samples.checkpoint()
    [saving] = bench.database.transactions[before:]
    assert [any(table in text for text in saving) for table in ("ecg_waveforms", "checkpoints", "devices")] == [
        True
    ] * 3


async def test_records_of_many_partitions_are_told_apart(bench: Bench) -> None:
    other = bench.next.arrival(record(40, block(NEIGHBOUR)))
    await bench.process([other, bench.home.arrival(record(7, block(OURS)))])
    await bench.samples.checkpoint()
    assert sorted(bench.database.checkpoints) == [8, 41]
    assert (bench.home.offsets, bench.next.offsets) == ([7], [40])


async def test_records_out_of_order_are_taken_by_offset(bench: Bench) -> None:
    await bench.send(2, 0, 1)
    assert bench.told == [0, 250, 500]


async def test_what_was_fetched_before_a_rebalance_is_ignored(bench: Bench) -> None:
    bench.home.current = False
    await bench.send(0)
    await bench.samples.checkpoint()
    assert (bench.stored, bench.home.offsets, bench.database.checkpoints) == ([], [], [])


async def test_a_rebalance_during_a_batch_leaves_the_old_memory_behind(bench: Bench) -> None:
    """Revoked while the owners are asked for: state loaded anew must not skip what was forgotten."""
    await bench.send(0)

    def rebalance(text: str) -> None:
        if "FROM checkpoints" in text:
            bench.home.current = False

    bench.samples.forget({HOME})
    bench.database.before_answer = rebalance
    await bench.send(1)
    assert bench.told == [0]
    assert bench.next_offsets == {}


async def test_late_acknowledgements_after_forget_do_nothing(bench: Bench) -> None:
    await bench.send(0)
    bench.samples.forget({HOME})
    await bench.samples.checkpoint()
    assert (bench.home.offsets, bench.database.checkpoints) == ([], [])


async def test_an_event_of_before_is_not_acknowledged_when_its_partition_comes_back(bench: Bench) -> None:
    await bench.send(0)
    bench.samples.forget({HOME})
    before, bench.home = bench.home, Acks(HOME)
    await bench.send(0)
    await bench.samples.checkpoint()
    assert (before.offsets, bench.home.offsets) == ([], [0])


async def test_what_is_current_is_taken_from_among_what_is_not(bench: Bench) -> None:
    stale = Acks(HOME, current=False).arrival(record(0, block(OURS)))
    await bench.process([stale, bench.home.arrival(record(1, block(OURS, 250)))])
    assert bench.told == [250]


async def test_an_assignment_drops_what_is_not_in_it(bench: Bench) -> None:
    await bench.send(0)
    await bench.samples.assign({NEXT})
    await bench.samples.checkpoint()
    assert (bench.home.offsets, bench.database.checkpoints) == ([], [])


async def test_an_assignment_keeps_what_is_still_ours(bench: Bench) -> None:
    await bench.send(0)
    await bench.samples.assign({HOME, NEXT})
    assert bench.next_offsets == {HOME: 1}


async def test_a_new_worker_goes_on_from_the_checkpoint(bench: Bench) -> None:
    await bench.send(0, 1, 2)
    await bench.samples.checkpoint()
    bench.database.restart_from_saved()
    bench.samples = bench.worker()
    await bench.samples.assign({HOME})
    await bench.send(1, 2, 3)
    assert bench.told == [0, 250, 500, 750]


async def test_the_same_records_twice_are_written_as_the_same_rows(bench: Bench) -> None:
    await bench.send(0, 1)
    first = [repr(written) for written in bench.database.committed]
    bench.samples = bench.worker()  # it died before its checkpoint
    await bench.send(0, 1)
    assert [repr(written) for written in bench.database.committed] == [*first, *first]


async def test_a_database_away_for_a_while_costs_nothing(bench: Bench) -> None:
    await bench.samples.assign({HOME})
    await bench.send(0)
    bench.database.away = 2
    await bench.send(1)
    assert (bench.database.away, bench.stored) == (0, [0, 250])


async def test_kafka_away_for_a_while_costs_nothing(bench: Bench) -> None:
    bench.publisher.away = 2
    await bench.send(0)
    assert (bench.publisher.away, bench.told) == (0, [0])


async def test_dead_letters_are_published_and_the_rest_is_stored(bench: Bench) -> None:
    contradiction = bench.home.arrival(record(2, block(OURS, samples=block(OURS, 1).samples)))
    stranger = bench.home.arrival(record(3, block(STRANGER)))
    await bench.send(0)
    await bench.process([bench.home.arrival(record(1, value=BAD)), contradiction, stranger])
    assert [type(letter.reason) for letter in bench.publisher.letters] == [Malformed, Conflict, UnknownDevice]
    await bench.samples.checkpoint()
    assert bench.home.offsets == [0, 1, 2, 3]


async def test_dead_letters_are_published_before_the_offset_moves(bench: Bench) -> None:
    bench.publisher.away = 1
    await bench.send_bad(0)
    assert bench.publisher.away == 0
    assert [letter.offset for letter in bench.publisher.letters] == [0]


async def test_too_many_rejects_in_a_row_stop_the_partition_loudly(bench: Bench) -> None:
    await bench.samples.ready()
    await bench.send_bad(0, 1)
    await bench.send_bad(2)
    assert bench.samples.stopped == {HOME}
    assert REGISTRY.get_sample_value("leadwire_partitions_stopped") == 1
    with pytest.raises(Busy, match=r"partitions \[1\] stopped .*; look at ecg.rejects .*restart"):
        await bench.samples.ready()


async def test_a_stopped_partition_takes_and_acknowledges_nothing_more(bench: Bench) -> None:
    await bench.send_bad(0, 1, 2)
    await bench.send(3)
    await bench.samples.checkpoint()
    assert (bench.stored, bench.home.offsets, bench.database.checkpoints) == ([], [0, 1, 2], [3])


async def test_a_stopped_partition_leaves_the_others_going(bench: Bench) -> None:
    await bench.send_bad(0, 1, 2)
    await bench.process([bench.next.arrival(record(0, block(NEIGHBOUR)))])
    assert bench.stored == [0]


async def test_a_good_record_between_begins_the_count_anew(bench: Bench) -> None:
    for offset in (0, 10, 20):
        await bench.send_bad(offset, offset + 1)
        await bench.send(offset + 2)
    assert bench.samples.stopped == set()


async def test_a_stopped_partition_that_goes_to_another_worker_is_no_longer_ours_to_report(bench: Bench) -> None:
    await bench.send_bad(0, 1, 2)
    bench.samples.forget({HOME})
    await bench.samples.ready()


async def test_a_silent_device_is_closed_by_the_streams_clock(bench: Bench) -> None:
    other = device_on(HOME, nth=1)
    bench.database.know(owner(OURS), owner(other))
    await bench.send(0)
    later = block(other, received_at_us=START_US + 60_000_000)
    await bench.process([bench.home.arrival(record(1, later))])
    await bench.samples.close_idle()
    await bench.samples.stored()
    assert bench.told[2:] == [250]  # the closing beat of ours, at the number of its samples


async def test_nobody_is_closed_while_catching_up(bench: Bench) -> None:
    await bench.send(0, 1)  # of a year long past
    await bench.samples.close_idle()
    assert bench.told == [0, 250]


async def test_an_unregistered_device_is_heard_as_soon_as_it_is_registered(bench: Bench) -> None:
    arrival = bench.home.arrival
    await bench.process([arrival(record(0, block(STRANGER)))])
    bench.database.know(owner(STRANGER))
    await bench.process([arrival(record(1, block(STRANGER)))])
    assert (len(bench.publisher.letters), bench.stored) == (1, [0])


async def test_one_batch_is_decided_while_those_before_are_written(bench: Bench) -> None:
    for offset in range(3):
        await bench.samples.process([bench.home.arrival(record(offset, block(OURS, 250 * offset)))])
    assert bench.next_offsets == {HOME: 3}
    await bench.samples.process([bench.home.arrival(record(3, block(OURS, 750)))])
    assert bench.stored[:1] == [0]  # the fourth waits for the first
    await bench.samples.stored()
    assert (bench.stored, bench.told) == ([0, 250, 500, 750], [0, 250, 500, 750])


async def test_nothing_is_written_behind_a_batch_that_could_not_be(bench: Bench) -> None:
    refused: list[list[str]] = []

    def refuse_the_first(texts: list[str]) -> None:
        if any("ecg_beats" in text for text in texts) and not refused:
            refused.append(texts)
            raise RuntimeError("disk full")

    bench.database.before_commit = refuse_the_first
    for offset in range(2):
        await bench.samples.process([bench.home.arrival(record(offset, block(OURS, 250 * offset)))])
    with pytest.raises(RuntimeError, match="disk full"):
        await bench.samples.checkpoint()
    with pytest.raises(RuntimeError, match="disk full"):
        await bench.samples.checkpoint()
    assert (bench.stored, bench.database.checkpoints, bench.home.offsets) == ([], [], [])


async def test_a_batch_that_could_not_be_written_is_noticed_though_nothing_more_comes(bench: Bench) -> None:
    async def refuse_all(*_: object) -> None:
        raise ZeroDivisionError

    async def turns_of_the_timer() -> None:
        for _ in range(20):
            await bench.samples.checkpoint_due()
            await asyncio.sleep(0)

    setattr(bench.publisher, "results", refuse_all)  # noqa: B010  # the one thing that is broken
    await bench.samples.process([bench.home.arrival(record(0, block(OURS)))])
    with pytest.raises(ZeroDivisionError):
        await turns_of_the_timer()


async def test_a_checkpoint_waits_for_the_results_it_covers(bench: Bench) -> None:
    await bench.samples.process([bench.home.arrival(record(0, block(OURS)))])
    await bench.samples.checkpoint()
    tables = [table for text, _ in bench.database.committed for table in ("ecg_beats", "checkpoints") if table in text]
    assert tables == ["ecg_beats", "checkpoints"]


async def test_partitions_are_saved_in_turn(bench: Bench) -> None:
    """Both moved; the one that was saved longer ago comes first, and the other when its own interval is over."""
    await bench.process([bench.home.arrival(record(0, block(OURS))), bench.next.arrival(record(5, block(NEIGHBOUR)))])
    for partition, ago_s in zip(bench.samples.partitions.values(), (11.0, 12.0), strict=True):
        partition.saved_at_s -= ago_s
    for saved in ([6], [6, 1], [6, 1]):
        await bench.samples.checkpoint_due()
        await bench.samples.stored()
        assert bench.database.checkpoints == saved


async def test_records_after_a_checkpoint_began_stay_unacknowledged(bench: Bench) -> None:
    await bench.send(0)
    bench.samples.partitions[HOME].saved_at_s -= 11
    await bench.samples.checkpoint_due()  # written beside the next batch
    await bench.send(1)
    assert bench.home.offsets == [0]
    await bench.samples.checkpoint()
    assert bench.home.offsets == [0, 1]


async def test_nobody_is_silent_while_kafka_has_more(bench: Bench) -> None:
    other = device_on(HOME, nth=1)
    bench.database.know(owner(OURS), owner(other))
    await bench.send(0)
    await bench.process([bench.home.arrival(record(1, block(other, received_at_us=START_US + 60_000_000)))])
    await bench.samples.close_idle(lambda number, next_offset: (number, next_offset) == (HOME, 2))
    await bench.samples.stored()
    assert len(bench.told) == 2
