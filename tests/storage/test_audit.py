"""The audit log takes lines, and gives none up."""

from uuid import uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.audit import append
from tests.storage.made import START_US


async def test_a_line_is_added_and_can_not_be_changed(conn: AsyncConnection) -> None:
    subject = str(uuid4())
    await append(conn, "ada", "report.download", subject, "::1", to_datetime(START_US))
    for change in ("UPDATE audit_log SET actor = 'bob' WHERE subject = %s", "DELETE FROM audit_log WHERE subject = %s"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            async with conn.transaction():
                await conn.execute(change, [subject])
    cursor = await conn.execute("SELECT actor, action, address FROM audit_log WHERE subject = %s", [subject])
    assert await cursor.fetchall() == [("ada", "report.download", "::1")]
