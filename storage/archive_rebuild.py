"""The archive put right: the index from the manifests, for a database that lost it; manifests from the index."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection

from schemas.clock import index_to_us
from schemas.errors import Malformed
from schemas.samples import Recording
from storage import archive_index, samples
from storage.archive import put_manifest, unhurried
from storage.archive_checks import Day, Told, manifest_of, stored_days
from storage.archive_hours import current_state, hour_of_recording
from storage.archive_manifests import Manifest
from storage.archive_records import ArchivedHour
from storage.database import Database
from storage.objects import Objects


@dataclass(slots=True)
class Rebuilt:
    """What was read and put down, and every manifest that could not be."""

    days: int = 0
    hours: int = 0
    recordings: int = 0
    problems: list[str] = field(default_factory=list)


async def rebuild(database: Database, store: Objects, at: datetime, told: Told | None = None) -> Rebuilt:
    """Put down everything that manifests tell and the index does not know (or knows by an earlier generation).

    Devices and recordings that the database lost come back without an owner, so that admins alone see them, and the
    devices inactive. A day at a time, so that it may be run again. Raises Busy when a server is away.
    """
    done = Rebuilt()
    async for day in stored_days(store):
        if told is not None:
            told(f"{day.device_id} {day.day:%Y-%m-%d}")
        try:
            manifest = await manifest_of(store, day)
        except (ValueError, Malformed) as error:
            done.problems.append(f"{day.device_id} {day.day:%Y-%m-%d}: {error}")
            continue
        if manifest is None:
            done.problems.append(f"{day.device_id} {day.day:%Y-%m-%d} has no manifest; restore it from a backup")
            continue
        async with database.transaction() as conn:
            await _put_down(conn, manifest, at, done)
    return done


async def _put_down(conn: AsyncConnection, manifest: Manifest, at: datetime, done: Rebuilt) -> None:
    await conn.execute(
        """
        INSERT INTO devices (device_id, device_type, is_active)
        VALUES (%s, 'ecg', false)
        ON CONFLICT (device_id) DO NOTHING
        """,
        [manifest.device_id],
    )
    await conn.execute(
        "INSERT INTO archive_progress (device_id) VALUES (%s) ON CONFLICT (device_id) DO NOTHING", [manifest.device_id]
    )
    await samples.write_recordings(conn, manifest.recordings)
    recordings = {each.recording_id: each for each in manifest.recordings}
    for hour in manifest.hours:
        if await _put_hour_down(conn, hour, recordings[hour.recording_id], at):
            done.hours += 1
    done.days += 1
    done.recordings += len(recordings)


async def _put_hour_down(conn: AsyncConnection, hour: ArchivedHour, recording: Recording, at: datetime) -> bool:
    known = await archive_index.archived_hour(conn, hour.recording_id, hour.hour_at)
    if known is not None and known.generation >= hour.generation:
        return False
    await archive_index.write(conn, hour, recording.rate_hz, at)
    await _widen(conn, hour, recording)
    hot = await hour_of_recording(conn, hour.recording_id, hour.hour_at)
    if hot is None or not (await current_state(conn, hot)).rows:
        await archive_index.mark_expired(conn, hour.recording_id, hour.hour_at, at)
    return True


async def _widen(conn: AsyncConnection, hour: ArchivedHour, recording: Recording) -> None:
    """Have the recording tell of the hour's samples, as storage/samples.py does for those it writes."""
    spans = [span for part in hour.parts for span in part.spans]
    strays_us = [
        span.started_at_us - recording.started_at_us - index_to_us(span.first_index, recording.rate_hz)
        for span in spans
    ]
    await conn.execute(
        """
        UPDATE recordings
        SET
            first_index = least(first_index, %(first_index)s),
            end_index = greatest(end_index, %(end_index)s),
            first_at = least(first_at, %(first_at)s),
            end_at = greatest(end_at, %(end_at)s),
            longest = greatest(longest, %(longest)s),
            clock_early_us = greatest(clock_early_us, %(early_us)s),
            clock_late_us = greatest(clock_late_us, %(late_us)s)
        WHERE recording_id = %(recording_id)s
        """,
        {
            "recording_id": hour.recording_id,
            "first_index": hour.first_index,
            "end_index": hour.end_index,
            "first_at": hour.started_at,
            "end_at": hour.ended_at,
            "longest": max(span.count for span in spans),
            "early_us": max(0, -min(strays_us)),
            "late_us": max(0, *strays_us) if len(strays_us) > 1 else max(0, strays_us[0]),
        },
    )


async def mend(database: Database, store: Objects, told: Told | None = None) -> int:
    """Write every manifest anew from the index; how many. Raises Busy when a server is away."""
    async with database.transaction() as conn:
        devices = await archive_index.devices(conn)
    count = 0
    for device_id in devices:
        for day in await _days(database, device_id):
            if told is not None:
                told(f"{device_id} {day.day:%Y-%m-%d}")
            async with database.transaction() as conn:
                await unhurried(conn)
                await conn.execute("SELECT FROM archive_progress WHERE device_id = %s FOR UPDATE", [device_id])
                await put_manifest(conn, store, device_id, day.day)
            count += 1
    return count


async def _days(database: Database, device_id: UUID) -> list[Day]:
    async with database.transaction() as conn:
        cursor = await conn.execute(
            "SELECT DISTINCT date_trunc('day', hour_at) FROM archived_records WHERE device_id = %s ORDER BY 1",
            [device_id],
        )
        return [Day(device_id, day) for (day,) in await cursor.fetchall()]
