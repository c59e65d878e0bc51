"""The books, recording by recording: what Kafka acknowledged against what the store has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from psycopg import sql

from storage.database import Database


class StoredRange(NamedTuple):
    """A row of ecg_waveforms: samples [first_index, end_index) of a recording."""

    recording_id: UUID
    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Per-recording books, added up: samples acknowledged, of them not stored, and stored more than once."""

    acknowledged: int
    lost: int
    duplicates: int


def balance(acknowledged: Mapping[UUID, int], rows: Iterable[StoredRange]) -> Ledger:
    """The ledger of rows sorted by recording and first index. A recording nobody acknowledged counts for nothing."""
    distinct: dict[UUID, int] = dict.fromkeys(acknowledged, 0)
    ends: dict[UUID, int] = dict.fromkeys(acknowledged, 0)
    doubled = 0
    for recording_id, first, end in rows:
        reached = ends.get(recording_id, 0)
        doubled += max(0, min(reached, end) - first)
        distinct[recording_id] = distinct.get(recording_id, 0) + max(0, end - max(first, reached))
        ends[recording_id] = max(reached, end)
    lost = sum(max(0, wanted - distinct[recording_id]) for recording_id, wanted in acknowledged.items())
    return Ledger(sum(acknowledged.values()), lost, doubled)


async def stored_balance(database: Database, acknowledged: Mapping[UUID, int], table: str) -> Ledger:
    """The ledger of what the table of samples holds now."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            sql.SQL("""
                SELECT recording_id, first_index, first_index + sample_count
                FROM {}
                ORDER BY recording_id, first_index
            """).format(sql.Identifier(table))
        )
        return balance(acknowledged, map(StoredRange._make, await cursor.fetchall()))
