"""An audit log from before the chain is chained when the schema is brought up to date."""

from __future__ import annotations

import psycopg
import pytest

from storage import migrate as migrating
from storage.audit import append
from storage.audit_chain import verify
from storage.database import writer
from storage.migrate import migrate, migrations
from tests.storage.conftest import own_database, settings_for
from tests.storage.test_audit import AT

WRITE_AS_BEFORE_0010 = """
INSERT INTO audit_log (at, actor, action, subject, address)
SELECT now(), 'ada', 'auth.login', k::text, CASE WHEN k % 2 = 0 THEN '::1' END FROM generate_series(1, 30) AS k
"""


@pytest.mark.embedded
async def test_old_lines_are_chained_in_the_order_they_came(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_database(postgres_url) as url:
        with monkeypatch.context() as patch:
            before = [step for step in migrations(timescale=False) if step.name < "0010"]
            patch.setattr(migrating, "migrations", lambda **_: before)
            await migrate(url, settings_for(url))
        async with await psycopg.AsyncConnection.connect(url) as conn:
            await conn.execute(WRITE_AS_BEFORE_0010)
        await migrate(url, settings_for(url))
        database = writer(settings_for(url))
        await database.open()
        async with database.transaction() as conn:
            await append(conn, "ada", "auth.logout", "31", None, AT)
        verdict = await verify(database, portion=7)
        await database.close()
        assert (verdict.entries, verdict.problem) == (31, None)
