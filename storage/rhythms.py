"""Rhythms: episodes, each one row that grows until it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.clock import to_datetime, to_us
from schemas.pages import Page, PageRequest
from schemas.rhythms import EpisodeState, RhythmEpisode
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import columns

_COLUMNS: Final = sql.SQL("""
    e.recording_id, e.device_id, e.first_r_index, e.label, e.state, e.started_at, e.ended_at, e.confidence,
    e.engine_version""")

_ORDER: Final = (
    Key("e.started_at", "timestamptz"),
    Key("e.recording_id", "uuid"),
    Key("e.first_r_index", "bigint"),
    Key("e.label", "text"),
)

_RANK: Final[dict[EpisodeState, int]] = {"opened": 0, "updated": 1, "closed": 2}


@dataclass(frozen=True, slots=True)
class _RhythmRow:
    recording_id: UUID
    device_id: UUID
    first_r_index: int
    label: str
    state: EpisodeState
    started_at: datetime
    ended_at: datetime
    confidence: float
    engine_version: str

    def episode(self) -> RhythmEpisode:
        return RhythmEpisode(
            device_id=self.device_id,
            recording_id=self.recording_id,
            first_r_index=self.first_r_index,
            label=self.label,
            state=self.state,
            started_at_us=to_us(self.started_at),
            ended_at_us=to_us(self.ended_at),
            confidence=self.confidence,
            engine_version=self.engine_version,
        )


async def write_rhythms(conn: AsyncConnection, episodes: Sequence[RhythmEpisode]) -> None:
    """Store what is known of episodes: closed wins over updated over opened, and of equals the one that ends later."""
    if not episodes:
        return
    query = """
        INSERT INTO ecg_rhythms AS old (
            recording_id, device_id, first_r_index, label, state, started_at, ended_at, confidence, engine_version
        )
        SELECT *
        FROM unnest(
            %(recording_id)s::uuid[], %(device_id)s::uuid[], %(first_r_index)s::bigint[], %(label)s::text[],
            %(state)s::text[], %(started_at)s::timestamptz[], %(ended_at)s::timestamptz[], %(confidence)s::float8[],
            %(engine_version)s::text[]
        )
        ON CONFLICT (recording_id, first_r_index, label, started_at) DO UPDATE SET
            state = excluded.state,
            ended_at = excluded.ended_at,
            confidence = excluded.confidence,
            engine_version = excluded.engine_version
        WHERE (array_position(ARRAY['opened', 'updated', 'closed'], excluded.state), excluded.ended_at)
            > (array_position(ARRAY['opened', 'updated', 'closed'], old.state), old.ended_at)
    """
    await conn.execute(query, columns(_rhythm_columns(episode) for episode in _newest(episodes)))


async def list_rhythms(
    conn: AsyncConnection, access: Access, device_id: UUID, start_us: int, end_us: int, page: PageRequest
) -> Page[RhythmEpisode]:
    """The device's episodes that touch [start_us, end_us), in the order they began."""
    listing = Listing(
        columns=_COLUMNS,
        source=sql.SQL("ecg_rhythms AS e"),
        where=sql.SQL("""
            EXISTS (SELECT FROM recordings AS r WHERE r.recording_id = e.recording_id AND {scope})
            AND e.device_id = %(device_id)s
            AND e.started_at < %(end)s
            AND (e.ended_at > %(start)s OR e.started_at >= %(start)s)
        """).format(scope=access.clause("r.user_id")),
        order=_ORDER,
    )
    params = {**access.params, "device_id": device_id, "start": to_datetime(start_us), "end": to_datetime(end_us)}
    return (await pages.fetch(conn, _RhythmRow, listing, page, params)).map(_RhythmRow.episode)


def _newest(episodes: Iterable[RhythmEpisode]) -> list[RhythmEpisode]:
    """One per key, the one that wins, sorted by key so that two workers lock rows in one order."""
    by_key: dict[tuple[bytes, int, str, int], RhythmEpisode] = {}
    for episode in episodes:
        key = (episode.recording_id.bytes, episode.first_r_index, episode.label, episode.started_at_us)
        if key not in by_key or _precedence(episode) > _precedence(by_key[key]):
            by_key[key] = episode
    return [by_key[key] for key in sorted(by_key)]


def _precedence(episode: RhythmEpisode) -> tuple[int, int]:
    return _RANK[episode.state], episode.ended_at_us


def _rhythm_columns(episode: RhythmEpisode) -> dict[str, object]:
    return {
        "recording_id": episode.recording_id,
        "device_id": episode.device_id,
        "first_r_index": episode.first_r_index,
        "label": episode.label,
        "state": episode.state,
        "started_at": to_datetime(episode.started_at_us),
        "ended_at": to_datetime(episode.ended_at_us),
        "confidence": float(episode.confidence),
        "engine_version": episode.engine_version,
    }
