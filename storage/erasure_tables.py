"""Where a person's rows are: every table with a column that names a person, a device or a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psycopg import AsyncConnection, sql

SCHEMA: Final = "public"

_LAST: Final = ("recordings", "devices", "users")
"""What tells whose the other rows are goes when those are gone: so a failure in between can be made up for."""

_KEPT: Final = ("audit_log",)

_ELSEWHERE: Final = ("archived_records", "archive_progress")
"""Rows that name files: storage/archive_erasure.py takes both away; and how far a device is, which goes with it."""

_PERSON: Final = ("user_id", "patient_id", "doctor_id")
_NAMES: Final = (*_PERSON, "device_id", "recording_id", "file_path_s3")

_TABLES: Final = """
SELECT
    c.table_schema, c.table_name, c.table_name, array_agg(c.column_name::text),
    bool_or(c.column_name = 'device_id' AND c.is_nullable = 'YES')
FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE c.table_schema = %s AND t.table_type = 'BASE TABLE' AND c.column_name = ANY(%s)
GROUP BY 1, 2
ORDER BY 2
"""

_MATERIALIZED: Final = """
SELECT
    a.materialization_hypertable_schema, a.materialization_hypertable_name, a.view_name,
    array_agg(c.column_name::text), false -- made of tables whose device_id is never NULL
FROM timescaledb_information.continuous_aggregates AS a
JOIN information_schema.columns AS c
    ON c.table_schema = a.materialization_hypertable_schema AND c.table_name = a.materialization_hypertable_name
WHERE c.column_name = ANY(%s)
GROUP BY 1, 2, 3
ORDER BY 3
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, under the name that people know it by, and which of the telling columns it has."""

    schema: str
    table: str
    name: str
    columns: frozenset[str]
    may_lack_device: bool = False

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.table)

    @property
    def condition(self) -> sql.Composable | None:
        """Which rows, as `t`, are theirs; None for a table that is done last or elsewhere, or kept.

        A row says whose it is by a person's column, else by its recording, else by its device; a device that changed
        hands takes nobody's history with it. The device stands in front because the columnstore is ordered by it.
        """
        if self.schema == SCHEMA and self.table in (*_LAST, *_KEPT, *_ELSEWHERE):
            return None
        theirs: list[sql.Composable] = [
            sql.SQL("t.{} = %(user_id)s").format(sql.Identifier(name)) for name in _PERSON if name in self.columns
        ]
        if "recording_id" in self.columns:
            theirs.append(sql.SQL("t.recording_id = ANY(%(recordings)s)"))
        if "device_id" in self.columns:
            theirs.append(self._by_device())
        whose = sql.SQL("({})").format(sql.SQL(" OR ").join(theirs)) if theirs else None
        if whose is not None and self.columns >= {"device_id", "recording_id"}:
            lacking = sql.SQL(" OR t.device_id IS NULL" if self.may_lack_device else "")
            return sql.SQL("(t.device_id = ANY(%(used_devices)s){}) AND {}").format(lacking, whose)
        return whose

    def _by_device(self) -> sql.Composable:
        """Rows that name nobody, of a device that is theirs now and of a recording that nobody else has."""
        parts = [sql.SQL("t.device_id = ANY(%(devices)s)")]
        if "user_id" in self.columns:
            parts.append(sql.SQL("t.user_id IS NULL"))
        if "recording_id" in self.columns:
            parts.append(
                sql.SQL("NOT EXISTS (SELECT FROM public.recordings AS r WHERE r.recording_id = t.recording_id)")
            )
        return sql.SQL("({})").format(sql.SQL(" AND ").join(parts))


async def relations(conn: AsyncConnection) -> list[Relation]:
    """Every such table, and what continuous aggregates have made of them; asked of the database, so none is forgotten.

    A table is deleted from before the aggregates that are made of it.
    """
    cursor = await conn.execute(_TABLES, [SCHEMA, list(_NAMES)])
    rows = await cursor.fetchall()
    cursor = await conn.execute("SELECT to_regclass('timescaledb_information.continuous_aggregates') IS NOT NULL")
    if await cursor.fetchone() == (True,):
        cursor = await conn.execute(_MATERIALIZED, [list(_NAMES)])
        rows += await cursor.fetchall()
    return [Relation(schema, table, name, frozenset(columns), lacks) for schema, table, name, columns, lacks in rows]
