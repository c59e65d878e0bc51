"""A server that is away is Busy, and one that is back is used again by itself."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
from psycopg import AsyncConnection

from schemas.accounts import User
from schemas.clock import to_datetime
from schemas.errors import Busy, NotFound
from schemas.rhythms import ASYSTOLE
from schemas.samples import Gap, Recording
from storage.access import everything
from storage.accounts import user
from storage.alarms import write_alarms
from storage.checkpoints import Checkpoint, save
from storage.database import Database
from storage.devices import touch
from storage.hrv import write_hrv
from storage.migrate import migrate
from storage.rhythms import write_rhythms
from storage.samples import write_gaps, write_stretches
from tests.storage.conftest import settings_for
from tests.storage.made import (
    START_US,
    a_beat,
    a_hrv_stretch,
    a_patient,
    a_stretch,
    a_user,
    alarm_of,
    an_episode,
    metrics_at,
    write_beats,
    write_metrics,
)


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    """An up-to-date schema, and as many connections as it takes."""
    await migrate(postgres_url, settings_for(postgres_url))
    opened = Database(postgres_url, pool_size=8)
    await opened.open()
    yield opened
    await opened.close()


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


async def touch_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await touch(conn, {r.device_id: to_datetime(START_US) for r in recordings})


async def beat_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_beats(conn, [a_beat(r, index) for r in recordings for index in (100, 300)])


async def measure_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_metrics(conn, [metrics_at(r, second) for r in recordings for second in (0, 1)], {})


async def name_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_rhythms(conn, [an_episode(r, "updated", 5, first) for r in recordings for first in (0, 100)])


async def stretch_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_stretches(conn, [a_stretch(r, first, 100) for r in recordings for first in (0, 100)])


async def gap_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_gaps(conn, [Gap(r.recording_id, first, first + 10) for r in recordings for first in (0, 100)])


async def alarm_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_alarms(conn, [alarm_of(r, ASYSTOLE, START_US, at_s) for r in recordings for at_s in (0, 60)])


async def vary_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    await write_hrv(conn, [a_hrv_stretch(r, number) for r in recordings for number in (0, 1)], to_datetime(START_US))


async def check_all(conn: AsyncConnection, recordings: list[Recording]) -> None:
    """A partition for each recording, of the same number."""
    await save(conn, [Checkpoint("t", r.recording_id.time_low >> 1, 5, "test-1", b"") for r in recordings])


async def until_waiting(conn: AsyncConnection, workers: int) -> None:
    """Return when that many backends wait for a lock."""
    async with asyncio.timeout(10):
        waiting = None
        while waiting != (workers,):
            waiting = await (await conn.execute(WAITING)).fetchone()


WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
WRITERS = [touch_all, beat_all, measure_all, name_all, stretch_all, gap_all, alarm_all, vary_all, check_all]


@pytest.mark.embedded
@pytest.mark.parametrize("write", WRITERS)
async def test_workers_that_write_the_same_rows_do_not_lock_each_other_out(
    postgres: Database, write: Callable[[AsyncConnection, list[Recording]], Awaitable[None]]
) -> None:
    """Each has its list in another order, and all are held up in the middle of it, holding what the others want."""
    async with postgres.transaction() as conn:
        recordings = [(await a_patient(conn)).recording for _ in range(8)]

    async def work(turn: int) -> None:
        async with postgres.transaction() as conn:
            await write(conn, recordings[turn:] + recordings[:turn])

    middle = min(recordings, key=lambda r: abs(r.recording_id.bytes[0] - 128))
    async with (
        asyncio.TaskGroup() as workers,
        postgres.transaction() as holder,
        holder.transaction(force_rollback=True),
    ):
        await write(holder, [middle])
        for turn in range(0, 8, 2):
            workers.create_task(work(turn))
        await until_waiting(holder, 4)


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
