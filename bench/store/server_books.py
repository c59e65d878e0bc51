"""The server's own books: log written, disk taken, checkpoints made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

_CHECKPOINTER_OF_ITS_OWN = 170_000
"""From this version on checkpoints are counted in a view of their own."""


@dataclass(frozen=True, slots=True)
class Books:
    """At a moment."""

    wal_bytes: int
    database_bytes: int
    checkpoints: int


async def books(conn: AsyncConnection) -> Books:
    """As they stand."""
    own = conn.info.server_version >= _CHECKPOINTER_OF_ITS_OWN
    made = "num_done FROM pg_stat_checkpointer" if own else "checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"
    query = f"""
        SELECT
            pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, pg_database_size(current_database()),
            (SELECT {made})::bigint
    """
    cursor = await conn.execute(query.encode())
    [row] = await cursor.fetchall()
    return Books(*row)


def difference(before: Books, after: Books, samples: int, seconds: float) -> dict[str, Any]:
    """What a load cost, beside the samples that came with it."""
    wal, disk, millions = (
        after.wal_bytes - before.wal_bytes,
        after.database_bytes - before.database_bytes,
        samples / 1e6,
    )
    return {
        "wal_mb": round(wal / 1e6, 1),
        "wal_mb_per_s": round(wal / 1e6 / seconds, 2),
        "wal_mb_per_m_samples": round(wal / 1e6 / millions, 3),
        "disk_mb": round(disk / 1e6, 1),
        "disk_mb_per_m_samples": round(disk / 1e6 / millions, 3),
        "checkpoints": after.checkpoints - before.checkpoints,
    }


@asynccontextmanager
async def checkpoints_every(url: str, seconds: float) -> AsyncIterator[None]:
    """A CHECKPOINT every so many seconds: all at once, which is harder on a load than those the server spreads out."""
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        task = asyncio.create_task(_checkpoints(conn, seconds))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _checkpoints(conn: AsyncConnection, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await conn.execute("CHECKPOINT")
