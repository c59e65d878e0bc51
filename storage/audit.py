"""Audit: who did what to whose data, from where; rows are added and never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection


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
    """Add one line, in the transaction of what it tells about.

    `actor` is a user_id, a device_id or a service's name, `action` a verb ("report.download"), `subject` the id of
    what was touched, `address` the network address it came from, `patient_id` the user whose data it is, `detail` what
    else is worth knowing, never a secret or a measurement.
    """
    await conn.execute(
        """
        INSERT INTO audit_log (at, actor, action, subject, address, patient_id, detail)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        [at, actor, action, subject, address, patient_id, detail],
    )
