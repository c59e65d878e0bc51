"""Rhythms: what the heart was doing, from one moment to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

EpisodeState = Literal["opened", "updated", "closed"]

NORMAL: Final = "Normal Sinus Rhythm"
BRADYCARDIA: Final = "Sinus Bradycardia"
TACHYCARDIA: Final = "Sinus Tachycardia"
IRREGULAR: Final = "Irregular Rhythm"
ATRIAL_FIBRILLATION: Final = "Possible Atrial Fibrillation"
PAUSE: Final = "Pause"
PREMATURE_BEATS: Final = "Premature Beats"
NOISE: Final = "Unreadable Signal"

LABELS: Final = (
    NORMAL, BRADYCARDIA, TACHYCARDIA, IRREGULAR, ATRIAL_FIBRILLATION, PAUSE, PREMATURE_BEATS, NOISE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RhythmEpisode:
    """An episode; identity (recording_id, first_r_index, label). `ended_at_us` is "so far" until it is closed."""

    device_id: UUID
    recording_id: UUID
    first_r_index: int
    label: str
    state: EpisodeState
    started_at_us: int
    ended_at_us: int
    confidence: float
    engine_version: str
