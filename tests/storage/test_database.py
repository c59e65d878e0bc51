"""A server that is away is Busy, and one that is back is used again by itself."""

import asyncio
import socket
from collections.abc import AsyncIterator

import psycopg
import pytest

from schemas.accounts import User
from schemas.clock import to_datetime
from schemas.errors import Busy, NotFound
from schemas.pages import PageRequest
from storage.access import everything
from storage.accounts import user
from storage.beats import list_beats, write_beats
from storage.database import Database
from storage.devices import device, touch
from storage.metrics import write_metrics
from storage.rhythms import write_rhythms
from storage.samples import write_stretches
from tests.storage.made import START_US, a_beat, a_patient, a_stretch, a_user, an_episode, metrics_at


@pytest.fixture
async def small(postgres_url: str) -> AsyncIterator[Database]:
    """A pool of one connection."""
    opened = Database(postgres_url, pool_size=1)
    await opened.open()
    yield opened
    await opened.close()


async def test_times_come_back_in_utc(database: Database) -> None:
    async with database.transaction() as conn:
        cursor = await conn.execute("SELECT timestamptz '2026-06-01 12:00+02'")
        assert str((await cursor.fetchone() or [None])[0]) == "2026-06-01 10:00:00+00:00"


async def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    made: list[User] = []

    async def fail_after_writing() -> None:
        async with database.transaction() as conn:
            made.append(await a_user(conn))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    async with database.transaction() as conn:
        with pytest.raises(NotFound):
            await user(conn, everything(), made[0].user_id)


async def test_workers_that_write_the_same_rows_do_not_lock_each_other_out(database: Database) -> None:
    """Each takes its list in another order; all arrive, and every row is there once."""
    async with database.transaction() as conn:
        patients = [await a_patient(conn) for _ in range(4)]
    recordings = [patient.recording for patient in patients]

    async def write(turn: int) -> None:
        mixed = recordings[turn:] + recordings[:turn]
        async with database.transaction() as conn:
            await touch(conn, [r.device_id for r in mixed], to_datetime(START_US + turn))
            await write_beats(conn, [a_beat(r, index) for r in mixed for index in range(100, 2000, 100)])
            await write_metrics(conn, [metrics_at(r, second) for r in mixed for second in range(20)], {})
            await write_rhythms(conn, [an_episode(r, "updated", 5 + turn) for r in mixed])
            await write_stretches(conn, [a_stretch(r, 0, 500 + turn) for r in mixed])

    await asyncio.gather(*(write(turn) for turn in range(4)))
    async with database.transaction() as conn:
        for made in recordings:
            found = await list_beats(conn, everything(), made.device_id, START_US, START_US + 10**9, PageRequest())
            assert found.total == 19
            assert (await device(conn, everything(), made.device_id)).last_seen == to_datetime(START_US + 3)


async def test_a_server_that_is_away_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database._OPEN_TIMEOUT_S", 0.3)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = Database(f"postgresql://127.0.0.1:{closed.getsockname()[1]}/x", pool_size=1)
        with pytest.raises(Busy, match="see that PostgreSQL runs"):
            await away.open()
    await away.close()


@pytest.mark.embedded
async def test_a_connection_cut_in_mid_transaction_is_busy_and_the_next_one_works(small: Database) -> None:
    with pytest.raises(Busy, match="can't serve this now"):
        async with small.transaction() as conn:
            await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    await small.ping()


@pytest.mark.embedded
async def test_a_connection_cut_while_idle_is_replaced_before_it_is_used(small: Database, postgres_url: str) -> None:
    async with small.transaction() as conn:
        victim = conn.info.backend_pid
    async with await psycopg.AsyncConnection.connect(postgres_url) as other:
        await other.execute("SELECT pg_terminate_backend(%s, 5000)", [victim])
    await small.ping()


@pytest.mark.embedded
async def test_a_pool_in_use_is_busy_instead_of_waiting_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database._CONNECTION_TIMEOUT_S", 0.2)
    narrow = Database(postgres_url, pool_size=1)
    await narrow.open()
    async with narrow.transaction():
        with pytest.raises(Busy):
            await narrow.ping()
    await narrow.close()


async def test_what_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"await Database\.open\(\) first"):
        await Database("postgresql://127.0.0.1/x", pool_size=1).ping()
