"""A store that holds one patient's recording and what was found in it, as rows of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from schemas.accounts import Device, User
from schemas.beats import Beat
from schemas.clock import to_datetime
from schemas.rhythms import NORMAL, TACHYCARDIA
from schemas.samples import WaveformStretch
from storage.archive_shelf import Shelf
from storage.metrics_rows import MetricsRow
from storage.objects import Objects
from tests.columns import row_of

from .fakes import RATE_HZ, START_US, FakeDatabase, Row, block

DEVICE, USER, RECORDING = UUID(int=1), UUID(int=77), block(UUID(int=1)).recording_id
AT = to_datetime(START_US)


def _no_store() -> Objects:
    raise AssertionError("nothing of this store is archived")


NO_ARCHIVE = Shelf(_no_store, 0)


def recorded(*stretches: tuple[int, int], peak_s: float | None = 20.0, **answers: Sequence[Row]) -> FakeDatabase:
    """[first, end) of one recording of DEVICE, its fastest second at `peak_s`; answers given by name replace ours."""
    fastest = [] if peak_s is None else [_SECOND | {"recorded_at": _at(peak_s)}]
    ours: dict[str, Sequence[Row]] = {
        "device": [_nothing(Device) | {"device_id": DEVICE, "user_id": USER, "device_serial": "S1"}],
        "user": [_nothing(User) | {"user_id": USER, "username": "ann", "full_name": "Ann Example", "age": 61}],
        "means": [_MEANS],
        "labels": [{"label": NORMAL, "seconds": 25}, {"label": None, "seconds": 5}],
        "fastest": fastest,
        "counts": [{"beat_class": "N", "count": 30}, {"beat_class": "V", "count": 2}],
        "groups": [],
        "hrv": [],
        "beats": [_beat(300)],
        "episodes": [_episode(NORMAL, 0.0, 15.0), _episode(TACHYCARDIA, 15.0, 30.0)],
        "waveforms": [_stretch(first, end) for first, end in stretches],
        "archived": [],
        "recordings": [_RECORDING | _whereabouts(stretches)] if stretches else [],
    }
    rows = ours | answers
    pages = {"AS everything": [{"count": 1}]}
    return FakeDatabase(pages | {text: rows[name] for name, text in _TEXTS.items()})


_TEXTS = {
    "waveforms": "FROM ecg_waveforms AS v",
    "archived": "FROM archived_records AS a",
    "device": "FROM devices AS d",
    "user": "FROM users AS u",
    "means": "AS heart_rate_mean",
    "labels": "arrhythmia_type AS label",
    "fastest": "ORDER BY m.heart_rate_bpm DESC",
    "counts": "b.beat_class, count(*) AS count",
    "groups": "FROM grouped",
    "hrv": "FROM ecg_hrv AS h",
    "beats": "FROM ecg_beats AS b",
    "episodes": "FROM ecg_rhythms AS e",
    "recordings": "FROM recordings AS r",
}
"""What tells each query from the others; the first that fits is answered."""

_MEANS = {
    "heart_rate_mean": 71.6, "heart_rate_min": 60.0, "heart_rate_max": 120.0, "pr_mean_ms": 160.2, "qrs_mean_ms": 95.5,
    "qt_mean_ms": 400.0, "qtc_mean_ms": 420.0, "qtc_bazett_mean_ms": 438.2, "qtc_framingham_mean_ms": 417.1,
    "qtc_hodges_mean_ms": 415.6, "st_mv": -0.05, "st80_mv": -0.04, "p_axis_deg": 52.0, "qrs_axis_deg": 45.4,
    "t_axis_deg": 38.0, "quality_mean": 0.9, "seconds": 30,
}  # fmt: skip

_RECORDING = {
    "recording_id": RECORDING,
    "device_id": DEVICE,
    "user_id": USER,
    "started_at": AT,
    "rate_hz": RATE_HZ,
    "leads": ["II"],
    "uv_per_lsb": [5.0],
}


_SECOND = {field.name: None for field in fields(MetricsRow) if field.name != "leads"} | {
    "recorded_leads": ["II"], "lead_quality": [0.9], "lead_flags": [0], "engine_version": "e-1",
}  # fmt: skip


def _whereabouts(stretches: Sequence[tuple[int, int]]) -> dict[str, int]:
    longest = max(end - first for first, end in stretches)
    extent = {"first_index": stretches[0][0], "end_index": stretches[-1][1]}
    return extent | {"longest": longest, "clock_early_us": 0, "clock_late_us": 0}


def _nothing(kind: type[Any]) -> dict[str, Any]:
    return {field.name: None for field in fields(kind)}


def _at(second: float) -> object:
    return to_datetime(START_US + round(second * 1e6))


def _stretch(first: int, end: int) -> dict[str, Any]:
    part = block(DEVICE, first, end - first)
    facts = {name: getattr(part, name) for name in (field.name for field in fields(WaveformStretch))}
    return asdict(row_of(WaveformStretch(**facts)))


def _beat(r_index: int) -> dict[str, Any]:
    beat = asdict(Beat(DEVICE, RECORDING, r_index, START_US, "V", 90.0, "e-1"))
    marks = beat.pop("fiducials")
    del beat["at_us"]
    return {**beat, **marks, "beat_at": AT}


def _episode(label: str, start_s: float, end_s: float) -> dict[str, Any]:
    return {
        "recording_id": RECORDING, "device_id": DEVICE, "first_r_index": round(start_s * RATE_HZ), "label": label,
        "state": "closed", "started_at": _at(start_s), "ended_at": _at(end_s), "confidence": 80.0,
        "engine_version": "e-1",
    }  # fmt: skip
