"""Checkpoints: the engine's state of each partition, and the offset it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import AsyncConnection, sql

from storage.arrays import BIGINT, BYTEA, INTEGER, TEXT, Column
from storage.rows import fetch_all


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`state` is what the engine knew before it read the record at `next_offset`."""

    topic: str
    partition: int
    next_offset: int
    engine_version: str
    state: bytes


async def load(conn: AsyncConnection, topic: str, partitions: Collection[int]) -> dict[int, Checkpoint]:
    """The checkpoint of each of these partitions that has one."""
    query = sql.SQL("""
        SELECT topic, partition, next_offset, engine_version, state
        FROM checkpoints
        WHERE topic = %(topic)s AND partition = ANY(%(partitions)s::integer[])
    """)
    found = await fetch_all(conn, Checkpoint, query, {"topic": topic, "partitions": list(partitions)})
    return {checkpoint.partition: checkpoint for checkpoint in found}


async def save(conn: AsyncConnection, checkpoints: Sequence[Checkpoint]) -> None:
    """Store checkpoints, at most one per partition; one that lies before what is stored is left out.

    So a worker that lost its partition and wakes up late can't turn the clock back.
    """
    if not checkpoints:
        return
    ordered = sorted(checkpoints, key=lambda c: (c.topic, c.partition))
    query = """
        INSERT INTO checkpoints AS old (topic, partition, next_offset, engine_version, state)
        SELECT *
        FROM unnest(%(topic)s, %(partition)s, %(next_offset)s, %(engine_version)s, %(state)s)
        ON CONFLICT (topic, partition) DO UPDATE SET
            next_offset = excluded.next_offset,
            engine_version = excluded.engine_version,
            state = excluded.state,
            saved_at = now()
        WHERE excluded.next_offset >= old.next_offset
    """
    await conn.execute(query, _columns(ordered))


def _columns(checkpoints: Sequence[Checkpoint]) -> dict[str, Column]:
    """In binary: as text a state of thousands of devices takes longer to write out than to make."""
    return {
        "topic": Column(TEXT, [each.topic for each in checkpoints]),
        "partition": Column(INTEGER, np.array([each.partition for each in checkpoints])),
        "next_offset": Column(BIGINT, np.array([each.next_offset for each in checkpoints])),
        "engine_version": Column(TEXT, [each.engine_version for each in checkpoints]),
        "state": Column(BYTEA, [each.state for each in checkpoints]),
    }


async def forget_all(conn: AsyncConnection) -> None:
    """Drop every checkpoint: for a broker that was made anew, whose offsets begin again."""
    await conn.execute("DELETE FROM checkpoints")


async def offsets(conn: AsyncConnection, topic: str) -> dict[int, int]:
    """The next offset of each partition that has a checkpoint."""
    cursor = await conn.execute("SELECT partition, next_offset FROM checkpoints WHERE topic = %s", [topic])
    return dict(await cursor.fetchall())


async def put_back(conn: AsyncConnection, topic: str, next_offsets: Mapping[int, int]) -> None:
    """Let checkpoints belong to other offsets, with their state as it is: for another Kafka, while no worker runs."""
    for partition, next_offset in sorted(next_offsets.items()):
        await conn.execute(
            "UPDATE checkpoints SET next_offset = %s WHERE topic = %s AND partition = %s",
            [next_offset, topic, partition],
        )
