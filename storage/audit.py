"""Audit: who did what to whose data, from where; rows are added and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.audit import AuditEntry, AuditLine
from schemas.pages import Page, PageRequest
from storage import pages
from storage.pages import Key, Listing
from storage.rows import fetch_all, given, where

_COLUMNS: Final = sql.SQL("""
    a.entry, a.at, a.actor, a.action, a.subject, a.address, a.patient_id, a.detail, a.audit_id,
    encode(a.previous_hash, 'hex') AS previous_hash, encode(a.hash, 'hex') AS hash""")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None leaves that out of account. The period is half-open; `actor` and `action` are whole words."""

    patient_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def append(
    conn: AsyncConnection,
    actor: str,
    action: str,
    subject: str,
    address: str | None,
    at: datetime,
    *,
    patient_id: UUID | None = None,
    detail: str | None = None,
) -> None:
    """Add one line, in the transaction of what it tells about; the fields are AuditLine's.

    The last statement of its transaction: from here until the commit nobody else can append, since each line holds the
    hash of the one before it.
    """
    await conn.execute(
        """
        INSERT INTO audit_log (at, actor, action, subject, address, patient_id, detail)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [at, actor, action, subject, address, patient_id, detail],
    )


async def append_reads(conn: AsyncConnection, lines: Sequence[AuditLine]) -> None:
    """Note who read what, in a transaction of its own: all that the role leadwire_auditor can do.

    A line without a patient gets the owner of what its subject names; one about the actor's own data is left out unless
    it is a download or a link. Refused by the database for an action that is no read.
    """
    columns = list(zip(*[_as_row(line) for line in lines], strict=True))
    await conn.execute(
        """
        SELECT append_reads(
            %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::text[]
        )
        """,
        [list(column) for column in columns],
    )


def _as_row(line: AuditLine) -> tuple[object, ...]:
    return (line.at, line.actor, line.action, line.subject, line.address, line.patient_id, line.detail)


async def list_entries(conn: AsyncConnection, wanted: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
    """Entries, newest first. For admins only: nothing here is scoped to a caller."""
    listing = Listing(
        columns=_COLUMNS,
        source=sql.SQL("audit_log AS a"),
        where=where(
            sql.SQL("true"),
            given(wanted.patient_id, "a.patient_id = %(patient_id)s"),
            given(wanted.actor, "a.actor = %(actor)s"),
            given(wanted.action, "a.action = %(action)s"),
            given(wanted.since, "a.at >= %(since)s"),
            given(wanted.until, "a.at < %(until)s"),
        ),
        order=(Key("a.entry", "bigint"),),
        descending=True,
    )
    return await pages.fetch(conn, AuditEntry, listing, page, asdict(wanted))


async def entries_after(conn: AsyncConnection, entry: int, limit: int) -> list[AuditEntry]:
    """The next `limit` entries after `entry`, in their order: the chain, in portions."""
    query = sql.SQL("""
        SELECT {columns}
        FROM audit_log AS a
        WHERE a.entry > %(entry)s
        ORDER BY a.entry, a.audit_id
        LIMIT %(limit)s
    """).format(columns=_COLUMNS)
    return await fetch_all(conn, AuditEntry, query, {"entry": entry, "limit": limit})


async def count_up_to(conn: AsyncConnection, entry: int) -> int:
    """How many lines there are up to and with `entry`; as many as its number in a whole chain."""
    cursor = await conn.execute("SELECT count(*) FROM audit_log WHERE entry <= %s OR entry IS NULL", [entry])
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
