"""Rows as the columns an engine gives or as the database gives them back, for tests that name them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from schemas.beats import Beat, Fiducials
from schemas.clock import to_datetime
from schemas.codec_results import encode_beat_packs, encode_metrics_packs
from schemas.metrics import FIGURES, Metrics
from schemas.quality import bits_of
from schemas.results import BEAT_DTYPE, EPISODE_DTYPE, METRICS_DTYPE, Results, Source
from schemas.rhythms import LABELS
from schemas.samples import Lead, WaveformStretch
from storage.metrics_rows import metric_ids
from storage.stretches import StretchRow
from storage.waveforms import encode

_OWN = ("r_index", "at_us", "beat_class", "confidence")
_BEAT_FIGURES = ("rr_ms", "pr_ms", "qrs_ms", "qt_ms", "st_mv", "amplitude_mv")


def as_results(
    beats: Sequence[Beat] = (), metrics: Sequence[Metrics] = (), leads: tuple[Lead, ...] = ("MLII", "V1")
) -> Results:
    """Results that hold them in this order; figures lose what a float of 32 bits can't hold."""
    rows: list[Beat | Metrics] = [*beats, *metrics]
    keys = list(dict.fromkeys((row.device_id, row.recording_id) for row in rows))
    version = rows[0].engine_version if rows else "test-1"
    sources = tuple(Source(device_id, recording_id, leads) for device_id, recording_id in keys)
    return Results(sources, _beats(beats, keys), _metrics(metrics, keys, leads), np.zeros(0, EPISODE_DTYPE), version)


def _beats(beats: Sequence[Beat], keys: list[tuple[UUID, UUID]]) -> np.ndarray[Any, Any]:
    table = np.zeros(len(beats), BEAT_DTYPE)
    for row, beat in zip(table, beats, strict=True):
        row["source"] = keys.index((beat.device_id, beat.recording_id))
        for name in _OWN:
            row[name] = getattr(beat, name)
        for name in _BEAT_FIGURES:
            row[name] = _or(getattr(beat, name), np.nan)
        for name in Fiducials.__slots__:
            row[name] = _or(getattr(beat.fiducials, name), -1)
    return table


def _metrics(
    metrics: Sequence[Metrics], keys: list[tuple[UUID, UUID]], leads: tuple[Lead, ...]
) -> np.ndarray[Any, Any]:
    table = np.zeros(len(metrics), METRICS_DTYPE)
    table["lead_quality"] = np.nan
    for row, second in zip(table, metrics, strict=True):
        row["source"] = keys.index((second.device_id, second.recording_id))
        for name in ("window_start_us", "arrhythmia_confidence", "quality"):
            row[name] = getattr(second, name)
        for name in FIGURES:
            row[name] = _or(getattr(second, name), np.nan)
        row["rhythm"] = LABELS.index(second.arrhythmia_type) if second.arrhythmia_type else -1
        row["main_lead"] = leads.index(second.main_lead) if second.main_lead else -1
        for told in second.leads:
            row["lead_quality"][leads.index(told.lead)] = told.quality
            row["lead_flags"][leads.index(told.lead)] = bits_of(told.flags)
    return table


def _or(value: float | None, absent: float) -> float:
    return absent if value is None else value


def beat_pack(results: Results) -> bytes:
    """A record of ecg.beats."""
    return encode_beat_packs([results])[0]


def metrics_pack(results: Results) -> bytes:
    """A record of ecg.metrics."""
    return encode_metrics_packs([results])[0]


def row_of(stretch: WaveformStretch) -> StretchRow:
    """A stretch as it is read back, coded as it is written."""
    coded = encode(stretch.samples)
    return StretchRow(
        first_index=stretch.first_index,
        sample_count=stretch.samples.shape[1],
        started_at=to_datetime(stretch.started_at_us),
        codec=coded.codec,
        data=coded.data,
    )


def metric_id(device_id: UUID, window_start_us: int) -> UUID:
    """The id of one second."""
    [made] = metric_ids(np.frombuffer(device_id.bytes, "V16"), np.array([window_start_us])).tolist()
    return UUID(bytes=made)
