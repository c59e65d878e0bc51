"""The archive looked over: index, manifests and files against each other, and against the rows that are still there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql

from schemas.errors import Malformed, NotFound
from storage import archive_files, archive_index
from storage.access import everything
from storage.archive import unhurried
from storage.archive_hours import held_samples, hour_of_recording, read_hot
from storage.archive_manifests import Manifest, load
from storage.archive_records import ArchivedFile, ArchivedHour
from storage.archive_spans import HeldSamples
from storage.archive_wfdb import Part, parts_of
from storage.database import Database
from storage.object_keys import ARCHIVE, ARCHIVE_MANIFEST, archive_day_prefix, archive_manifest_key
from storage.objects import Objects
from storage.rows import fetch_all
from storage.samples import recording

_SHOWN: Final = 1000
"""Problems that are told one by one; all are counted."""

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Day:
    """A device's day in the archive."""

    device_id: UUID
    day: datetime


@dataclass(slots=True)
class Verified:
    """What was looked at, and every problem with its remedy."""

    days: int = 0
    hours: int = 0
    files: int = 0
    bytes: int = 0
    compared_rows: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        self.problem_count += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(text)


async def verify(database: Database, store: Objects, *, deep: bool, told: Told | None = None) -> Verified:
    """Look at every day that the index or the store knows; `deep` reads every file and compares samples too.

    Nobody archives a device while one of its days is looked at. Raises Busy when a server is away.
    """
    done = Verified()
    for day in sorted(await _all_days(database, store), key=lambda day: (day.device_id.bytes, day.day)):
        if told is not None:
            told(f"{day.device_id} {day.day:%Y-%m-%d}")
        async with database.transaction() as conn:
            await unhurried(conn)
            await conn.execute("SELECT FROM archive_progress WHERE device_id = %s FOR UPDATE", [day.device_id])
            await _verify_day(conn, store, day, done, deep=deep)
        done.days += 1
    return done


async def _all_days(database: Database, store: Objects) -> set[Day]:
    query = sql.SQL("SELECT DISTINCT device_id, date_trunc('day', hour_at) AS day FROM archived_records")
    async with database.transaction() as conn:
        known = set(await fetch_all(conn, Day, query, {}))
    return known | {day async for day in stored_days(store)}


async def stored_days(store: Objects) -> AsyncIterator[Day]:
    """The days that have a folder in the store, whatever the index says. Raises Busy."""
    for device in await _folders(store, ARCHIVE):
        for year in await _folders(store, device):
            for month in await _folders(store, year):
                for day in await _folders(store, month):
                    _, device_id, *date = day.split("/")
                    at = datetime.fromisoformat("-".join(date)).replace(tzinfo=UTC)
                    yield Day(UUID(device_id), at)


async def _folders(store: Objects, folder: str) -> list[str]:
    return [name.rstrip("/") for name in await store.below(folder) if name.endswith("/")]


async def _verify_day(conn: AsyncConnection, store: Objects, day: Day, done: Verified, *, deep: bool) -> None:
    hours = await archive_index.hours_of_day(conn, day.device_id, day.day)
    await _verify_manifest(store, day, hours, done)
    for hour in hours:
        done.hours += 1
        sound = [await _is_sound(store, file, done, deep=deep) for file in hour.files]
        if deep and all(sound):
            await _compare_hot(conn, store, hour, done)
    named = {file.key for hour in hours for file in hour.files}
    prefix = archive_day_prefix(day.device_id, day.day)
    there = {key for key in await store.below(prefix) if not key.endswith(f"/{ARCHIVE_MANIFEST}")}
    for key in sorted(there - named - await _leaving(conn, there - named)):
        done.problem(f"{key} is in no index; archive the hour again (it will be replaced), or delete the file")


async def _verify_manifest(store: Objects, day: Day, hours: list[ArchivedHour], done: Verified) -> None:
    key = archive_manifest_key(day.device_id, day.day)
    try:
        manifest = load(await store.get(key))
    except NotFound:
        if hours:
            done.problem(f"{key} is missing; run `leadwire archive mend` to write it from the index")
        return
    except (ValueError, Malformed) as error:
        done.problem(f"{key}: {error}")
        return
    if [replace(hour, state="") for hour in manifest.hours] != [replace(hour, state="") for hour in hours]:
        done.problem(f"{key} and the index differ; run `leadwire archive mend` or, if the index is older, `rebuild`")


async def _is_sound(store: Objects, file: ArchivedFile, done: Verified, *, deep: bool) -> bool:
    done.files += 1
    done.bytes += file.size
    try:
        there = await (_holds(store, file) if deep else _has_size(store, file))
    except NotFound:
        done.problem(f"{file.key} is missing; restore it from a backup")
        return False
    except Malformed as error:
        done.problem(str(error))
        return False
    if not there:
        done.problem(f"{file.key} is not what was put there; restore it from a backup")
    return there


async def _holds(store: Objects, file: ArchivedFile) -> bool:
    return file.holds(await store.get(file.key))


async def _has_size(store: Objects, file: ArchivedFile) -> bool:
    found = await store.stat(file.key)
    return found.size == file.size and found.sha256 in (None, file.sha256)


async def _compare_hot(conn: AsyncConnection, store: Objects, hour: ArchivedHour, done: Verified) -> None:
    """Decode the hour, and compare it with those of its rows that are in the database."""
    ours = await recording(conn, everything(), hour.recording_id)
    hot_hour = await hour_of_recording(conn, hour.recording_id, hour.hour_at)
    rows = await read_hot(conn, hot_hour) if hot_hour is not None else []
    if not rows:
        return
    hot = await asyncio.to_thread(held_samples, rows, len(ours.leads))
    there = {each.span: each.samples for each in await archive_files.read_back(store, hour, ours)}
    seen = {each.span: each.samples for part in parts_of(hot, ours.rate_hz) for each in _as_read(part)}
    for span, samples in seen.items():
        if span in there:  # else it came later, and stays in the database until it is archived
            done.compared_rows += 1
            if not np.array_equal(there[span], samples):
                done.problem(f"{hour.parts[0].name} differs from the database at sample {span.first_index}")


def _as_read(part: Part) -> list[HeldSamples]:
    """Of rows that overlap, what a reader is given."""
    begin = part.first_index
    return [
        HeldSamples(span, part.samples[:, span.first_index - begin : span.end_index - begin]) for span in part.spans
    ]


async def _leaving(conn: AsyncConnection, keys: set[str]) -> set[str]:
    """Files of earlier generations whose removal is under way."""
    cursor = await conn.execute("SELECT key FROM object_removals WHERE key = ANY(%s)", [sorted(keys)])
    return {key for (key,) in await cursor.fetchall()}


async def manifest_of(store: Objects, day: Day) -> Manifest | None:
    """None where there is none. Raises ValueError or Malformed for a damaged one, Busy."""
    try:
        return load(await store.get(archive_manifest_key(day.device_id, day.day)))
    except NotFound:
        return None
