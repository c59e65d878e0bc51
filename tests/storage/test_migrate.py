"""A schema is brought up to date once, by whoever comes first, and its policies follow the settings."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from schemas.errors import Busy, Misconfigured
from schemas.history import AGGREGATES
from schemas.settings_store import DatabaseSettings
from storage.database import Database
from storage.migrate import migrate, migrations, pending
from storage.policies import COLUMNSTORE
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
        assert {row[0] for row in await cursor.fetchall()} >= set(COLUMNSTORE)


@pytest.mark.timescale
async def test_policies_follow_the_settings(timescale_url: str) -> None:
    changed: dict[str, object] = {
        "LEADWIRE_CHUNK_HOURS": 6, "LEADWIRE_COMPRESS_AFTER_HOURS": 12, "LEADWIRE_RETENTION_DAYS": 30,
        "LEADWIRE_TABLE_RETENTION_DAYS": {"metrics_1min": 20}, "LEADWIRE_REFRESH_DAYS": 10,
    }  # fmt: skip
    found = await policies(timescale_url, changed)
    assert found["ecg_beats"] == Policies(hours(3), compress=hours(12), drop=days(30))
    assert found["ecg_rhythms"] == Policies(hours(42), compress=hours(12), drop=days(30))
    assert found["metrics_1min"] == Policies(hours(12), compress=days(3), drop=days(20), refresh=days(10))
    found = await policies(timescale_url, {})
    assert found["ecg_beats"] == Policies(hours(12), compress=days(2), drop=days(365))
    assert found["metrics_1min"] == Policies(days(2), compress=days(3), refresh=days(365) - timedelta(minutes=1))
    assert found["metrics_1day"] == Policies(days(30), compress=days(3))


@pytest.mark.timescale
async def test_a_table_may_stay_out_of_the_columnstore_and_be_kept_forever(timescale_url: str) -> None:
    never: dict[str, object] = {
        "LEADWIRE_TABLE_COMPRESS_AFTER_HOURS": {"ecg_rhythms": 0}, "LEADWIRE_TABLE_RETENTION_DAYS": {"ecg_hrv": 0},
    }  # fmt: skip
    found = await policies(timescale_url, never, archives=True)
    assert found["ecg_rhythms"] == Policies(days(7), drop=days(365))
    assert found["ecg_waveforms"] == Policies(hours(12))  # what the archive has not verified is not dropped
    assert found["ecg_hrv"] == Policies(days(7), compress=days(2))
    await policies(timescale_url, {})


@pytest.mark.timescale
async def test_aggregates_that_are_there_keep_what_they_hold(timescale_url: str) -> None:
    await migrate(timescale_url, settings_for(timescale_url))
    before = await made_aggregates(timescale_url)
    await migrate(timescale_url, settings_for(timescale_url))
    assert await made_aggregates(timescale_url) == before
    assert set(before) >= {aggregate.name for aggregate in AGGREGATES}


@dataclass(frozen=True, slots=True)
class Policies:
    """Of one table or aggregate, as the server tells them."""

    chunk: timedelta
    compress: timedelta | None = None
    drop: timedelta | None = None
    refresh: timedelta | None = None


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def days(count: int) -> timedelta:
    return timedelta(days=count)


async def policies(url: str, changed: dict[str, object], *, archives: bool = False) -> dict[str, Policies]:
    """What holds after migrating with these settings, by the name of the table or aggregate."""
    await migrate(url, settings_for(url, **changed), archives=archives)
    async with await psycopg.AsyncConnection.connect(url) as conn:
        cursor = await conn.execute("""
            SELECT
                coalesce(a.view_name, d.hypertable_name),
                d.time_interval,
                max(j.config ->> 'compress_after')::interval,
                max(j.config ->> 'drop_after')::interval,
                max(j.config ->> 'start_offset')::interval
            FROM timescaledb_information.dimensions AS d
            LEFT JOIN timescaledb_information.continuous_aggregates AS a
                ON a.materialization_hypertable_name = d.hypertable_name
            LEFT JOIN timescaledb_information.jobs AS j
                ON j.hypertable_name IN (d.hypertable_name, a.view_name)
            GROUP BY 1, 2
        """)
        return {row[0]: Policies(*row[1:]) for row in await cursor.fetchall()}


async def made_aggregates(url: str) -> dict[str, str]:
    async with await psycopg.AsyncConnection.connect(url) as conn:
        cursor = await conn.execute("""
            SELECT view_name, materialization_hypertable_name
            FROM timescaledb_information.continuous_aggregates
        """)
        return dict(await cursor.fetchall())
