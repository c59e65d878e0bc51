"""The archive, killed at every step and left without its servers: each sample once, and the checksums agree."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from leadwire.children import Children
from leadwire.embedded import Postgres
from processors.archive import ArchiveService
from schemas.clock import to_datetime
from schemas.samples import WaveformStretch
from schemas.settings_store import ArchiveSettings
from storage import archive_checks, archive_index, archived_samples, samples
from storage.access import everything
from storage.archive_records import ArchivedHour
from storage.archive_shelf import Shelf
from storage.database import Database, writer
from storage.migrate import migrate
from storage.objects_local import LocalObjects
from tests.storage import made
from tests.storage.conftest import settings_for
from tests.storage.made import START_US, Patient
from tests.storage.test_samples import assert_same

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]

AN_HOUR = 900_000
NOW_S = START_US // 1_000_000 + 5 * 86_400


@dataclass(frozen=True, slots=True)
class Scene:
    """A database and a folder of its own, and who recorded."""

    url: str
    database: Database
    folder: Path
    patients: list[Patient]

    @property
    def store(self) -> LocalObjects:
        return LocalObjects(self.folder, SecretStr("x" * 32), "http://localhost")

    async def read(self, patient: Patient) -> list[WaveformStretch]:
        async with self.database.transaction() as conn:
            kept = await samples.kept(conn, everything(), patient.recording.recording_id)
        return await archived_samples.read_kept(
            self.database, Shelf(lambda: self.store, 2**25), kept, 0, kept.extent.end_index
        )

    async def hot_rows(self) -> int:
        async with self.database.transaction() as conn:
            [(count,)] = await (await conn.execute("SELECT count(*) FROM ecg_waveforms")).fetchall()
            return int(count)

    def env(self) -> dict[str, str]:
        ours = {"DATABASE_URL": self.url, "LEADWIRE_OBJECTS_DIR": str(self.folder), "LEADWIRE_ENV": "development"}
        return {**os.environ, **ours, "LEADWIRE_ARCHIVE": "true", "LEADWIRE_HOT_DAYS": "0"}


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    with Children(tmp_path / "logs") as running:
        yield running


@pytest.fixture
async def scene(children: Children, tmp_path: Path) -> AsyncIterator[Scene]:
    url = Postgres.start(children, tmp_path).url("postgres")
    settings = settings_for(url)
    await migrate(url, settings)
    database = writer(settings)
    await database.open()
    async with database.transaction() as conn:
        patients = [await made.a_patient(conn) for _ in range(2)]
        for patient in patients:
            firsts = (0, 2500, 7500, AN_HOUR, AN_HOUR + 5000)
            await samples.write_stretches(conn, [made.a_stretch(patient.recording, first, 2500) for first in firsts])
            await made.write_beats(conn, [made.a_beat(patient.recording, index) for index in range(100, 9000, 200)])
    yield Scene(url, database, tmp_path / "objects", patients)
    await database.close()


async def test_killed_at_every_step_it_loses_and_doubles_nothing(scene: Scene) -> None:
    before = [await scene.read(patient) for patient in scene.patients]
    command = [sys.executable, "-m", "tests.embedded.mortal_archive", str(NOW_S)]
    ended = await asyncio.to_thread(subprocess.run, command, env=scene.env(), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 20
    await archive_what_is_left(scene)
    for patient, expected in zip(scene.patients, before, strict=True):
        assert_same(await scene.read(patient), expected)
    looked = await archive_checks.verify(scene.database, scene.store, deep=True)
    assert (looked.problems, looked.hours, looked.files, await scene.hot_rows()) == ([], 4, 12, 0)
    assert {hour.generation for hour in await hours(scene)} == {0}


async def archive_what_is_left(scene: Scene) -> None:
    """Of a process that was killed the server may keep a lock for a moment, so its last round may have passed it by."""
    now = to_datetime(NOW_S * 1_000_000)
    settings = ArchiveSettings.model_validate({"LEADWIRE_ARCHIVE": True, "LEADWIRE_HOT_DAYS": 0})
    await ArchiveService(scene.database, scene.store, settings, now=lambda: now).round()


async def hours(scene: Scene) -> list[ArchivedHour]:
    async with scene.database.transaction() as conn:
        return await archive_index.hours_of_recordings(conn, [one.recording.recording_id for one in scene.patients])


def test_the_command_tells_what_it_did_and_finds_no_fault(scene: Scene) -> None:
    once = leadwire(scene, "archive", "--once")
    assert once.stdout.startswith("4 hours archived (0 anew), 50000 samples in ")
    looked = leadwire(scene, "archive", "verify", "--deep")
    assert (looked.returncode, looked.stdout.rstrip().rsplit(": ", 1)[1]) == (0, "no problems")
    next(scene.folder.rglob("*.dat")).unlink()
    looked = leadwire(scene, "archive", "verify")
    assert (looked.returncode, "is missing; restore it from a backup" in looked.stdout) == (1, True)


def leadwire(scene: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leadwire", *arguments]
    return subprocess.run(command, env=scene.env(), capture_output=True, text=True, check=False)
