"""Rhythms: what the heart was doing, from one moment to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

EpisodeState = Literal["opened", "updated", "closed"]

NORMAL: Final = "Normal Sinus Rhythm"
BRADYCARDIA: Final = "Sinus Bradycardia"
TACHYCARDIA: Final = "Sinus Tachycardia"
SINUS_ARRHYTHMIA: Final = "Sinus Arrhythmia"
IRREGULAR: Final = "Irregular Rhythm"
ATRIAL_FIBRILLATION: Final = "Atrial Fibrillation"
ATRIAL_FLUTTER: Final = "Atrial Flutter"
SUPRAVENTRICULAR_TACHYCARDIA: Final = "Supraventricular Tachycardia"
IDIOVENTRICULAR: Final = "Idioventricular Rhythm"
NON_SUSTAINED_TACHYCARDIA: Final = "Non-Sustained Ventricular Tachycardia"
SUSTAINED_TACHYCARDIA: Final = "Sustained Ventricular Tachycardia"
VENTRICULAR_FLUTTER: Final = "Ventricular Flutter"
VENTRICULAR_FIBRILLATION: Final = "Ventricular Fibrillation"
PACED: Final = "Paced Rhythm"
ASYSTOLE: Final = "Asystole"
PAUSE: Final = "Pause"
PREMATURE_ATRIAL: Final = "Premature Atrial Complexes"
PREMATURE_VENTRICULAR: Final = "Premature Ventricular Complexes"
COUPLET: Final = "Ventricular Couplet"
BIGEMINY: Final = "Ventricular Bigeminy"
TRIGEMINY: Final = "Ventricular Trigeminy"
FIRST_DEGREE_BLOCK: Final = "First-Degree AV Block"
SECOND_DEGREE_BLOCK: Final = "Second-Degree AV Block"
WIDE_QRS: Final = "Wide QRS"
PROLONGED_QT: Final = "Prolonged QT"
ST_ELEVATION: Final = "ST Elevation"
ST_DEPRESSION: Final = "ST Depression"
NOISE: Final = "Unreadable Signal"
LEAD_OFF: Final = "Lead Off"

LABELS: Final = (
    NORMAL, BRADYCARDIA, TACHYCARDIA, SINUS_ARRHYTHMIA, IRREGULAR, ATRIAL_FIBRILLATION, ATRIAL_FLUTTER,
    SUPRAVENTRICULAR_TACHYCARDIA, IDIOVENTRICULAR, NON_SUSTAINED_TACHYCARDIA, SUSTAINED_TACHYCARDIA,
    VENTRICULAR_FLUTTER, VENTRICULAR_FIBRILLATION, PACED, ASYSTOLE, PAUSE, PREMATURE_ATRIAL, PREMATURE_VENTRICULAR,
    COUPLET, BIGEMINY, TRIGEMINY, FIRST_DEGREE_BLOCK, SECOND_DEGREE_BLOCK, WIDE_QRS,
    PROLONGED_QT, ST_ELEVATION, ST_DEPRESSION, NOISE, LEAD_OFF,
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
