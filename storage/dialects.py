"""The one difference between the two databases that a query sees: how the buckets of a period are asked for."""

from __future__ import annotations

from typing import Final, Literal

from psycopg import AsyncConnection, sql

View = Literal[
    "metrics_1min", "metrics_1h", "metrics_1day", "beats_1h", "beats_1day", "heart_rate_bins_1h",
    "heart_rate_bins_1day", "qtc_bins_1h", "qtc_bins_1day", "devices_1h", "devices_1day", "fleet_1h", "fleet_1day",
    "fleet_labels_1h", "fleet_labels_1day", "fleet_rates_1h", "fleet_rates_1day", "fleet_beats_1h",
    "fleet_beats_1day", "presence_60h", "presence_60days",
]  # fmt: skip

_IS_PLAIN: Final[dict[tuple[str, int, str], bool]] = {}
"""By host, port and database; a schema's dialect never changes, so it is asked for once."""


async def between(conn: AsyncConnection, view: View, start: str = "start", end: str = "end") -> sql.Composed:
    """What to select from: the view's buckets that begin in [%(start)s, %(end)s).

    A continuous aggregate finds them by its index. A plain view would make all its buckets and throw most away, so
    there it is a function that begins with the period's rows; TimescaleDB would plan such a function without knowing
    what is materialized.
    """
    if await is_plain(conn):
        return sql.SQL("{}({}, {})").format(
            sql.Identifier(f"{view}_between"), sql.Placeholder(start), sql.Placeholder(end)
        )
    return sql.SQL("(SELECT * FROM {} WHERE bucket >= {} AND bucket < {})").format(
        sql.Identifier(view), sql.Placeholder(start), sql.Placeholder(end)
    )


async def is_plain(conn: AsyncConnection) -> bool:
    """Whether the schema was made without TimescaleDB."""
    where = conn.info.host, conn.info.port, conn.info.dbname
    if where not in _IS_PLAIN:
        cursor = await conn.execute("SELECT to_regproc('metrics_1h_between') IS NOT NULL")
        _IS_PLAIN[where] = (await cursor.fetchone()) == (True,)
    return _IS_PLAIN[where]
