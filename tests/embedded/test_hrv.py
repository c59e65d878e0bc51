"""`leadwire hrv`, as an operator starts it: each stretch once, by however many processes."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from leadwire.children import Child, Children
from leadwire.embedded import Postgres, free_port
from schemas.beats import Beat
from schemas.clock import now_us, to_datetime
from schemas.hrv import STRETCH_S, HrvStretch
from schemas.pages import PageRequest
from storage.access import everything
from storage.database import Database, writer
from storage.hrv import list_hrv
from storage.migrate import migrate
from tests.storage.conftest import settings_for
from tests.storage.made import Patient, a_patient, write_beats

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]

STRETCH_US = STRETCH_S * 1_000_000
PATIENTS, STRETCHES = 12, 3


@dataclass(frozen=True, slots=True)
class Service:
    """One process of it, and where it answers."""

    child: Child
    url: str

    def stretches_done(self) -> int:
        told = re.findall(r"^leadwire_hrv_stretches_total\{.*\} (\S+)$", self._get("/metrics").text, re.MULTILINE)
        return sum(int(float(count)) for count in told)

    def is_ready(self) -> bool:
        try:
            return self._get("/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10)


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with Children(tmp_path_factory.mktemp("hrv") / "logs") as running:
        yield running


@pytest.fixture(scope="module")
def database_url(children: Children, tmp_path_factory: pytest.TempPathFactory) -> str:
    return Postgres.start(children, tmp_path_factory.mktemp("postgres")).url("postgres")


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    settings = settings_for(database_url)
    await migrate(database_url, settings)
    opened = writer(settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def patients(database: Database) -> list[Patient]:
    """With beats in the last few stretches that are over."""
    first_us = (now_us() // STRETCH_US - STRETCHES - 1) * STRETCH_US
    async with database.transaction() as conn:
        known = [await a_patient(conn) for _ in range(PATIENTS)]
        for patient in known:
            await write_beats(conn, beats_from(patient, first_us, STRETCHES * STRETCH_US))
    return known


@pytest.fixture(scope="module")
def services(children: Children, database_url: str, patients: list[Patient]) -> list[Service]:
    assert patients
    return [_service(children, database_url, number) for number in (1, 2)]


def _service(children: Children, database_url: str, number: int) -> Service:
    port = free_port()
    env = {**os.environ, "DATABASE_URL": database_url, "LEADWIRE_WORKER_PORT": str(port)}
    child = children.start(f"hrv-{number}", [sys.executable, "-m", "leadwire", "hrv"], env=env)
    return Service(child, f"http://127.0.0.1:{port}")


def beats_from(patient: Patient, first_us: int, length_us: int) -> list[Beat]:
    """A beat every 0.8 s and a bit, normal all of them."""
    device_id, recording_id = patient.device.device_id, patient.recording.recording_id
    beats, at_us = list[Beat](), first_us
    while at_us < first_us + length_us:
        rr_us = 800_000 + len(beats) % 5 * 10_000
        beat = Beat(device_id, recording_id, at_us // 4000, at_us, "N", 99.0, "e-1", rr_ms=rr_us / 1000)
        beats.append(beat)
        at_us += 800_000 + len(beats) % 5 * 10_000
    return beats


async def stored(database: Database, patients: list[Patient]) -> list[HrvStretch]:
    async with database.transaction() as conn:
        pages = [
            await list_hrv(conn, everything(), patient.device.device_id, 0, 2**53, PageRequest(1, 500))
            for patient in patients
        ]
    return [row for page in pages for row in page.items]


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.2)


async def test_each_stretch_is_done_once_by_one_of_two_processes(
    database: Database, patients: list[Patient], services: list[Service]
) -> None:
    async def all_done() -> bool:
        return len(await stored(database, patients)) == PATIENTS * STRETCHES

    async def all_ready() -> bool:
        return all(service.is_ready() for service in services)

    await eventually(all_done)
    await eventually(all_ready)
    rows = await stored(database, patients)
    assert {(row.reason, round(row.mean_nn_ms or 0)) for row in rows} == {(None, 820)}
    assert len({(row.device_id, row.stretch_start) for row in rows}) == PATIENTS * STRETCHES
    assert sum(service.stretches_done() for service in services) == PATIENTS * STRETCHES


async def test_it_goes_on_when_the_database_hung_up(
    database: Database, patients: list[Patient], services: list[Service]
) -> None:
    late_us = (now_us() // STRETCH_US - 1) * STRETCH_US
    async with database.transaction() as conn:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        await write_beats(conn, beats_from(patients[0], late_us, 60_000_000))

    async def is_done() -> bool:
        [newest, *_] = await stored(database, patients[:1])
        return (newest.stretch_start, newest.reason) == (to_datetime(late_us), "little_nn")

    await eventually(is_done)
    assert [service.child.exit_code for service in services] == [None, None]


def test_it_stops_in_good_order(children: Children, services: list[Service]) -> None:
    for service in services:
        children.stop(service.child)
    assert [service.child.exit_code for service in services] == [0, 0]
