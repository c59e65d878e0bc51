"""A backup comes back whole, or says what is wrong; nothing that is there is ever overwritten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import AsyncConnection
from pydantic import SecretStr

from leadwire import backup_manifest, backup_programs, restore
from leadwire.backup import back_up, verify
from leadwire.backup_manifest import Manifest
from leadwire.backup_progress import Silence
from leadwire.doctor import examine
from schemas.errors import Busy, Duplicate, Malformed, Misconfigured, NotFound
from schemas.settings import Settings
from schemas.settings_store import DatabaseSettings
from storage import audit, backups, checkpoints, restores
from storage.checkpoints import Checkpoint
from storage.database import reader, writer
from storage.migrate import migrate
from storage.objects import Objects, objects
from storage.objects_local import LocalObjects
from storage.restores import Target
from tests.servers.minio import S3Address
from tests.storage.conftest import own_database
from tests.storage.test_erasure import leave_traces

pytestmark = [pytest.mark.embedded]

NOBODY = "127.0.0.1:1"
SECRET = "a-password-of-roles"
NATIVE = os.environ.get("LEADWIRE_TEST_TIMESCALE")
"""The TimescaleDB that tests bring themselves has no COPY, by which every dump is made: these want a given one."""
QUIET = Silence()


@dataclass(frozen=True, slots=True)
class Site:
    """A database and a folder of objects, told to Leadwire through the environment."""

    url: str
    store: Path
    patch: pytest.MonkeyPatch

    @property
    def settings(self) -> Settings:
        for name, value in self.environment.items():
            self.patch.setenv(name, value)
        return Settings()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.url,
            "LEADWIRE_ENV": "development",
            "LEADWIRE_OBJECTS_DIR": str(self.store),
            "LEADWIRE_KAFKA_BOOTSTRAP": NOBODY,
            "LEADWIRE_READER_DATABASE_URL": self.login("leadwire_reader"),
            "LEADWIRE_AUDITOR_DATABASE_URL": self.login("leadwire_auditor"),
            "LEADWIRE_READER_PASSWORD": SECRET,
            "LEADWIRE_AUDITOR_PASSWORD": SECRET,
        }

    def login(self, role: str) -> str:
        parts = urlsplit(self.url)
        return parts._replace(netloc=f"{role}:{SECRET}@{parts.hostname}:{parts.port}").geturl()

    @property
    def objects(self) -> LocalObjects:
        return LocalObjects(self.store, SecretStr("x" * 32), "http://localhost")


@pytest.fixture(params=["postgres", *(["timescale"] if NATIVE else [])])
def server_url(request: pytest.FixtureRequest) -> str:
    return NATIVE or "" if request.param == "timescale" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def here(server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with own_database(server_url) as url:
        yield Site(url, tmp_path / "here", monkeypatch)


@pytest.fixture
def there(server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with own_database(server_url) as url:
        yield Site(url, tmp_path / "there", monkeypatch)


@asynccontextmanager
async def on(site: Site) -> AsyncIterator[AsyncConnection]:
    database = writer(DatabaseSettings.model_validate({"DATABASE_URL": site.url, "DATABASE_POOL_SIZE": 1}))
    await database.open()
    async with database.transaction() as conn:
        yield conn
    await database.close()


async def fill(site: Site) -> None:
    """A row in every table, and objects."""
    await migrate(site.url, site.settings.database)
    async with on(site) as conn:
        await leave_traces(conn, site.objects)
        await conn.execute("UPDATE cloud_files SET sha256 = sha256('file')")
        await checkpoints.save(conn, [Checkpoint("ecg.samples", 0, 7, "e", b"state")])
        await audit.append(conn, "somebody", "user.read", "u", None, datetime(2026, 1, 1, tzinfo=UTC))


async def made(site: Site, folder: Path) -> Manifest:
    await fill(site)
    return await back_up(site.settings, folder, QUIET)


async def test_all_comes_back(here: Site, there: Site, tmp_path: Path) -> None:
    manifest = await made(here, tmp_path / "b")
    done = await restore.restore(there.settings, tmp_path / "b", QUIET)
    assert manifest.rows["ecg_beats"] > 0
    count = len(contents(here.store))
    assert (done.objects, done.put, done.verdict.problem, done.pending) == (count, count, None, [])
    assert tables(there.url, "audit_log") == tables(here.url, "audit_log")


def tables(url: str, but: str) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with psycopg.connect(url) as conn:
        names = [
            str(name)
            for (name,) in conn.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
            )
            if name != but
        ]
        query = "SELECT t::text FROM {} AS t ORDER BY 1"
        return {
            name: [str(row) for (row,) in conn.execute(psycopg.sql.SQL(query).format(psycopg.sql.Identifier(name)))]
            for name in names
        }


async def test_the_objects_come_back_as_they_were(here: Site, there: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    await restore.restore(there.settings, tmp_path / "b", QUIET)
    assert contents(there.store) == contents(here.store)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_the_doctor_finds_the_roles_well_afterwards(here: Site, there: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    await restore.restore(there.settings, tmp_path / "b", QUIET)
    found = {finding.name: finding.problem for finding in await examine(there.settings)}
    assert [found[f"database, {what}"] for what in ("writing", "reading", "auditing")] == [None] * 3
    assert found["database schema"] is None


async def test_the_reader_still_sees_no_secret(here: Site, there: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    await restore.restore(there.settings, tmp_path / "b", QUIET)
    reading = reader(there.settings.database)
    await reading.open()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with reading.transaction() as conn:
            await conn.execute("SELECT password_hash FROM users")
    await reading.close()


async def test_the_log_tells_of_a_backup_and_of_a_restore(here: Site, there: Site, tmp_path: Path) -> None:
    manifest = await made(here, tmp_path / "b")
    await restore.restore(there.settings, tmp_path / "b", QUIET)
    assert (last_action(here.url), last_action(there.url)) == (
        ("backup.make", manifest.backup_id),
        ("backup.restore", manifest.backup_id),
    )


def last_action(url: str) -> tuple[str, str]:
    with psycopg.connect(url) as conn:
        [[action, subject]] = conn.execute("SELECT action, subject FROM audit_log ORDER BY entry DESC LIMIT 1")
    return str(action), str(subject)


async def test_a_backup_is_for_its_owner_only_and_holds_no_password(here: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    secrets = [SECRET.encode(), f":{urlsplit(here.url).password}@".encode()]
    assert not any(secret in data for secret in secrets for data in contents(tmp_path / "b").values())


async def test_nothing_is_restored_over_anything(here: Site, there: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    await migrate(there.url, there.settings.database)
    with pytest.raises(Duplicate, match="not empty"):
        await restore.restore(there.settings, tmp_path / "b", QUIET)


@pytest.mark.parametrize("name", ["database/toc.dat", "objects.jsonl", "objects", "backup.json"])
async def test_a_damaged_backup_is_found_before_anything_is_touched(
    here: Site, there: Site, tmp_path: Path, name: str
) -> None:
    await made(here, tmp_path / "b")
    spoil(tmp_path / "b" / name)
    with pytest.raises(Malformed):
        await restore.restore(there.settings, tmp_path / "b", QUIET)
    assert not tables(there.url, "")


def spoil(path: Path) -> None:
    """Change one byte of a file, or of the first one in a folder."""
    file = next(each for each in sorted(path.rglob("*")) if each.is_file()) if path.is_dir() else path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


async def test_a_missing_file_is_named(here: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    (tmp_path / "b" / "database" / "toc.dat").unlink()
    assert (await verify(tmp_path / "b", QUIET)).problems == ["database/toc.dat is missing"]


async def test_a_folder_with_something_else_is_left_alone(here: Site, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").write_text("mine")
    with pytest.raises(Duplicate, match="not empty"):
        await back_up(here.settings, tmp_path / "b", QUIET)


async def test_a_whole_backup_is_not_written_over(here: Site, tmp_path: Path) -> None:
    await made(here, tmp_path / "b")
    with pytest.raises(Duplicate, match="whole backup already"):
        await back_up(here.settings, tmp_path / "b", QUIET)


async def test_an_object_that_the_store_lacks_is_told(here: Site, tmp_path: Path) -> None:
    await fill(here)
    shutil.rmtree(here.store / "files")
    manifest = await back_up(here.settings, tmp_path / "b", QUIET)
    assert [problem.split("/")[0] for problem in manifest.problems] == ["files"]


async def test_an_object_that_is_not_what_its_row_says_is_told(here: Site, tmp_path: Path) -> None:
    await fill(here)
    spoil(here.store / "files")
    manifest = await back_up(here.settings, tmp_path / "b", QUIET)
    [problem] = [each for each in manifest.problems if each.startswith("files/")]
    assert "is not what its row says" in problem


async def test_without_objects_only_the_database_comes_back(here: Site, there: Site, tmp_path: Path) -> None:
    await fill(here)
    await back_up(here.settings, tmp_path / "b", QUIET, with_objects=False)
    with pytest.raises(Misconfigured, match="--without-objects"):
        await restore.restore(there.settings, tmp_path / "b", QUIET)
    done = await restore.restore(there.settings, tmp_path / "b", QUIET, with_objects=False)
    assert (done.objects, there.store.exists()) == (0, False)


def command(site: Site, *words: str) -> subprocess.Popen[bytes]:
    environment = os.environ | site.environment
    program = [sys.executable, "-m", "leadwire", *words]
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_when(running: subprocess.Popen[bytes], seen: Path | str) -> None:
    """As soon as a file is there, or standard error says it."""
    assert running.stderr is not None
    for line in running.stderr:
        if str(seen) in line.decode():
            running.send_signal(signal.SIGKILL)
            break
    running.communicate()


@pytest.mark.parametrize("step", ["counting rows", "database", "objects", "sums"])
async def test_a_backup_that_was_killed_can_be_run_again(here: Site, tmp_path: Path, step: str) -> None:
    await fill(here)
    kill_when(command(here, "backup", str(tmp_path / "b")), step)
    if not (tmp_path / "b" / "backup.json").exists():  # the last step may be over sooner than the signal comes
        with pytest.raises(NotFound, match="run the same"):
            backup_manifest.read(tmp_path / "b")
        await back_up(here.settings, tmp_path / "b", QUIET)
    assert (await verify(tmp_path / "b", QUIET)).problems == []


@pytest.mark.parametrize("step", ["database", "counting rows", "objects", "audit log"])
async def test_a_restore_that_was_killed_can_be_run_again(here: Site, there: Site, tmp_path: Path, step: str) -> None:
    await made(here, tmp_path / "b")
    kill_when(command(there, "restore", str(tmp_path / "b")), step)
    with pytest.raises(Misconfigured, match="did not end"):
        await migrate(there.url, there.settings.database)
    done = await restore.restore(there.settings, tmp_path / "b", QUIET)
    assert done.verdict.problem is None
    assert tables(there.url, "audit_log") == tables(here.url, "audit_log")


async def test_only_what_is_marked_is_ever_cleared(here: Site) -> None:
    await fill(here)
    async with backups.connected(here.url) as conn:
        with pytest.raises(Misconfigured, match="not marked"):
            await restores.clear(conn)


async def test_what_is_written_meanwhile_is_in_no_part_of_a_backup(here: Site, tmp_path: Path) -> None:
    await fill(here)
    written = await back_up(here.settings, tmp_path / "b", Meddler(here.url))
    assert written.rows["users"] == 2
    assert users_in(tmp_path / "b", here) == 2


class Meddler(Silence):
    """A user is made between the counting and the dump."""

    def __init__(self, url: str) -> None:
        self._url = url

    def step(self, what: str, total_bytes: int | None = None) -> None:
        if what == "database":
            with psycopg.connect(self._url) as conn:
                conn.execute("INSERT INTO users (username, password_hash, role) VALUES ('late', 'x', 'user')")


def users_in(folder: Path, site: Site) -> int:
    program = backup_programs.find("pg_restore", 18).path
    words: list[str | Path] = [program, "--data-only", "--table=users", "-f", "-", folder / "database"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    data = told.split("FROM stdin;\n", 1)[1].split("\n\\.", 1)[0]
    return len(data.splitlines())


def test_the_oldest_program_that_fits_is_taken() -> None:
    assert backup_programs.find("pg_dump", 15).major >= 15
    with pytest.raises(Misconfigured, match=r"needs a pg_dump of 99 or newer .*install postgresql-client-99"):
        backup_programs.find("pg_dump", 99)


async def test_no_command_line_holds_a_password(here: Site) -> None:
    assert backups.environment("postgresql://u:secret@h:5/d?sslmode=require") == {
        "PGUSER": "u", "PGPASSWORD": "secret", "PGHOST": "h", "PGPORT": "5", "PGDATABASE": "d",
        "PGSSLMODE": "require",
    }  # fmt: skip


async def test_a_program_that_fails_is_told_by_its_first_error(here: Site) -> None:
    program = backup_programs.find("pg_dump", 18)
    with pytest.raises(Busy, match="no_such_database"):
        await backup_programs.run(program, ["-w"], backups.environment(here.url) | {"PGDATABASE": "no_such_database"})


async def test_a_backup_of_timescaledb_wants_the_same_version(here: Site, tmp_path: Path) -> None:
    manifest = await made(here, tmp_path / "b")
    of_timescale = json.loads(json.dumps({"timescale": "2.28.3"}))
    wanted = Manifest(**{name: getattr(manifest, name) for name in Manifest.__slots__} | of_timescale)
    with pytest.raises(Misconfigured, match=r"2\.28\.3 and this server has 2\.20\.0; install that version"):
        restore.refuse_unfit(Target(18, False, None, ["2.20.0"]), wanted)


async def test_an_older_server_is_refused(here: Site, tmp_path: Path) -> None:
    manifest = await made(here, tmp_path / "b")
    with pytest.raises(Misconfigured, match=rf"is of PostgreSQL {manifest.server} and this server is 14"):
        restore.refuse_unfit(Target(14, False, None, []), manifest)


@pytest.mark.s3
async def test_objects_of_s3_come_back_into_s3(
    here: Site, there: Site, tmp_path: Path, s3_server: S3Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(here)
    files = contents(here.store)
    store = s3_of(here, s3_server, f"here-{tmp_path.name[-20:]}", monkeypatch)
    await store.ensure()
    for key, data in files.items():
        await store.put(key, data, "application/pdf")
    await back_up(Settings(), tmp_path / "b", QUIET)
    again = s3_of(there, s3_server, f"there-{tmp_path.name[-20:]}", monkeypatch)
    assert (await restore.restore(Settings(), tmp_path / "b", QUIET)).put == len(files)
    assert {key: await again.get(key) for key in files} == files


def s3_of(site: Site, address: S3Address, bucket: str, patch: pytest.MonkeyPatch) -> Objects:
    """The site's objects are in a bucket from now on."""
    told = {
        "LEADWIRE_OBJECTS": "s3",
        "LEADWIRE_S3_ENDPOINT": address.url,
        "AWS_ACCESS_KEY_ID": address.access_key,
        "AWS_SECRET_ACCESS_KEY": address.secret_key,
        "AWS_S3_BUCKET": bucket.replace("_", "-").lower(),
    }
    for name, value in (site.environment | told).items():
        patch.setenv(name, value)
    patch.delenv("LEADWIRE_OBJECTS_DIR")
    settings = Settings()
    return objects(settings.objects, settings.security, settings.http)
