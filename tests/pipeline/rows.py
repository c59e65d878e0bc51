"""Everything stored of a recording, without what two plays of one signal must differ in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from schemas.alarms import AlarmEvent
from schemas.beats import Beat
from schemas.pages import PageRequest
from schemas.rhythms import RhythmEpisode
from schemas.samples import Gap
from schemas.settings import Settings
from storage import alarms, beats, metrics, rhythms, samples
from storage.access import everything
from storage.alarms import AlarmFilter
from storage.database import Database, writer
from storage.metrics import MetricsFilter
from storage.metrics_rows import MetricsRow

_NOBODY = UUID(int=0)
_ALL = PageRequest(1, 100_000)
_FOREVER_US = 2**53


@dataclass(frozen=True, slots=True)
class Rows:
    """A recording's rows, its identity taken out."""

    beats: list[Beat]
    metrics: list[MetricsRow]
    episodes: list[RhythmEpisode]
    gaps: list[Gap]
    alarms: list[AlarmEvent]
    stretches: list[tuple[int, int, bytes]]


async def stored_rows(settings: Settings, recording_id: UUID) -> Rows:
    """All rows of the recording, in order."""
    database = writer(settings.database)
    await database.open()
    try:
        return await _read(database, recording_id)
    finally:
        await database.close()


async def _read(database: Database, recording_id: UUID) -> Rows:
    access = everything()
    async with database.transaction() as conn:
        device_id = (await samples.recording(conn, access, recording_id)).device_id
        found = await beats.list_beats(conn, access, None, 0, _FOREVER_US, _ALL, recording_id=recording_id)
        seconds = await metrics.list_metrics(conn, access, MetricsFilter(device_id=device_id), _ALL)
        told = await rhythms.list_rhythms(conn, access, device_id, 0, _FOREVER_US, _ALL)
        raised = await alarms.list_alarms(conn, access, AlarmFilter(device_id=device_id), _ALL)
        gaps = await samples.gaps(conn, access, recording_id, 0, _FOREVER_US)
        stretches = await samples.read_stretches(conn, access, recording_id, 0, _FOREVER_US)
    return Rows(
        beats=[replace(beat, device_id=_NOBODY, recording_id=_NOBODY) for beat in found.items],
        metrics=[
            replace(row, metric_id=_NOBODY, user_id=None, device_id=_NOBODY, recording_id=_NOBODY)
            for row in seconds.items
        ],
        episodes=[replace(episode, device_id=_NOBODY, recording_id=_NOBODY) for episode in told.items],
        alarms=[
            replace(event, alarm_id=_NOBODY, device_id=_NOBODY, recording_id=_NOBODY, user_id=None)
            for event in raised.items
        ],
        gaps=[replace(gap, recording_id=_NOBODY) for gap in gaps],
        stretches=[(s.first_index, s.samples.shape[1], s.samples.tobytes()) for s in stretches],
    )
