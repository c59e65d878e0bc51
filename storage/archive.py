"""Hours on their way to the archive: made into files, put, read back, compared, put down; each step may be the last."""

# A process that ends anywhere leaves the hot rows, and files that the index does not name yet: the next one writes the
# same files again. Only expiry (storage/archive_expiry.py) takes hot rows away.

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.beats import BeatClass
from schemas.clock import to_datetime
from storage import archive_files, archive_index, object_removals
from storage.access import everything
from storage.archive_files import Written
from storage.archive_hours import HOUR, Hour, held_samples, hot_state, hours_of_device, next_hour, read_hot
from storage.archive_manifests import Manifest, dump
from storage.archive_records import ArchivedHour
from storage.archive_spans import HeldSamples, combined
from storage.archive_wfdb import BeatMark
from storage.database import Database
from storage.object_keys import archive_manifest_key
from storage.objects import Objects
from storage.rows import fetch_all
from storage.samples import recording


@dataclass(frozen=True, slots=True)
class Moved:
    """What one step did: hours of recordings that were archived, their samples (all leads) and bytes.

    `held` says why the device is left alone for a while: rows of it can't be read.
    """

    device_id: UUID
    hour_at: datetime | None
    hours: int = 0
    samples: int = 0
    bytes: int = 0
    anew: int = 0
    held: str | None = None


class _Damaged(ValueError):
    """Hot rows that can't be decoded."""


async def archive_next(database: Database, store: Objects, closed: datetime, now: datetime) -> Moved | None:
    """Archive the next hour before `closed` of the device that is furthest behind; None when nothing is due.

    A device whose rows can't be decoded is held, and the others go on. Raises Busy when a server is away.
    """
    async with database.transaction() as conn:
        await unhurried(conn)
        claim = await archive_index.claim_next(conn, closed, now)
        if claim is None:
            return None
        hour_at = await next_hour(conn, claim.device_id, claim.next_at, closed)
        if hour_at is None:
            await archive_index.advance(conn, claim.device_id, closed)
            return Moved(claim.device_id, None)
        hours = await hours_of_device(conn, claim.device_id, hour_at)
        moved = await archive_hours(conn, store, claim.device_id, hour_at, hours, now)
        if moved.held is None:
            await archive_index.advance(conn, claim.device_id, hour_at + HOUR)
        return moved


async def unhurried(conn: AsyncConnection) -> None:
    """Let the transaction wait for the object store while it holds its claim."""
    await conn.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
    await conn.execute("SET LOCAL statement_timeout = '10min'")


async def archive_hours(
    conn: AsyncConnection, store: Objects, device_id: UUID, hour_at: datetime, hours: Sequence[Hour], now: datetime
) -> Moved:
    """Archive an hour of some recordings of a device, which is claimed: files, index rows, then the day's manifest.

    All of it or, when a row is damaged, nothing, and the device is held. Raises Busy.
    """
    try:
        async with conn.transaction():
            return await _archive_hours(conn, store, device_id, hour_at, hours, now)
    except _Damaged as error:
        why = str(error)
    await archive_index.hold(conn, device_id, now + archive_index.HOLD, why)
    return Moved(device_id, hour_at, held=why)


async def _archive_hours(
    conn: AsyncConnection, store: Objects, device_id: UUID, hour_at: datetime, hours: Sequence[Hour], now: datetime
) -> Moved:
    done = [await _archive(conn, store, hour, now) for hour in hours]
    written = [each for each in done if each is not None]
    if written:
        await put_manifest(conn, store, device_id, hour_at)
    return Moved(
        device_id,
        hour_at,
        len(written),
        sum(each.indexed.sample_count * each.leads for each in written),
        sum(file.size for each in written for file in each.indexed.files),
        sum(each.indexed.generation > 0 for each in written),
    )


@dataclass(frozen=True, slots=True)
class _Archived:
    indexed: ArchivedHour
    leads: int


async def _archive(conn: AsyncConnection, store: Objects, hour: Hour, now: datetime) -> _Archived | None:
    """None when there is nothing, or nothing new."""
    rows = await read_hot(conn, hour)
    if not rows:
        return None
    hot = hot_state(rows)
    before = await archive_index.archived_hour(conn, hour.recording.recording_id, hour.hour_at)
    if before is not None and before.hot.digest == hot.digest:
        return None
    leads = len(hour.recording.leads)
    try:
        held = await asyncio.to_thread(held_samples, rows, leads)
    except ValueError as error:
        raise _Damaged(f"recording {hour.recording.recording_id}: {error}") from error
    written = await _written(conn, store, hour, held, before)
    await archive_files.put(store, written)
    await archive_files.check(store, written)
    indexed = written.indexed(hot)
    await archive_index.write(conn, indexed, hour.recording.rate_hz, now)
    for file in before.files if before is not None else ():
        await object_removals.add(conn, file.key)
    return _Archived(indexed, leads)


async def _written(
    conn: AsyncConnection, store: Objects, hour: Hour, held: list[HeldSamples], before: ArchivedHour | None
) -> Written:
    """With what was archived before: of that the rows may have left already."""
    generation = 0
    if before is not None:
        generation = before.generation + 1
        held = combined(await archive_files.read_back(store, before, hour.recording), held)
    written = Written(hour, generation, held)
    marks = await _beats(conn, written)
    beats = [BeatMark(mark.r_index, mark.beat_class) for mark in marks]
    return await asyncio.to_thread(written.build, beats, marks[0].engine_version if marks else None)


@dataclass(frozen=True, slots=True)
class _Mark:
    r_index: int
    beat_class: BeatClass
    engine_version: str


async def _beats(conn: AsyncConnection, written: Written) -> list[_Mark]:
    query = sql.SQL("""
        SELECT b.r_index, b.beat_class, b.engine_version
        FROM ecg_beats AS b
        WHERE b.recording_id = %(recording_id)s
            AND b.r_index >= %(first_index)s
            AND b.r_index < %(end_index)s
            AND b.beat_at >= %(start)s - interval '1 minute'
            AND b.beat_at < %(end)s + interval '1 minute'
        ORDER BY b.r_index
    """)
    spans = [each.span for each in written.held]
    params = {
        "recording_id": written.hour.recording.recording_id,
        "first_index": min(part.first_index for part in written.parts),
        "end_index": max(part.end_index for part in written.parts),
        "start": to_datetime(min(span.started_at_us for span in spans)),
        "end": written.hour.hour_at + 2 * HOUR,
    }
    return await fetch_all(conn, _Mark, query, params)


async def put_manifest(conn: AsyncConnection, store: Objects, device_id: UUID, hour_at: datetime) -> None:
    """Write the manifest of a device's day anew from the index as this transaction sees it. Raises Busy.

    The device is claimed, so nobody else writes it. If the commit fails the manifest is ahead of the index: it names
    files that are there and checked, and the next try writes them and it again. A day with nothing left has none.
    """
    hours = await archive_index.hours_of_day(conn, device_id, hour_at)
    key = archive_manifest_key(device_id, hour_at)
    if not hours:
        await store.delete(key)
        return
    ids = sorted({hour.recording_id for hour in hours})
    recordings = tuple([await recording(conn, everything(), each) for each in ids])
    manifest = Manifest(device_id, hour_at.replace(hour=0), recordings, tuple(hours))
    await store.put(key, dump(manifest), "application/json")
