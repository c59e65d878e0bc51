"""Seconds of metrics as rows: in the seed system's columns with the exact figures beside them; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from schemas.metrics import FIGURES, Metrics
from schemas.quality import LeadQuality, bits_of, flags_of
from schemas.samples import Lead
from storage.rows import array_text

KIND_BY_COLUMN: Final = {
    "metric_id": "uuid", "user_id": "uuid", "device_id": "uuid", "recording_id": "uuid", "heart_rate": "integer",
    "pr_interval": "integer", "qrs_duration": "integer", "qtc_interval": "integer", "st_segment": "text",
    "qrs_axis": "text", "arrhythmia_type": "text", "arrhythmia_confidence": "numeric", "window_start_us": "bigint",
    **dict.fromkeys(FIGURES, "float8"), "quality": "float8", "engine_version": "text", "main_lead": "text",
    "lead_quality": "text", "lead_flags": "text", "seconds": "smallint",
}  # fmt: skip
"""What metrics_columns() gives, by the type of a value."""

VALUE_BY_COLUMN: Final = {name: name for name in KIND_BY_COLUMN if name != "window_start_us"} | {
    "recorded_at": "timestamptz 'epoch' + window_start_us * interval '1 microsecond'",
    "lead_quality": "lead_quality::real[]",
    "lead_flags": "lead_flags::smallint[]",
}
"""What is written of ecg_metrics, and what of the above it is made of."""


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """A row of ecg_metrics under the seed system's names: intervals in whole ms, confidence 0 to 100.

    It stands for `seconds` seconds, of which it is the first; `leads` tells the quality of each lead in that one.
    """

    metric_id: UUID
    user_id: UUID | None
    device_id: UUID
    recording_id: UUID
    heart_rate: int | None
    pr_interval: int | None
    qrs_duration: int | None
    qtc_interval: int | None
    st_segment: str | None
    qrs_axis: str | None
    arrhythmia_type: str | None
    arrhythmia_confidence: float
    raw_data_s3_path: str | None
    recorded_at: datetime
    rr_ms: float | None
    qt_ms: float | None
    qtc_ms: float | None
    qtc_bazett_ms: float | None
    qtc_framingham_ms: float | None
    qtc_hodges_ms: float | None
    st_mv: float | None
    st80_mv: float | None
    p_axis_deg: float | None
    qrs_axis_deg: float | None
    t_axis_deg: float | None
    quality: float
    engine_version: str
    seconds: int
    main_lead: Lead | None
    leads: list[LeadQuality]


def metrics_row(
    *,
    recorded_leads: Sequence[Lead] | None,
    lead_quality: Sequence[float] | None,
    lead_flags: Sequence[int] | None,
    **others: Any,
) -> MetricsRow:
    """The row, its two arrays (None before leads were told apart) put together with the recording's leads."""
    told = zip(recorded_leads or (), lead_quality or (), lead_flags or (), strict=False)
    return MetricsRow(leads=[LeadQuality(lead, value, flags_of(bits)) for lead, value, bits in told], **others)


def metric_id(device_id: UUID, window_start_us: int) -> UUID:
    """The id of a device's second: 48 bits of Unix milliseconds, then a hash of the identity (RFC 9562 version 8).

    Because the id tells the time, a row is found by its id without an index of random keys as large as the table.
    """
    digest = hashlib.blake2b(device_id.bytes + window_start_us.to_bytes(8, "big", signed=True), digest_size=10).digest()
    number = (window_start_us // 1000) % 2**48 << 80 | int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return UUID(int=number & ~(3 << 62) | 2 << 62)


def metrics_columns(metrics: Sequence[Metrics], owner: Mapping[UUID, UUID | None], seconds: int) -> dict[str, object]:
    """One array for each of KIND_BY_COLUMN.

    Figures and ids go as text that we join ourselves: the driver's own way takes three times as long, a call a value.
    """
    return {
        "metric_id": array_text(metric_id(m.device_id, m.window_start_us).hex for m in metrics),
        "user_id": array_text(map(owner.get, map(attrgetter("device_id"), metrics))),
        "heart_rate": array_text(_whole(m.heart_rate_bpm) for m in metrics),
        "pr_interval": array_text(_whole(m.pr_ms) for m in metrics),
        "qrs_duration": array_text(_whole(m.qrs_ms) for m in metrics),
        "qtc_interval": array_text(_whole(m.qtc_ms) for m in metrics),
        "st_segment": array_text(None if m.st_mv is None else f"{m.st_mv:+.2f} mV" for m in metrics),
        "qrs_axis": array_text(None if m.qrs_axis_deg is None else f"{m.qrs_axis_deg:.0f}°" for m in metrics),
        "lead_quality": array_text(_qualities(m.leads) for m in metrics),
        "lead_flags": array_text(_flags(m.leads) for m in metrics),
        "seconds": array_text([seconds] * len(metrics)),
        **{name: array_text(map(attrgetter(name), metrics)) for name in _PLAIN},
        **{name: list(map(attrgetter(name), metrics)) for name in ("arrhythmia_type", "engine_version")},
    }


_PLAIN: Final = (
    *FIGURES, "device_id", "recording_id", "window_start_us", "arrhythmia_confidence", "quality", "main_lead"
)  # fmt: skip


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _qualities(leads: Sequence[LeadQuality]) -> str:
    """To a thousandth: more digits are noise, and cost twice the space once compressed."""
    return '"{' + ",".join([f"{lead.quality:.3f}" for lead in leads]) + '}"'


def _flags(leads: Sequence[LeadQuality]) -> str:
    return '"{' + ",".join([str(bits_of(lead.flags)) if lead.flags else "0" for lead in leads]) + '}"'
