"""Erasure in the archive: a person's recordings leave the index, the manifests and the object store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection

from storage import archive_index, object_removals
from storage.archive import put_manifest, unhurried
from storage.archive_records import ArchivedHour
from storage.database import Database
from storage.objects import Objects


@dataclass(frozen=True, slots=True)
class ErasedArchive:
    """What went: rows of the index, files."""

    rows: int = 0
    objects: int = 0


async def erase(
    database: Database, store: Objects, recording_ids: Sequence[UUID], device_ids: Sequence[UUID]
) -> ErasedArchive:
    """Erase everything archived of these recordings, which are of these devices and have no rows of samples any more.

    A device's day at a time, each in one transaction: files are put down for removal, the index loses its rows, the
    manifest is written anew; then the files go at once, or with the next sweep if the store does not let go of one.
    Whoever is archiving one of the devices is waited for. After a failure call it again. Raises Busy.
    """
    done = ErasedArchive()
    for device_id in device_ids:
        while True:
            gone = await _erase_day(database, store, recording_ids, device_id)
            if not gone:
                break
            files = [file.key for hour in gone for file in hour.files]
            await _remove(database, store, files)
            done = ErasedArchive(done.rows + len(gone), done.objects + len(files))
    return done


async def _erase_day(
    database: Database, store: Objects, recording_ids: Sequence[UUID], device_id: UUID
) -> list[ArchivedHour]:
    async with database.transaction() as conn:
        await unhurried(conn)
        await conn.execute("SELECT FROM archive_progress WHERE device_id = %s FOR UPDATE", [device_id])
        hours = await _first_day(conn, recording_ids, device_id)
        if not hours:
            return []
        for key in (file.key for hour in hours for file in hour.files):
            await object_removals.add(conn, key)
        await conn.execute(
            "DELETE FROM archived_records WHERE recording_id = ANY(%s) AND hour_at = ANY(%s)",
            [list({hour.recording_id for hour in hours}), list({hour.hour_at for hour in hours})],
        )
        await put_manifest(conn, store, device_id, hours[0].hour_at)
    return hours


async def _first_day(conn: AsyncConnection, recording_ids: Sequence[UUID], device_id: UUID) -> list[ArchivedHour]:
    cursor = await conn.execute(
        "SELECT min(hour_at) FROM archived_records WHERE device_id = %s AND recording_id = ANY(%s)",
        [device_id, list(recording_ids)],
    )
    [[first]] = await cursor.fetchall()
    if first is None:
        return []
    theirs = set(recording_ids)
    return [hour for hour in await archive_index.hours_of_day(conn, device_id, first) if hour.recording_id in theirs]


async def _remove(database: Database, store: Objects, keys: Sequence[str]) -> None:
    for key in keys:
        await store.delete(key)
        async with database.transaction() as conn:
            await object_removals.done(conn, key)
