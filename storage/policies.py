"""TimescaleDB's background policies, as the settings say: chunk length, columnstore, retention and refresh."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from psycopg import AsyncConnection, sql

from schemas import history
from schemas.clock import now
from schemas.history import AGGREGATES, Aggregate, Kept
from schemas.settings_store import DatabaseSettings

HYPERTABLES: Final = tuple(table.name for table in history.TABLES)
COLUMNSTORE: Final = tuple(table.name for table in history.TABLES if table.columnstore)
"""Those that go into the columnstore unless a setting says otherwise."""

_TO_COLUMNSTORE: Final = sql.SQL("""
    ALTER TABLE {} SET (
        timescaledb.compress, timescaledb.compress_segmentby = 'device_id', timescaledb.compress_orderby = 'started_at'
    )
""")

_REFRESH_AT_MOST: Final = timedelta(hours=1)
"""A day's bucket is refreshed as soon as it is over: until then its hours are added up for everyone who asks."""

_EARLY: Final = timedelta(minutes=5)
"""How often the buckets of now are taken up by aggregates that do that: so long statistics of all devices may lag."""


async def apply_policies(conn: AsyncConnection, settings: DatabaseSettings, *, archives: bool = False) -> None:
    """Replace every policy by the one of `settings`; new chunks get the new length, old ones keep theirs.

    `conn` is in no transaction. An aggregate that a migration has just made anew is filled first. With
    `archives` samples are dropped by the archive alone.
    """
    kept = settings.kept(archives=archives)
    for table in HYPERTABLES:
        async with conn.transaction():
            await _apply_to_table(conn, table, kept[table])
    for aggregate in AGGREGATES:
        await _set_chunk(conn, aggregate.name, kept[aggregate.name])  # or it is filled in chunks of another length
        await _fill_if_empty(conn, aggregate)
        async with conn.transaction():
            # First of all: TimescaleDB takes no columnstore policy of an aggregate that none refreshes.
            await _apply_refresh(conn, aggregate, kept[aggregate.name].window)
            await _apply_to_table(conn, aggregate.name, kept[aggregate.name])


async def _fill_if_empty(conn: AsyncConnection, aggregate: Aggregate) -> None:
    """From its first run on, a policy takes what is older than its window for nothing."""
    where = await _materialized(conn, aggregate)
    cursor = await conn.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(where))
    if (await cursor.fetchone()) == (False,):
        # Whole buckets only: what comes into a refreshed one later shows when that is refreshed again.
        query = "CALL refresh_continuous_aggregate(%s::regclass, NULL, %s::timestamptz)"
        await conn.execute(query, [aggregate.name, now() - _newest(aggregate)])


async def _materialized(conn: AsyncConnection, aggregate: Aggregate) -> sql.Identifier:
    cursor = await conn.execute(
        """
        SELECT materialization_hypertable_schema, materialization_hypertable_name
        FROM timescaledb_information.continuous_aggregates
        WHERE view_name = %s
        """,
        [aggregate.name],
    )
    [where] = await cursor.fetchall()
    return sql.Identifier(*where)


async def _apply_to_table(conn: AsyncConnection, table: str, kept: Kept) -> None:
    """To a hypertable or to an aggregate, which TimescaleDB keeps in one."""
    await _set_chunk(conn, table, kept)
    await conn.execute("SELECT remove_compression_policy(%s::regclass, if_exists => true)", [table])
    if kept.compress_after is not None:
        if table in HYPERTABLES and table not in COLUMNSTORE:
            await conn.execute(_TO_COLUMNSTORE.format(sql.Identifier(table)))
        await conn.execute(
            "SELECT add_compression_policy(%s::regclass, compress_after => %s::interval)", [table, kept.compress_after]
        )
    await conn.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", [table])
    if kept.retention is not None:
        await conn.execute(
            "SELECT add_retention_policy(%s::regclass, drop_after => %s::interval)", [table, kept.retention]
        )


async def _set_chunk(conn: AsyncConnection, table: str, kept: Kept) -> None:
    await conn.execute("SELECT set_chunk_time_interval(%s::regclass, %s::interval)", [table, kept.chunk])


async def _apply_refresh(conn: AsyncConnection, aggregate: Aggregate, window: timedelta | None) -> None:
    await conn.execute("SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", [aggregate.name])
    await conn.execute(
        """
        SELECT add_continuous_aggregate_policy(
            %s::regclass,
            start_offset => %s::interval, end_offset => %s::interval, schedule_interval => %s::interval
        )
        """,
        [aggregate.name, window, _newest(aggregate), _schedule(aggregate)],
    )


def _newest(aggregate: Aggregate) -> timedelta:
    """How old a bucket is refreshed at: after those it is made of, and after rows of its end that came in time.

    Less than nothing is one that isn't over.
    """
    return -aggregate.bucket if aggregate.early else min(aggregate.bucket, _REFRESH_AT_MOST)


def _schedule(aggregate: Aggregate) -> timedelta:
    return _EARLY if aggregate.early else min(aggregate.bucket, _REFRESH_AT_MOST)
