"""What the samples take at rest: rows, indices and TOAST, before and after the columnstore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg import AsyncConnection

TABLE: Final = "ecg_waveforms"


@dataclass(frozen=True, slots=True)
class AtRest:
    """Bytes on the disk of the table of samples with all its parts, and of the recordings that say what they are."""

    rows: int
    samples_bytes: int
    index_bytes: int
    toast_bytes: int
    recordings_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.samples_bytes + self.recordings_bytes

    def told(self, samples: int) -> Mapping[str, Any]:
        return {
            "rows": self.rows,
            "bytes": self.total_bytes,
            "index_bytes": self.index_bytes,
            "toast_bytes": self.toast_bytes,
            "recordings_bytes": self.recordings_bytes,
            "bits_per_sample": round(8 * self.total_bytes / samples, 3),
        }


async def at_rest(conn: AsyncConnection, *, is_hypertable: bool) -> AtRest:
    """The sizes as they stand."""
    rows = await _number(conn, f"SELECT count(*) FROM {TABLE}")
    if is_hypertable:
        parts = "sum(total_bytes), sum(index_bytes), sum(toast_bytes)"
        query = f"SELECT {parts} FROM hypertable_detailed_size('{TABLE}')"
    else:
        query = f"""
            SELECT pg_total_relation_size(c.oid), pg_indexes_size(c.oid), coalesce(pg_total_relation_size(t.oid), 0)
            FROM pg_class AS c
            LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
            WHERE c.oid = '{TABLE}'::regclass
        """
    cursor = await conn.execute(query.encode())
    [found] = await cursor.fetchall()
    recordings = await _number(conn, "SELECT pg_total_relation_size('recordings')")
    samples, indices, toast = (int(each or 0) for each in found)
    return AtRest(rows, samples, indices, toast, recordings)


async def is_hypertable(conn: AsyncConnection) -> bool:
    """Whether the table is TimescaleDB's."""
    if not await _number(conn, "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"):
        return False
    query = f"SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_name = '{TABLE}'"
    return await _number(conn, query) == 1


async def has_columnstore(conn: AsyncConnection) -> bool:
    """Whether the table has a columnstore at all."""
    query = f"""
        SELECT count(*)
        FROM timescaledb_information.hypertables
        WHERE hypertable_name = '{TABLE}' AND compression_enabled
    """
    return await is_hypertable(conn) and await _number(conn, query) == 1


async def to_columnstore(conn: AsyncConnection) -> int:
    """Compress every chunk, as the policy does after some days; how many there were. `conn` is in no transaction."""
    cursor = await conn.execute(f"SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('{TABLE}') AS c")
    return len(await cursor.fetchall())


async def _number(conn: AsyncConnection, query: str) -> int:
    cursor = await conn.execute(query.encode())
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
