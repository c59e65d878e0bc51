"""What a partition promises of its records, whatever comes and comes again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from processors import checkpoints
from processors.alarms import Board
from processors.partitions import Partition, Record, Taken
from processors.rows import beats
from processors.sequence import Sequencer
from processors.sinks import Rows
from schemas.beats import Beat
from schemas.codec import decode_pack, encode_pack
from schemas.errors import Conflict, LeadwireError, Malformed, UnknownDevice
from schemas.rhythms import ASYSTOLE
from schemas.samples import SampleBlock
from storage.checkpoints import Checkpoint
from storage.devices import DeviceOwner

from . import alarm_rows as rows
from .fakes import PARTITIONS, START_US, CountingEngine, block, device_on, owner, record, saved_by

HOME = 2
OURS, ALSO_OURS, ELSEWHERE = device_on(HOME), device_on(HOME, nth=1), device_on(HOME + 1)
OWNERS = {device_id: owner(device_id) for device_id in (OURS, ALSO_OURS, ELSEWHERE)}


def partition(saved: Checkpoint | None = None) -> Partition:
    return Partition.restore(HOME, PARTITIONS, CountingEngine(), 10.0, saved)


def taken_by(into: Partition, records: Sequence[Record], owners: dict[UUID, DeviceOwner] | None = None) -> Taken:
    """Decode and take, as a worker does; all dead letters of the batch in one list."""
    decoded, letters = into.decode(records)
    taken = into.take(decoded, OWNERS if owners is None else owners, records[-1].offset)
    taken.rejects[:0] = letters
    return taken


def beats_of(told: Rows) -> list[Beat]:
    return [beat for each in told.decided for beat in beats(each.results)]


def kinds(taken: Taken) -> list[type[LeadwireError]]:
    return [type(letter.reason) for letter in taken.rejects]


def indexes(taken: Taken) -> list[int]:
    return [beat.r_index for beat in beats_of(taken.rows)]


def seconds(device_id: UUID, count: int, *, offset: int = 0, first: int = 0) -> list[Record]:
    return [record(offset + i, block(device_id, (first + i) * 250)) for i in range(count)]


def test_records_before_the_checkpoint_are_passed_over() -> None:
    empty = checkpoints.dump(Sequencer(10.0), Board(), b'["count-1", {}]')
    restored = partition(saved_by(HOME, 2, empty))
    assert indexes(taken_by(restored, seconds(OURS, 4))) == [500, 750]


def test_the_alarm_board_is_saved_with_the_partition() -> None:
    watched = partition()
    watched.board.take(rows.step([*rows.seconds(*[160] * 5), rows.opened(ASYSTOLE, 3)]))
    restored = partition(watched.checkpoint())
    assert restored.board.dump() == watched.board.dump() != {}


def test_the_alarms_of_another_engine_s_episodes_are_not_gone_on_with() -> None:
    watched = partition()
    watched.board.take(rows.step([*rows.seconds(75), rows.opened(ASYSTOLE, 0)]))
    others = checkpoints.dump(Sequencer(10.0), watched.board, b'["count-0", {}]')
    assert partition(saved_by(HOME, 2, others)).board.dump() == {}


def test_a_batch_of_old_records_does_not_turn_the_offset_back() -> None:
    ahead = partition()
    taken_by(ahead, seconds(OURS, 10))
    taken_by(ahead, seconds(OURS, 3))
    assert ahead.checkpoint().next_offset == 10


def test_a_bad_record_is_a_dead_letter_and_the_rest_goes_on() -> None:
    good, bad = block(OURS), record(8, value=b"\xff\xff")
    taken = taken_by(partition(), [record(7, good), bad, record(9, block(OURS, 250))])
    assert (indexes(taken), kinds(taken)) == ([0, 250], [Malformed])
    assert (taken.rejects[0].value, taken.rejects[0].key, taken.rejects[0].offset) == (bad.value, b"key", 8)


def test_a_bad_block_is_a_dead_letter_alone_and_its_neighbours_go_on() -> None:
    bad = replace(block(ALSO_OURS), rate_hz=7.0)
    taken = taken_by(partition(), [record(0, block(OURS), bad, block(OURS, 250))])
    assert (indexes(taken), kinds(taken)) == ([0, 250], [Malformed])
    assert taken.rejects[0].value == encode_pack([bad])


def test_an_unknown_device_is_a_dead_letter_that_says_so() -> None:
    taken = taken_by(partition(), seconds(OURS, 1), owners={})
    assert kinds(taken) == [UnknownDevice]
    assert "is not registered; register it" in str(taken.rejects[0].reason)


def test_an_inactive_device_is_a_dead_letter_that_says_so() -> None:
    taken = taken_by(partition(), seconds(OURS, 1), owners={OURS: owner(OURS, is_active=False)})
    assert kinds(taken) == [UnknownDevice]
    assert "is not active" in str(taken.rejects[0].reason)


def test_a_misplaced_device_is_a_dead_letter_that_names_its_partition() -> None:
    taken = taken_by(partition(), seconds(ELSEWHERE, 1))
    assert kinds(taken) == [Malformed]
    assert f"sent to partition {HOME} and belongs on {HOME + 1}" in str(taken.rejects[0].reason)


def test_a_contradiction_is_a_dead_letter_that_can_be_replayed() -> None:
    told, other = block(OURS), replace(block(OURS), samples=np.zeros((1, 250), np.int16))
    taken = taken_by(partition(), [record(0, told), record(1, other)])
    assert (indexes(taken), kinds(taken)) == ([0], [Conflict])
    assert np.array_equal(decode_pack(taken.rejects[0].value)[0].samples, other.samples)


def test_one_devices_dead_letters_leave_its_neighbour_alone() -> None:
    mixed = record(0, block(ELSEWHERE), block(OURS), block(device_on(HOME, nth=5)))
    taken = taken_by(partition(), [mixed])
    assert (indexes(taken), kinds(taken)) == ([0], [Malformed, UnknownDevice])


def test_the_same_records_twice_give_the_same_rows() -> None:
    records = [*seconds(OURS, 5), *seconds(ALSO_OURS, 5, offset=5)]
    assert repr(taken_by(partition(), records)) == repr(taken_by(partition(), records))


def test_a_record_taken_in_again_gives_no_row_a_second_time() -> None:
    again = partition()
    taken_by(again, seconds(OURS, 3))
    repeated = taken_by(again, seconds(OURS, 3, offset=3))
    assert not repeated.rows.any()
    assert repeated.rejects == []


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_restored_partition_goes_on_as_if_never_stopped(cut: int) -> None:
    records = [r for i, r in enumerate(seconds(OURS, 12)) if i != 6]  # with a gap in it
    whole, first = partition(), partition()
    expected = taken_by(whole, records)
    before = taken_by(first, records[:cut])
    after = taken_by(partition(first.checkpoint()), records)  # Kafka gives all of them again
    assert [*indexes(before), *indexes(after)] == indexes(expected)
    assert before.rows.gaps + after.rows.gaps == expected.rows.gaps
    assert repr(before.rows.stretches + after.rows.stretches) == repr(expected.rows.stretches)


def test_a_restored_partition_saves_the_same_bytes() -> None:
    original = partition()
    taken_by(original, seconds(OURS, 7))
    saved = original.checkpoint()
    assert partition(saved).checkpoint() == saved


def test_another_engines_state_is_made_up_for_and_the_offset_kept() -> None:
    original = partition()
    taken_by(original, seconds(OURS, 3))
    saved = original.checkpoint()
    foreign = replace(saved, state=saved.state.replace(b"count-1", b"count-0"))
    restored = partition(foreign)
    assert (restored.next_offset, restored.devices) == (3, 1)
    taken_by(restored, seconds(OURS, 1, offset=3, first=3))
    assert b"1000]" in restored.checkpoint().state  # three seconds read again, one new


def test_a_fresh_partition_needs_no_checkpoint_until_it_has_taken_something() -> None:
    fresh = partition()
    assert not fresh.dirty
    taken_by(fresh, seconds(OURS, 1))
    assert fresh.dirty
    fresh.checkpoint()
    assert not fresh.dirty


def test_a_device_is_idle_by_the_newest_blocks_clock() -> None:
    two = partition()
    taken_by(two, [record(0, block(OURS)), record(1, block(ALSO_OURS, received_at_us=START_US + 32_000_000))])
    ended = two.close_idle(idle_after_s=30)
    assert [(beat.device_id, beat.r_index) for beat in beats_of(ended)] == [(OURS, 250)]
    assert [(s.device_id, s.first_index) for s in ended.stretches] == [(OURS, 0)]
    assert two.devices == 1


def test_a_restored_partition_closes_who_fell_silent_before_the_crash() -> None:
    two = partition()
    taken_by(two, [record(0, block(OURS)), record(1, block(ALSO_OURS, received_at_us=START_US + 32_000_000))])
    ended = partition(two.checkpoint()).close_idle(idle_after_s=30)
    assert [beat.device_id for beat in beats_of(ended)] == [OURS]


def test_nobody_is_idle_while_a_worker_catches_up() -> None:
    """Records of a long time ago: by the wall clock all devices fell silent years before."""
    old = partition()
    taken_by(old, [record(0, block(OURS)), record(1, block(ALSO_OURS))])
    assert not old.close_idle(idle_after_s=30).any()
    assert old.devices == 2


def test_a_worker_that_was_kept_waiting_closes_nobody_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute in which nobody could listen is no minute of silence; half a minute of listening is."""
    now_s = time.monotonic()
    one = partition()
    taken_by(one, seconds(OURS, 1))
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 60)
    assert not one.close_idle(idle_after_s=30).decided
    for second in range(32):
        monkeypatch.setattr(time, "monotonic", lambda second=second: now_s + 61 + second)
        one.close_idle(idle_after_s=30)
    assert one.devices == 0


def test_the_open_stretch_of_a_device_that_pauses_is_given_once() -> None:
    two = partition()
    taken_by(two, [record(0, block(OURS)), record(1, block(ALSO_OURS, received_at_us=START_US + 5_000_000))])
    assert [s.device_id for s in two.close_idle(idle_after_s=30).stretches] == [OURS]
    assert not two.close_idle(idle_after_s=30).any()


def test_a_closed_device_that_comes_back_begins_anew() -> None:
    one = partition()
    taken_by(one, seconds(OURS, 1))
    assert one.close_idle(idle_after_s=-1).any()
    again = taken_by(one, seconds(OURS, 1, offset=1, first=1))
    assert [r.recording_id for r in again.rows.recordings] == [block(OURS).recording_id]


def test_a_block_without_a_gateways_clock_gets_the_brokers() -> None:
    straight = record(0, replace(block(OURS), received_at_us=0))
    one = partition()
    taken_by(one, [straight])
    assert [int(at.timestamp() * 1e6) for at in one.heard_of().values()] == [straight.timestamp_us]


def test_a_clock_ahead_of_the_brokers_closes_nobody() -> None:
    """A device that writes to Kafka itself may claim any moment."""
    two = partition()
    liar = replace(block(ALSO_OURS), received_at_us=START_US + 10**15)
    stamped = replace(record(1, block(OURS, 250)), value=encode_pack([liar]))
    taken_by(two, [record(0, block(OURS)), stamped])
    assert not two.close_idle(idle_after_s=30).decided


def test_rows_tell_whose_they_are() -> None:
    taken = taken_by(partition(), seconds(OURS, 1))
    assert taken.rows.owners[OURS] == UUID(int=77)
    assert [(r.user_id, r.started_at_us) for r in taken.rows.recordings] == [(UUID(int=77), START_US)]


def test_blocks_go_to_the_engine_in_order() -> None:
    swapped: list[SampleBlock] = [block(OURS), block(OURS, 500), block(OURS, 250)]
    assert indexes(taken_by(partition(), [record(0, *swapped)])) == [0, 250, 500]
