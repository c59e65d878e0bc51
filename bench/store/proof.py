"""What is in the store after all that, beside what was written: every sample once, every file as it was put."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from minio import Minio
from numpy.typing import NDArray

from bench.store.corpus import digest, joined
from bench.store.fleet import Fleet
from bench.store.stand import Stand
from schemas.errors import NotFound
from storage import archive_index, archived_samples, samples
from storage.access import everything
from storage.archive_records import ArchivedFile
from storage.archive_shelf import Shelf
from storage.database import Database
from storage.object_keys import ARCHIVE, ARCHIVE_MANIFEST
from storage.objects import Objects

_SHELF_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """`written` and `read` are SHA-256 over all samples in order; bad files don't fit their checksum or are missing."""

    written: str
    read: str
    samples: int
    hot_rows: int
    archived_hours: int
    expired_hours: int
    written_anew: int
    files: int
    bad_files: int
    stray_files: int
    unreadable: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.written == self.read and not self.bad_files and not self.unreadable

    def told(self) -> Mapping[str, Any]:
        return {
            "holds": self.holds,
            "sha256_written": self.written,
            "sha256_read": self.read,
            "samples": self.samples,
            "hot_rows": self.hot_rows,
            "archived_hours": self.archived_hours,
            "expired_hours": self.expired_hours,
            "written_anew": self.written_anew,
            "files": self.files,
            "bad_files": self.bad_files,
            "stray_files": self.stray_files,
            "unreadable": list(self.unreadable),
        }


async def prove(here: Stand, database: Database, fleet: Fleet, stretches: int) -> Proof:
    """Read everything back through storage's reads. `joined` refuses gaps and overlaps, so equal is equal and once."""
    store = here.object_store()
    wanted = {source.recording_id: _made(fleet, number, stretches) for number, source in enumerate(fleet.sources)}
    found: dict[UUID, NDArray[np.int16]] = {}
    unreadable = []
    shelf = Shelf(lambda: store, _SHELF_BYTES)
    for recording_id, made in wanted.items():
        try:
            found[recording_id] = await _read(database, shelf, recording_id, made.shape[1])
        except (ValueError, NotFound) as error:
            unreadable.append(f"{recording_id}: {error}")
    files = await _files(database, fleet)
    bad = [file.key for file in files if not await _fits(store, file)]
    hot, archived, expired, anew = await _counts(database)
    return Proof(
        written=digest(wanted),
        read=digest(found),
        samples=sum(each.size for each in found.values()),
        hot_rows=hot,
        archived_hours=archived,
        expired_hours=expired,
        written_anew=anew,
        files=len(files),
        bad_files=len(bad),
        stray_files=await _strays(here, database, {file.key for file in files}),
        unreadable=tuple(unreadable),
    )


def _made(fleet: Fleet, device: int, stretches: int) -> NDArray[np.int16]:
    return np.concatenate([fleet.stretch(device, number).samples for number in range(stretches)], axis=1)


async def _read(database: Database, shelf: Shelf, recording_id: UUID, count: int) -> NDArray[np.int16]:
    """One more sample is asked for than there should be, so that invented ones show."""
    async with database.transaction() as conn:
        kept = await samples.kept(conn, everything(), recording_id)
    return joined(await archived_samples.read_kept(database, shelf, kept, 0, count + 1))


async def _files(database: Database, fleet: Fleet) -> list[ArchivedFile]:
    async with database.transaction() as conn:
        hours = [
            hour for source in fleet.sources for hour in await archive_index.hours_of_device(conn, source.device_id)
        ]
    return [file for hour in hours for file in hour.files]


async def _fits(store: Objects, file: ArchivedFile) -> bool:
    try:
        return file.holds(await store.get(file.key))
    except NotFound:
        return False


async def _counts(database: Database) -> list[int]:
    """Hot rows, archived hours, of them expired, and how often one was written again."""
    async with database.transaction() as conn:
        cursor = await conn.execute("""
            SELECT
                (SELECT count(*) FROM ecg_waveforms),
                (SELECT count(*) FROM archived_records),
                (SELECT count(*) FROM archived_records WHERE state = 'expired'),
                (SELECT coalesce(sum(generation), 0) FROM archived_records)
        """)
        [row] = await cursor.fetchall()
    return [int(each) for each in row]


async def _strays(here: Stand, database: Database, known: set[str]) -> int:
    """Files of the archive that neither the index names nor the list of what is to be removed."""
    async with database.transaction() as conn:
        cursor = await conn.execute("SELECT key FROM object_removals")
        leaving = {row[0] for row in await cursor.fetchall()}
    keys = await asyncio.to_thread(_listed, here)
    return len([key for key in keys if key not in known | leaving and not key.endswith(ARCHIVE_MANIFEST)])


def _listed(here: Stand) -> list[str]:
    env = here.s3.env()
    client = Minio(here.s3.address.endpoint, env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], secure=False)
    [bucket] = [each.name for each in client.list_buckets()]
    found = client.list_objects(bucket, prefix=f"{ARCHIVE}/", recursive=True)
    return [each.object_name for each in found if each.object_name]
