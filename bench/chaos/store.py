"""What the database holds after a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from bench.chaos.differences import IDENTITIES, Row
from bench.chaos.fleet import Fleet
from schemas.clock import to_us
from schemas.samples import WaveformStretch
from storage import waveforms
from storage.database import Database
from web.tokens import token_hash


async def register(database: Database, fleet: Fleet) -> None:
    """The fleet's devices with ids and tokens of their own choosing, which no interface offers."""
    async with database.transaction() as connection, connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO devices (device_id, device_type, token_hash) VALUES (%s, 'ecg', %s)",
            [(bedside.device_id, token_hash(bedside.token)) for bedside in fleet.bedsides],
        )


async def stretches(database: Database) -> dict[UUID, list[WaveformStretch]]:
    """Every stretch of samples, decoded, by recording."""
    async with database.transaction() as connection:
        cursor = await connection.execute("""
            SELECT
                w.recording_id, w.device_id, w.first_index, w.sample_count, w.started_at, r.rate_hz, r.leads,
                r.uv_per_lsb, w.codec, w.data || w.tail
            FROM ecg_waveforms AS w
            JOIN recordings AS r ON r.recording_id = w.recording_id
            ORDER BY w.recording_id, w.first_index
        """)
        rows = await cursor.fetchall()
    found: dict[UUID, list[WaveformStretch]] = {}
    for recording_id, device_id, first_index, count, started_at, rate_hz, leads, gains, codec, data in rows:
        samples = waveforms.decode(waveforms.Encoded(codec, bytes(data)), len(leads), count)
        stretch = WaveformStretch(
            recording_id, device_id, first_index, to_us(started_at), rate_hz, tuple(leads), tuple(gains), samples
        )
        found.setdefault(recording_id, []).append(stretch)
    return found


async def results(database: Database, recordings: Iterable[UUID]) -> Mapping[str, Sequence[Row]]:
    """Every row of these recordings in the tables that are compared."""
    names = list(recordings)
    return {table: await _rows(database, table, names) for table in IDENTITIES}


async def _rows(database: Database, table: str, recordings: Sequence[UUID]) -> list[Row]:
    async with database.transaction() as connection:
        cursor = await connection.execute(f"SELECT * FROM {table} WHERE recording_id = ANY(%s)".encode(), [recordings])
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, map(repr, row), strict=True)) for row in await cursor.fetchall()]


async def recordings_begun(database: Database, recordings: Sequence[UUID]) -> int:
    """How many of these recordings the store knows of."""
    async with database.transaction() as connection:
        cursor = await connection.execute("SELECT count(*) FROM recordings WHERE recording_id = ANY(%s)", [recordings])
        row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def newest_seconds(database: Database, recordings: Sequence[UUID]) -> dict[UUID, datetime]:
    """The newest second of metrics of each recording that has any."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT recording_id, max(recorded_at) FROM ecg_metrics WHERE recording_id = ANY(%s) GROUP BY 1",
            [recordings],
        )
        return dict(await cursor.fetchall())


async def reports_made(database: Database) -> dict[UUID, str]:
    """The key of each report that was made."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT report_id, file_path_s3 FROM ecg_reports WHERE upload_status = 'uploaded'"
        )
        return dict(await cursor.fetchall())
