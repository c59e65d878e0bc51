"""A backup: one moment of the database, every object its rows tell of, and a manifest that proves both."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from leadwire import backup_manifest, backup_objects, backup_programs
from leadwire.backup_manifest import BEGUN, DATABASE, MANIFEST, OBJECT_LIST, OBJECTS, KeptFile, Manifest
from leadwire.backup_objects import Copied
from leadwire.backup_programs import Program
from leadwire.backup_progress import Told
from leadwire.brokers import cluster_id
from schemas.clock import now
from schemas.errors import Busy, Duplicate, Misconfigured
from schemas.settings import Settings
from storage import audit, backups
from storage.backups import Contents, ObjectFile
from storage.database import writer
from storage.objects import objects

ACTOR: Final = "leadwire backup"
ACTION: Final = "backup.make"
"""The audit log says when the last one was made."""

_HALF_DUMP: Final = ".database-"
_OURS: Final = {BEGUN, DATABASE, OBJECTS, OBJECT_LIST, ".lock"}


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read again, and what is wrong with it."""

    manifest: Manifest
    files: int
    bytes: int
    problems: list[str]


async def back_up(
    settings: Settings, folder: Path, told: Told, *, with_objects: bool = True, jobs: int = 2
) -> Manifest:
    """Make a backup in a folder that is empty, or holds one that was begun and did not end.

    Workers may go on writing: it is the database of one moment. Raises Duplicate for a folder that holds something
    else, Misconfigured without a pg_dump that fits, Busy when a server stays away.
    """
    with _taken(folder):
        moment = await _database(settings, folder, told, jobs)
        copied = await _objects(settings, moment.objects, folder, told) if with_objects else None
        manifest = _manifest(moment, copied, folder, await cluster_id(settings.kafka), told)
        backup_manifest.write(folder, manifest)
        (folder / BEGUN).unlink()
        await _note(settings, manifest)
        return manifest


@dataclass(frozen=True, slots=True)
class _Moment:
    contents: Contents
    objects: list[ObjectFile]
    program: Program


@contextmanager
def _taken(folder: Path) -> Iterator[None]:
    """The folder is ours alone, readable by us alone, and marked as begun."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"another backup is being written to {folder}; wait for it, or name another folder") from None
        _refuse_anothers(folder)
        folder.chmod(0o700)
        for half in folder.glob(f"{_HALF_DUMP}*"):
            shutil.rmtree(half)
        (folder / BEGUN).write_text(json.dumps({"begun_at": now().isoformat()}))
        yield
    (folder / ".lock").unlink(missing_ok=True)


def _refuse_anothers(folder: Path) -> None:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(_HALF_DUMP)}
    if MANIFEST in names:
        raise Duplicate(f"{folder} holds a whole backup already; name another folder")
    if names - _OURS or (names - {".lock"} and BEGUN not in names):
        raise Duplicate(f"{folder} is not empty and holds no backup that was begun; name an empty folder")


async def _database(settings: Settings, folder: Path, told: Told, jobs: int) -> _Moment:
    url = settings.database.url
    async with backups.snapshot(url) as moment:
        if not await backups.has_schema(moment.conn):
            raise Misconfigured("this database holds no Leadwire; check DATABASE_URL, or run `leadwire migrate`")
        program = backup_programs.find("pg_dump", await backups.server_major(moment.conn))
        told.step("counting rows")
        contents = await moment.contents()
        half = folder / f"{_HALF_DUMP}{uuid.uuid4().hex[:8]}"
        told.step("database")
        size = _Growth(half, told)
        arguments = ["-Fd", f"-j{jobs}", "-Z1", f"--snapshot={moment.id}", "-f", str(half), "-w"]
        arguments += ["--exclude-schema=leadwire_restore"]
        await backup_programs.run(program, arguments, backups.environment(url), size.look)
        wanted = await moment.objects()
    shutil.rmtree(folder / DATABASE, ignore_errors=True)
    half.rename(folder / DATABASE)
    return _Moment(contents, wanted, program)


class _Growth:
    """Tells how a folder grows."""

    def __init__(self, folder: Path, told: Told) -> None:
        self._folder, self._told, self._seen = folder, told, 0

    def look(self) -> None:
        size = sum(path.stat().st_size for path in self._folder.glob("*") if path.exists())
        self._told.advance(size - self._seen)
        self._seen = size


async def _objects(settings: Settings, wanted: list[ObjectFile], folder: Path, told: Told) -> Copied:
    """Every object. One that was deleted, with its row, while we copied is not missing."""
    store = objects(settings.objects, settings.security, settings.http)
    copied = await backup_objects.copy_out(store, wanted, folder, told)
    if not copied.missing:
        return copied
    async with backups.connected(settings.database.url) as conn:
        still = {file.key for file in await backups.referenced(conn)}
    return replace(copied, missing=[key for key in copied.missing if key in still])


def _manifest(moment: _Moment, copied: Copied | None, folder: Path, kafka: str | None, told: Told) -> Manifest:
    told.step("sums")
    dumped = sorted(path for path in (folder / DATABASE).iterdir() if path.is_file())
    problems = [f"{key} is not in the object store" for key in copied.missing] if copied else []
    problems += (
        [f"{key} is not what its row says: its SHA-256 is another" for key in copied.differing] if copied else []
    )
    contents = moment.contents
    return Manifest(
        backup_id=str(uuid.uuid4()),
        leadwire=_version(),
        taken_at=contents.at.isoformat(),
        finished_at=now().isoformat(),
        server=contents.server,
        timescale=contents.timescale,
        program=moment.program.major,
        migrations=contents.migrations,
        rows=contents.rows,
        head=str(contents.head),
        kafka=kafka,
        database=[_kept_for_good(folder, path, told) for path in dumped],
        objects=backup_manifest.keep(folder, folder / OBJECT_LIST) if copied else None,
        object_count=copied.count if copied else 0,
        object_bytes=copied.bytes if copied else 0,
        problems=problems,
    )


def _kept_for_good(folder: Path, path: Path, told: Told) -> KeptFile:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return backup_manifest.keep(folder, path, told.advance)


def _version() -> str:
    try:
        return version("leadwire")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


async def _note(settings: Settings, manifest: Manifest) -> None:
    database = writer(settings.database)
    await database.open()
    try:
        async with database.transaction() as conn:
            detail = f"{manifest.database_bytes + manifest.object_bytes} bytes, {manifest.object_count} objects"
            await audit.append(conn, ACTOR, ACTION, manifest.backup_id, None, now(), detail=detail)
    finally:
        await database.close()


async def verify(folder: Path, told: Told) -> Verified:
    """Read every file again and compare it with its sum; needs no server. Raises NotFound, Malformed."""
    manifest = backup_manifest.read(folder)
    total = manifest.database_bytes + manifest.object_bytes
    told.step(f"verifying {folder}", total)
    listed = [] if manifest.objects is None else [manifest.objects]
    problems = await asyncio.to_thread(_problems, folder, [*manifest.database, *listed], told)
    kept = (
        [replace(each, name=f"{OBJECTS}/{each.name}") for each in backup_manifest.object_list(folder)] if listed else []
    )
    if not problems:
        problems = await asyncio.to_thread(_problems, folder, kept, told)
    return Verified(manifest, len(manifest.database) + len(kept), total, problems)


def _problems(folder: Path, files: list[KeptFile], told: Told) -> list[str]:
    found = (backup_manifest.problem_of(folder, kept, told.advance) for kept in files)
    return [problem for problem in found if problem is not None]
