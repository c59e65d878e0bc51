"""Seconds of metrics as rows: in the seed system's columns with the exact figures beside them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from math import isnan
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.metrics import FIGURES
from schemas.quality import LeadQuality, flags_of
from schemas.results import Results, Source
from schemas.rhythms import LABELS
from schemas.samples import Lead
from storage.arrays import FLOAT8, SMALLINT, TEXT, UUIDS, Column, figures, moments, uuids, whole

VALUE_BY_COLUMN: Final = {name: name for name in (
    "metric_id", "user_id", "device_id", "recording_id", "heart_rate", "pr_interval", "qrs_duration", "qtc_interval",
    "st_segment", "qrs_axis", "arrhythmia_type", "arrhythmia_confidence", "recorded_at", *FIGURES, "quality",
    "engine_version", "main_lead", "lead_quality", "lead_flags", "seconds",
)} | {"lead_quality": "lead_quality::real[]", "lead_flags": "lead_flags::smallint[]"}  # fmt: skip
"""What metrics_columns() gives, and what is written of it into the column of that name.

Arrays of arrays go as text: unnest() would take them apart to their last element.
"""


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
    lead_quality: Sequence[float | None] | None,
    lead_flags: Sequence[int] | None,
    **others: Any,
) -> MetricsRow:
    """The row, its two arrays (None before leads were told apart) put together with the recording's leads.

    A lead without a quality is left out.
    """
    told = zip(recorded_leads or (), lead_quality or (), lead_flags or (), strict=False)
    leads = [LeadQuality(lead, value, flags_of(bits)) for lead, value, bits in told if value is not None]
    return MetricsRow(leads=leads, **others)


def metric_ids(devices: NDArray[Any], window_start_us: NDArray[Any]) -> NDArray[Any]:
    """The ids (V16) of seconds: 48 bits of Unix milliseconds, then a hash of the identity (RFC 9562 version 8).

    Because the id tells the time, a row is found by its id without an index of random keys as large as the table.
    """
    identities = zip(devices.tolist(), window_start_us.astype(">i8").view("V8").tolist(), strict=True)
    digests = [blake2b(device + at, digest_size=10).digest() for device, at in identities]
    ids = np.empty((len(digests), 16), np.uint8)
    ids[:, :6] = (window_start_us // 1000).astype(">i8").view(np.uint8).reshape(-1, 8)[:, 2:]
    ids[:, 6:] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 10)
    ids[:, 6] = ids[:, 6] & 0x0F | 0x80
    ids[:, 8] = ids[:, 8] & 0x3F | 0x80
    return ids.view("V16").reshape(-1)


def metrics_columns(
    results: Results, chosen: NDArray[Any], owner: Mapping[UUID, UUID | None], seconds: int
) -> dict[str, Column]:
    """An array for each of VALUE_BY_COLUMN, of the metrics at the positions `chosen`."""
    table = results.metrics[chosen]
    sources, number = results.sources, table["source"]
    users = [owner.get(source.device_id) for source in sources]
    devices = uuids([source.device_bytes for source in sources])[number]
    unowned = np.array([user is None for user in users], np.bool_)
    return {
        "metric_id": Column(UUIDS, metric_ids(devices, table["window_start_us"])),
        "user_id": Column(UUIDS, uuids([user.bytes if user else None for user in users])[number], unowned[number]),
        "device_id": Column(UUIDS, devices),
        "recording_id": Column(UUIDS, uuids([source.recording_bytes for source in sources])[number]),
        "heart_rate": whole(table["heart_rate_bpm"]),
        "pr_interval": whole(table["pr_ms"]),
        "qrs_duration": whole(table["qrs_ms"]),
        "qtc_interval": whole(table["qtc_ms"]),
        "st_segment": Column(TEXT, [None if isnan(mv) else f"{mv:+.2f} mV" for mv in table["st_mv"].tolist()]),
        "qrs_axis": Column(TEXT, [None if isnan(deg) else f"{deg:.0f}°" for deg in table["qrs_axis_deg"].tolist()]),
        "arrhythmia_type": Column(TEXT, [_RHYTHMS[code] for code in table["rhythm"].tolist()]),
        "arrhythmia_confidence": Column(FLOAT8, table["arrhythmia_confidence"]),
        "recorded_at": moments(table["window_start_us"]),
        **{name: figures(table[name]) for name in FIGURES},
        "quality": Column(FLOAT8, table["quality"]),
        "engine_version": Column(TEXT, [results.engine_version] * table.size),
        **_lead_columns(sources, table),
        "seconds": Column(SMALLINT, np.full(table.size, seconds)),
    }


_RHYTHMS: Final = (*LABELS, None)  # -1, none stated, is the last one


def _lead_columns(sources: Sequence[Source], table: NDArray[Any]) -> dict[str, Column]:
    """Quality to a thousandth: more digits are noise, and cost twice the space once compressed."""
    leads = [sources[number].leads for number in table["source"].tolist()]
    counts = [len(each) for each in leads]
    quality, flags = table["lead_quality"].tolist(), table["lead_flags"].tolist()
    main = zip(leads, table["main_lead"].tolist(), strict=True)
    return {
        "main_lead": Column(TEXT, [names[lead] if 0 <= lead < len(names) else None for names, lead in main]),
        "lead_quality": Column(TEXT, [_array(map(_thousandths, q[:n])) for q, n in zip(quality, counts, strict=True)]),
        "lead_flags": Column(TEXT, [_array(map(str, bits[:n])) for bits, n in zip(flags, counts, strict=True)]),
    }


def _thousandths(value: float) -> str:
    return "NULL" if isnan(value) else f"{value:.3f}"


def _array(values: Iterable[str]) -> str:
    return "{" + ",".join(values) + "}"
