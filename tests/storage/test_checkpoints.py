"""A checkpoint only moves forward."""

from dataclasses import replace
from uuid import uuid4

from psycopg import AsyncConnection

from storage.checkpoints import Checkpoint, forget_all, load, save


def at(topic: str, partition: int, next_offset: int) -> Checkpoint:
    return Checkpoint(topic, partition, next_offset, "test-1", bytes([0, 255, next_offset]))


async def test_what_was_saved_is_loaded_for_the_partitions_asked_for(conn: AsyncConnection) -> None:
    topic = f"ecg.samples.{uuid4()}"
    saved = [at(topic, partition, 10) for partition in (2, 0, 1)]
    await save(conn, saved)
    assert await load(conn, topic, [0, 2, 7]) == {0: saved[1], 2: saved[0]}
    assert await load(conn, topic, []) == {}


async def test_a_late_worker_can_not_turn_the_clock_back(conn: AsyncConnection) -> None:
    topic = f"ecg.samples.{uuid4()}"
    await save(conn, [at(topic, 0, 10), at(topic, 1, 10)])
    await save(conn, [at(topic, 0, 9), at(topic, 1, 11)])
    assert await load(conn, topic, [0, 1]) == {0: at(topic, 0, 10), 1: at(topic, 1, 11)}


async def test_the_same_offset_takes_the_newer_state(conn: AsyncConnection) -> None:
    topic = f"ecg.samples.{uuid4()}"
    newer = replace(at(topic, 0, 10), state=b"newer", engine_version="test-2")
    await save(conn, [at(topic, 0, 10)])
    await save(conn, [newer])
    assert await load(conn, topic, [0]) == {0: newer}


async def test_nothing_to_save_is_fine(conn: AsyncConnection) -> None:
    await save(conn, [])


async def test_all_are_forgotten_with_the_broker(conn: AsyncConnection) -> None:
    topic = f"ecg.samples.{uuid4()}"
    await save(conn, [at(topic, 0, 10)])
    await forget_all(conn)
    assert await load(conn, topic, [0]) == {}
