"""What a dead letter tells of itself, which are chosen, and where each goes back to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord

from leadwire.rejects import content, parse_position
from processors.rejects import MAX_REPLAYS, Filter, Letter, Position, Reject, letter_of, mark_of, marked_by
from processors.send_back import home_of, plan
from schemas import topics
from schemas.codec import encode_pack
from schemas.errors import Malformed

from .fakes import PARTITIONS, START_US, block, device_on

DEVICE = device_on(1)
AT = datetime(2026, 1, 1, tzinfo=UTC)
REJECT = Reject(Position(0, 1), AT, "Malformed", "why; do that", topics.SAMPLES, 1, 5, DEVICE, 9, 0)


def record(value: bytes, *headers: tuple[str, bytes], key: bytes | None = b"7") -> ConsumerRecord[bytes, bytes]:
    made = ConsumerRecord(
        topic=topics.REJECTS, partition=3, offset=17, timestamp=START_US // 1000, timestamp_type=0, key=key,
        value=value, checksum=None, serialized_key_size=0, serialized_value_size=0, headers=headers,
    )  # fmt: skip
    return cast("ConsumerRecord[bytes, bytes]", made)


def letter(value: bytes, topic: str = topics.SAMPLES, key: bytes | None = b"7") -> Letter:
    return letter_of(record(value, ("topic", topic.encode()), ("partition", b"2"), ("offset", b"8"), key=key))


def test_a_letter_tells_where_it_is_whence_it_came_and_whose_it_is() -> None:
    reject = letter(encode_pack([block(DEVICE)])).reject
    assert (str(reject.position), reject.origin, reject.device_id) == ("3@17", "ecg.samples[2]@8", DEVICE)


@pytest.mark.parametrize(
    ("key", "device"), [(str(DEVICE).encode(), DEVICE), (b"12", None), (None, None), (b"\xff", None)]
)
def test_whose_unreadable_bytes_are_only_the_key_may_tell(key: bytes | None, device: UUID | None) -> None:
    assert letter(b"\xff\xff", key=key).reject.device_id == device


def test_headers_that_say_nothing_sensible_harm_nobody() -> None:
    reject = letter_of(record(b"", ("partition", b"x"), ("offset", b"9" * 50), ("replays", b"-3"))).reject
    assert (reject.kind, reject.origin, reject.replays) == ("?", "?[-1]@-1", 0)


def test_a_mark_names_the_letter_it_marks() -> None:
    ours = letter(b"x")
    assert marked_by(record(b"", *mark_of(ours))) == ours.reject.position
    assert marked_by(record(b"x", ("kind", b"Malformed"))) is None


def test_a_filter_takes_the_newest_of_what_passes_and_gives_them_oldest_first() -> None:
    rejects = [replace(REJECT, position=Position(0, n), at=AT + timedelta(seconds=5 - n)) for n in range(5)]
    other = replace(REJECT, kind="Conflict", at=AT + timedelta(days=1))
    chosen = Filter("malformed", DEVICE, AT + timedelta(seconds=2), newest=2).of([*rejects, other])
    assert [reject.position.offset for reject in chosen] == [1, 0]


def test_letters_go_back_in_the_order_in_which_they_first_came() -> None:
    rejects = [replace(REJECT, position=Position(0, n), offset=50 - n) for n in range(5)]
    assert [reject.offset for reject in plan(rejects, again=False).chosen] == [46, 47, 48, 49, 50]


def test_what_was_sent_back_or_came_back_too_often_or_from_elsewhere_is_left_out() -> None:
    replayed, often = replace(REJECT, replayed=True), replace(REJECT, replays=MAX_REPLAYS)
    elsewhere = replace(REJECT, topic="?")
    told = plan([REJECT, replayed, often, elsewhere], again=False)
    assert (told.chosen, sorted(told.left_out.values())) == ((REJECT,), [1, 1, 1])
    assert plan([REJECT, replayed, often], again=True).chosen == (REJECT, replayed)


def test_a_letter_goes_to_its_devices_own_partition_else_back_where_it_was() -> None:
    assert home_of(replace(REJECT, partition=3), PARTITIONS) == 1
    assert home_of(replace(REJECT, device_id=None, partition=3), PARTITIONS) == 3
    assert home_of(replace(REJECT, device_id=None, partition=99), PARTITIONS) == 0


@pytest.mark.parametrize("text", ["3@17", "ecg.rejects[3]@17"])
def test_a_position_is_read_as_it_is_told(text: str) -> None:
    assert parse_position(text) == Position(3, 17)


@pytest.mark.parametrize("text", ["", "3", "3@", "@17", "a@b", "ecg.samples[3]@17"])
def test_what_is_no_position_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Malformed, match="take one such as 3@17"):
        parse_position(text)


def test_content_is_a_line_a_block_or_the_reason_and_a_head_in_hex() -> None:
    assert "samples [0, 250)" in content(letter(encode_pack([block(DEVICE)])))[0]
    assert content(letter(b"\xff" * 100))[1].startswith("100 bytes: ff ff")
