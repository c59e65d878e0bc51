"""Audit: who did what to whose data, from where; rows are added and never changed."""

from __future__ import annotations

from datetime import datetime

from psycopg import AsyncConnection


async def append(
    conn: AsyncConnection, actor: str, action: str, subject: str, address: str | None, at: datetime
) -> None:
    """Add one line, in the transaction of what it tells about.

    `actor` is a user_id, a device_id or a service's name, `action` a verb ("report.download"), `subject` the id of
    what was touched, `address` the network address it came from.
    """
    await conn.execute(
        "INSERT INTO audit_log (at, actor, action, subject, address) VALUES (%s, %s, %s, %s, %s)",
        [at, actor, action, subject, address],
    )
