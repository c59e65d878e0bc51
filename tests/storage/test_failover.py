"""A batch that a failing server cuts off is written again: nothing is lost, nothing is there twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from leadwire.children import Children
from leadwire.embedded import Postgres
from schemas.clock import to_datetime
from schemas.errors import Busy
from schemas.rhythms import ASYSTOLE
from schemas.samples import Gap
from storage.alarms import write_alarms
from storage.checkpoints import Checkpoint, save
from storage.database import Database
from storage.hrv import write_hrv
from storage.migrate import migrate
from storage.rhythms import write_rhythms
from storage.samples import write_gaps, write_stretches
from tests.servers.ports import free_ports
from tests.storage.conftest import settings_for
from tests.storage.made import (
    START_US,
    Patient,
    a_beat,
    a_hrv_stretch,
    a_patient,
    a_stretch,
    alarm_of,
    an_episode,
    metrics_at,
    write_beats,
    write_metrics,
)

pytestmark = pytest.mark.embedded

ROWS = {
    "ecg_waveforms": 2, "recording_gaps": 1, "ecg_beats": 20, "ecg_rhythms": 2, "ecg_metrics": 10, "ecg_hrv": 1,
    "ecg_alarms": 1, "checkpoints": 1,
}  # fmt: skip
CHECKPOINT = Checkpoint("ecg.samples", 0, 10, "test-1", b"state")


@dataclass
class Server:
    """A PostgreSQL of the test's own that can be killed and started again, under one address."""

    children: Children
    folder: Path
    running: Postgres

    @property
    def url(self) -> str:
        return self.running.url("postgres")

    def restart(self) -> None:
        """Killed, so what was not committed is gone; another one goes on with its files."""
        self.children.kill(self.running.child)
        (self.folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        self.running = Postgres.start(self.children, self.folder)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    [port] = free_ports(1)
    monkeypatch.setattr("leadwire.embedded.free_port", lambda: port)
    with Children(tmp_path / "logs") as children:
        yield Server(children, tmp_path, Postgres.start(children, tmp_path))


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    await migrate(server.url, settings_for(server.url))
    opened = Database(server.url, pool_size=2)
    await opened.open()
    yield opened
    await opened.close()


async def write_batch(conn: AsyncConnection, patient: Patient) -> None:
    """As a worker does: rows first, the checkpoint last, in one transaction."""
    recording = patient.recording
    await write_stretches(conn, [a_stretch(recording, first, 250) for first in (0, 250)])
    await write_gaps(conn, [Gap(recording.recording_id, 500, 600)])
    await write_beats(conn, [a_beat(recording, index) for index in range(0, 2000, 100)])
    await write_rhythms(conn, [an_episode(recording, "updated", 5, first) for first in (0, 100)])
    await write_metrics(conn, [metrics_at(recording, second) for second in range(10)], patient.owner)
    await write_hrv(conn, [a_hrv_stretch(recording)], to_datetime(START_US))
    await write_alarms(conn, [alarm_of(recording, ASYSTOLE, START_US, 5)])
    await save(conn, [CHECKPOINT])


async def counts(database: Database) -> dict[str, int]:
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(name), sql.Identifier(name)) for name in ROWS
    )
    async with database.transaction() as conn:
        return dict(await (await conn.execute(query)).fetchall())


async def cut_off(database: Database, patient: Patient, cut: Callable[[AsyncConnection], object]) -> None:
    with pytest.raises(Busy):
        await _write_and_cut(database, patient, cut)


async def _write_and_cut(database: Database, patient: Patient, cut: Callable[[AsyncConnection], object]) -> None:
    async with database.transaction() as conn:
        await write_batch(conn, patient)
        cut(conn)


def terminate(server: Server) -> Callable[[AsyncConnection], object]:
    def cut(conn: AsyncConnection) -> None:
        with psycopg.connect(server.url) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [conn.info.backend_pid])

    return cut


async def test_a_connection_that_the_server_ends_leaves_nothing_and_the_next_try_everything(
    server: Server, database: Database
) -> None:
    async with database.transaction() as conn:
        patient = await a_patient(conn)
    await cut_off(database, patient, terminate(server))
    assert set((await counts(database)).values()) == {0}
    await rewritten(database, patient)


async def test_a_server_that_is_killed_and_comes_back_is_written_to_again(server: Server, database: Database) -> None:
    async with database.transaction() as conn:
        patient = await a_patient(conn)
    await cut_off(database, patient, lambda _: server.restart())
    assert set((await counts(database)).values()) == {0}
    await rewritten(database, patient)


async def test_a_batch_whose_commit_may_have_arrived_is_there_once(server: Server, database: Database) -> None:
    """It is not known to the worker, which writes it again."""
    async with database.transaction() as conn:
        patient = await a_patient(conn)
        await write_batch(conn, patient)
    server.restart()
    await rewritten(database, patient)


async def rewritten(database: Database, patient: Patient) -> None:
    for _ in range(2):
        async with database.transaction() as conn:
            await write_batch(conn, patient)
        assert await counts(database) == ROWS
