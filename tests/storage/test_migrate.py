"""A schema is brought up to date once, by whoever comes first, and its policies follow the settings."""

import asyncio

import psycopg
import pytest

from schemas.errors import Busy, Misconfigured
from schemas.settings import DatabaseSettings
from storage.database import Database
from storage.migrate import migrate, migrations, pending
from storage.policies import HYPERTABLES
from tests.storage.conftest import settings_for


async def test_an_up_to_date_schema_has_nothing_to_do(database: Database, settings: DatabaseSettings) -> None:
    again = await migrate(settings.url, settings)
    assert again.applied == []
    assert again.current == migrations(timescale=again.timescale)[-1].name
    assert await pending(settings.url) == []


async def test_a_step_that_was_changed_is_refused(database: Database, settings: DatabaseSettings) -> None:
    forge = "UPDATE schema_migrations SET checksum = %s || checksum WHERE name = '0001_accounts'"
    mend = "UPDATE schema_migrations SET checksum = substr(checksum, 7) WHERE name = '0001_accounts'"
    async with database.transaction() as conn:
        await conn.execute(forge, ["forged"])
    with pytest.raises(Misconfigured, match="0001_accounts was applied to this database with other contents"):
        await migrate(settings.url, settings)
    async with database.transaction() as conn:
        await conn.execute(mend)


async def test_a_server_that_is_away_is_busy() -> None:
    url = "postgresql://127.0.0.1:1/x"
    with pytest.raises(Busy, match="DATABASE_URL is right"):
        await migrate(url, settings_for(url))


@pytest.mark.embedded
async def test_processes_that_migrate_at_once_apply_each_step_once(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as server:
        await server.execute("CREATE DATABASE migrated_at_once")
    url = postgres_url.rsplit("/", 1)[0] + "/migrated_at_once"
    assert await pending(url) == [step.name for step in migrations(timescale=False)]
    reports = await asyncio.gather(*(migrate(url, settings_for(url)) for _ in range(3)))
    assert sorted(len(report.applied) for report in reports) == [0, 0, len(migrations(timescale=False))]


@pytest.mark.embedded
async def test_an_owner_who_is_no_superuser_can_migrate(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as server:
        await server.execute("CREATE ROLE owner_of_leadwire LOGIN CREATEROLE PASSWORD 'x'")
        await server.execute("CREATE DATABASE owned OWNER owner_of_leadwire")
        await server.execute("GRANT leadwire_reader, leadwire_auditor TO owner_of_leadwire WITH ADMIN OPTION")
    address = postgres_url.split("@")[1].rsplit("/", 1)[0]
    url = f"postgresql://owner_of_leadwire:x@{address}/owned"
    assert (await migrate(url, settings_for(url))).applied
    for role in ("leadwire_reader", "leadwire_auditor"):
        opened = Database(url, pool_size=1, role=role)
        await opened.open()
        await opened.ping()
        await opened.close()


@pytest.mark.embedded
async def test_a_role_that_may_not_change_the_schema_is_told_so(postgres_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as server:
        await server.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
        await server.execute("CREATE DATABASE not_the_strangers")
    url = f"postgresql://stranger:x@{postgres_url.split('@')[1].rsplit('/', 1)[0]}/not_the_strangers"
    with pytest.raises(Misconfigured, match="whose role owns the schema"):
        await migrate(url, settings_for(url))


@pytest.mark.timescale
async def test_the_growing_tables_are_hypertables_with_a_columnstore(timescale_url: str) -> None:
    await migrate(timescale_url, settings_for(timescale_url))
    async with await psycopg.AsyncConnection.connect(timescale_url) as conn:
        cursor = await conn.execute("""
            SELECT hypertable_name
            FROM timescaledb_information.hypertables
            WHERE compression_enabled
        """)
        assert {row[0] for row in await cursor.fetchall()} >= set(HYPERTABLES) - {"ecg_waveforms"}  # coded already


@pytest.mark.timescale
async def test_policies_follow_the_settings(timescale_url: str) -> None:
    changed: dict[str, object] = {
        "LEADWIRE_CHUNK_HOURS": 6, "LEADWIRE_COMPRESS_AFTER_HOURS": 12, "LEADWIRE_RETENTION_DAYS": 30,
    }  # fmt: skip
    assert await policies(timescale_url, changed) == {
        "chunk": "06:00:00",
        "policy_compression": "12:00:00",
        "policy_retention": "30 days",
        "policy_refresh_continuous_aggregate": "12:00:00",
    }
    assert await policies(timescale_url, {}) == {
        "chunk": "1 day",
        "policy_compression": "2 days",
        "policy_retention": "365 days",
        "policy_refresh_continuous_aggregate": "2 days",
    }


async def policies(url: str, changed: dict[str, object]) -> dict[str, str]:
    """What holds for ecg_beats, and how far back its minutes are refreshed, after migrating with these settings."""
    await migrate(url, settings_for(url, **changed))
    async with await psycopg.AsyncConnection.connect(url) as conn:
        cursor = await conn.execute("""
            SELECT proc_name, config ->> 'compress_after', config ->> 'drop_after', config ->> 'start_offset'
            FROM timescaledb_information.jobs
            WHERE hypertable_name IN ('ecg_beats', 'metrics_1min')
        """)
        found = {row[0]: next(filter(None, row[1:])) for row in await cursor.fetchall()}
        cursor = await conn.execute("""
            SELECT time_interval::text
            FROM timescaledb_information.dimensions
            WHERE hypertable_name = 'ecg_beats'
        """)
        [chunk] = [row[0] for row in await cursor.fetchall()]
        return found | {"chunk": chunk}
