"""TimescaleDB's background policies, as the settings say: chunk length, columnstore, retention and refresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg import AsyncConnection, sql

from schemas.settings import DatabaseSettings

HYPERTABLES: Final = ("ecg_waveforms", "ecg_beats", "ecg_rhythms", "ecg_metrics", "ecg_hrv")

ROWS_ONLY: Final = ("ecg_waveforms",)
"""Never in the columnstore: coded bytes gain nothing there, and one row costs the unpacking of a thousand."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A continuous aggregate and the step it is refreshed in."""

    name: str
    refresh_every: timedelta


AGGREGATES: Final = (
    Aggregate("metrics_1min", timedelta(minutes=1)),
    Aggregate("metrics_1h", timedelta(hours=1)),
    Aggregate("metrics_1day", timedelta(days=1)),
    Aggregate("beats_1h", timedelta(hours=1)),
)


async def apply_policies(conn: AsyncConnection, settings: DatabaseSettings) -> None:
    """Replace every policy by the one of `settings`; new chunks get the new length, old ones keep theirs.

    `conn` is in no transaction. An aggregate that a migration has just made anew is filled first.
    """
    for table in HYPERTABLES:
        await _apply_to_table(conn, table, settings)
    for aggregate in AGGREGATES:
        await _fill_if_empty(conn, aggregate)
        await _apply_to_aggregate(conn, aggregate, settings)


async def _fill_if_empty(conn: AsyncConnection, aggregate: Aggregate) -> None:
    """A policy looks back a few days only, and from its first run on what is older would be taken for nothing."""
    cursor = await conn.execute(
        """
        SELECT materialization_hypertable_schema, materialization_hypertable_name
        FROM timescaledb_information.continuous_aggregates
        WHERE view_name = %s
        """,
        [aggregate.name],
    )
    [where] = await cursor.fetchall()
    cursor = await conn.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(*where)))
    if (await cursor.fetchone()) == (False,):
        await conn.execute("CALL refresh_continuous_aggregate(%s::regclass, NULL, NULL)", [aggregate.name])


async def _apply_to_table(conn: AsyncConnection, table: str, settings: DatabaseSettings) -> None:
    async with conn.transaction():
        await conn.execute(
            "SELECT set_chunk_time_interval(%s::regclass, %s::interval)",
            [table, timedelta(hours=settings.chunk_hours)],
        )
        await conn.execute("SELECT remove_compression_policy(%s::regclass, if_exists => true)", [table])
        if table not in ROWS_ONLY:
            await conn.execute(
                "SELECT add_compression_policy(%s::regclass, compress_after => %s::interval)",
                [table, timedelta(hours=settings.compress_after_hours)],
            )
        await conn.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", [table])
        await conn.execute(
            "SELECT add_retention_policy(%s::regclass, drop_after => %s::interval)",
            [table, timedelta(days=settings.retention_days)],
        )


async def _apply_to_aggregate(conn: AsyncConnection, aggregate: Aggregate, settings: DatabaseSettings) -> None:
    # What arrives later than the rows are compressed is aggregated no more: both windows end at the same age. A window
    # must hold two buckets or more, and it must not reach what retention has dropped, which would erase it here too.
    newest = aggregate.refresh_every
    oldest = max(timedelta(hours=settings.compress_after_hours), newest * 4)
    async with conn.transaction():
        await conn.execute(
            "SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", [aggregate.name]
        )
        await conn.execute(
            """
            SELECT add_continuous_aggregate_policy(
                %s::regclass,
                start_offset => %s::interval, end_offset => %s::interval, schedule_interval => %s::interval
            )
            """,
            [aggregate.name, oldest, newest, aggregate.refresh_every],
        )
