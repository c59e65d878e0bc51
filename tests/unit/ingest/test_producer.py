"""Blocks are in Kafka when `send` returns, in order, packed, and never more than a bound of them wait."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.producer import SampleProducer, split
from schemas import topics
from schemas.clock import index_to_us
from schemas.codec import decode_pack, decode_report_event
from schemas.errors import Busy
from schemas.reports import ReportEvent
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings
from tests.unit.ingest.examples import BLOCK, DEVICE, FakeKafka, block


async def _producer(kafka: FakeKafka, linger_s: float = 0, **limits: Any) -> SampleProducer:
    settings = KafkaSettings.model_validate({"pack_linger_s": linger_s})
    producer = SampleProducer(settings, client=lambda _: kafka, **limits)
    await producer.start()
    return producer


async def test_a_block_is_in_kafka_when_send_returns() -> None:
    kafka = FakeKafka()
    await (await _producer(kafka)).send([BLOCK])
    [(topic, partition, key, value)] = kafka.records
    assert (topic, partition) == (topics.SAMPLES, topics.partition_of(DEVICE, kafka.partitions))
    assert key == topics.device_key(DEVICE)
    assert np.array_equal(decode_pack(value)[0].samples, BLOCK.samples)


async def test_send_waits_for_kafka() -> None:
    kafka = FakeKafka(held=True)
    sending = asyncio.create_task((await _producer(kafka)).send([BLOCK]))
    await kafka.arrived.wait()
    assert not sending.done()
    kafka.released.set()
    await sending


async def test_the_partition_count_is_the_topics_own() -> None:
    kafka = FakeKafka(partitions=17)
    devices = [UUID(int=n) for n in range(40)]
    await (await _producer(kafka)).send([block(device_id=device) for device in devices])
    for _, partition, _, value in kafka.records:
        assert {topics.partition_of(one.device_id, 17) for one in decode_pack(value)} == {partition}
    assert len(kafka.records) == len({topics.partition_of(device, 17) for device in devices})


async def test_what_waits_for_one_partition_goes_together_and_in_order() -> None:
    kafka = FakeKafka(partitions=1, held=True)
    producer = await _producer(kafka)
    first = asyncio.create_task(producer.send([block(0)]))
    await kafka.arrived.wait()
    others = [asyncio.create_task(producer.send([block(250 * n, UUID(int=n))])) for n in range(1, 9)]
    await asyncio.sleep(0)
    kafka.released.set()
    await asyncio.gather(first, *others)
    assert kafka.first_indices() == [250 * n for n in range(9)]
    assert [record[2] for record in kafka.records] == [topics.device_key(DEVICE), b"0"]


async def test_a_pack_ends_at_its_limit() -> None:
    kafka = FakeKafka(partitions=1)
    await (await _producer(kafka, pack_bytes=1200)).send([block(250 * n) for n in range(5)])
    assert [len(decode_pack(record[3])) for record in kafka.records] == [2, 2, 1]


async def test_lingering_ends_when_a_pack_is_full() -> None:
    kafka = FakeKafka(partitions=1)
    producer = await _producer(kafka, linger_s=1.0, pack_bytes=600)
    async with asyncio.timeout(0.9):
        await producer.send([block(0)])
        await asyncio.gather(producer.send([block(250)]), producer.send([block(500)]))
    assert kafka.first_indices() == [0, 250, 500]


async def test_more_than_the_bound_is_busy_at_once() -> None:
    kafka = FakeKafka(held=True)
    producer = await _producer(kafka, in_flight_bytes=1000)
    sending = asyncio.create_task(producer.send([block(0)]))
    await kafka.arrived.wait()
    with pytest.raises(Busy, match="send again in 5 s"):
        await producer.send([block(250)])
    kafka.released.set()
    await sending
    await producer.send([block(250)])
    assert kafka.first_indices() == [0, 250]


async def test_silence_is_busy_within_the_time_limit_and_frees_its_memory() -> None:
    kafka = FakeKafka(held=True)
    producer = await _producer(kafka, timeout_s=0.05, in_flight_bytes=1000)
    with pytest.raises(Busy):
        await producer.send([block(0)])
    kafka.released.set()
    await _send_when_free(producer, block(250))
    assert kafka.first_indices()[-1] == 250


async def _send_when_free(producer: SampleProducer, one: SampleBlock) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                return await producer.send([one])
            except Busy:
                await asyncio.sleep(0)


async def test_a_failure_fails_what_waits_behind_it_so_that_order_is_kept() -> None:
    kafka = FakeKafka(partitions=1, held=True, away=False)
    producer = await _producer(kafka)
    sends = [asyncio.create_task(producer.send([block(0)]))]
    await kafka.arrived.wait()
    sends += [asyncio.create_task(producer.send([block(250 * n)])) for n in (1, 2)]
    await asyncio.sleep(0)
    kafka.away = True
    kafka.released.set()
    answers = await asyncio.gather(*sends, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Busy, Busy, Busy]
    assert kafka.records == []


async def test_no_connection_is_busy_and_start_returns_all_the_same() -> None:
    producer = await _producer(FakeKafka(away=True), timeout_s=0.05)
    with pytest.raises(Busy, match="try again"):
        await producer.send([BLOCK])
    with pytest.raises(Busy):
        await producer.ping()
    await producer.stop()


async def test_a_caller_who_goes_away_takes_nothing_with_it() -> None:
    kafka = FakeKafka(held=True)
    producer = await _producer(kafka)
    sending = asyncio.create_task(producer.send([BLOCK]))
    await kafka.arrived.wait()
    sending.cancel()
    kafka.released.set()
    await producer.stop()
    assert kafka.first_indices() == [0]
    assert kafka.stopped


async def test_a_report_event_is_keyed_by_its_device() -> None:
    kafka = FakeKafka()
    event = ReportEvent(UUID(int=1), DEVICE, "requested", 0, 1_000_000)
    await (await _producer(kafka)).publish_report_event(event)
    [(topic, _, key, value)] = kafka.records
    assert (topic, key, decode_report_event(value)) == (topics.REPORTS, topics.device_key(DEVICE), event)


@given(st.integers(1, 700), st.integers(2, 900), st.sampled_from([100.0, 250.0, 360.0, 1000.0]))
def test_a_split_block_says_the_same(count: int, max_bytes: int, rate_hz: float) -> None:
    samples = np.arange(2 * count, dtype=np.int16).reshape(2, -1)
    whole = replace(BLOCK, leads=("I", "II"), uv_per_lsb=(1.0, 1.0), rate_hz=rate_hz, samples=samples)
    parts = list(split(whole, max_bytes))
    assert np.array_equal(np.concatenate([part.samples for part in parts], axis=1), samples)
    assert all(part.samples.nbytes <= max(max_bytes, 4) for part in parts)
    for part in parts:
        assert part.started_at_us == whole.started_at_us + index_to_us(part.first_index, rate_hz)
    assert [part.end_index for part in parts[:-1]] == [part.first_index for part in parts[1:]]


async def test_ping_asks_anew_every_time() -> None:
    kafka = FakeKafka()
    producer = await _producer(kafka)
    await producer.ping()
    kafka.away = True
    with pytest.raises(Busy, match="nobody is there"):
        await producer.ping()


async def test_while_a_pack_is_stuck_kafkas_client_gets_no_other_and_answers_come_at_once() -> None:
    kafka = FakeKafka(partitions=1, held=True)
    producer = await _producer(kafka, timeout_s=0.05)
    with pytest.raises(Busy, match="no answer in"):
        await producer.send([block(0)])
    for _ in range(20):
        async with asyncio.timeout(0.02):
            with pytest.raises(Busy, match="Kafka did not take the blocks"):
                await producer.send([block(0)])
    kafka.released.set()
    await _send_when_free(producer, block(250))
    assert kafka.first_indices() == [0, 250]


async def test_a_stuck_pack_that_fails_opens_its_lane_too() -> None:
    kafka = FakeKafka(partitions=1, held=True)
    producer = await _producer(kafka, timeout_s=0.05)
    with pytest.raises(Busy):
        await producer.send([block(0)])
    kafka.away = True
    kafka.released.set()
    await asyncio.sleep(0)
    kafka.away = kafka.held = False
    await _send_when_free(producer, block(0))
    assert kafka.first_indices() == [0]


async def test_stopping_waits_for_no_stuck_pack() -> None:
    kafka = FakeKafka(held=True)
    producer = await _producer(kafka, timeout_s=0.05)
    with pytest.raises(Busy):
        await producer.send([block(0)])
    await producer.stop()
    assert kafka.stopped
