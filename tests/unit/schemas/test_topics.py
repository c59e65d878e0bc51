"""Everybody computes the same partition: we, aiokafka and the Java client."""

from __future__ import annotations

from uuid import UUID

import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics

FIRST = UUID("6f1b3c1e-0000-4000-8000-000000000001")


@given(st.binary(max_size=80))
def test_murmur2_is_kafkas(data: bytes) -> None:
    assert topics.murmur2(data) == murmur2(data) % 2**32


@given(device_id=st.uuids(), count=st.integers(1, 4096))
def test_a_keyed_record_falls_where_we_say(device_id: UUID, count: int) -> None:
    numbers = list(range(count))
    chosen = DefaultPartitioner()(topics.device_key(device_id), numbers, numbers)
    assert topics.partition_of(device_id, count) == chosen


@pytest.mark.parametrize(
    ("data", "expected"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_murmur2_gives_the_java_clients_own_examples(data: bytes, expected: int) -> None:
    """From UtilsTest.testMurmur2 of Apache Kafka."""
    assert topics.murmur2(data) == expected % 2**32


@pytest.mark.parametrize(("device_id", "expected"), [(UUID(int=0), 61), (UUID(int=1), 26), (FIRST, 63)])
def test_known_devices_stay_where_they_are(device_id: UUID, expected: int) -> None:
    assert topics.partition_of(device_id, 64) == expected


def test_a_key_is_the_id_in_text_form() -> None:
    assert topics.device_key(UUID(int=1)) == b"00000000-0000-0000-0000-000000000001"


def test_all_names_every_topic_once() -> None:
    named = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}
    assert sorted(topics.ALL) == sorted(named)
