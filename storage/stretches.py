"""Stretches of samples as rows: encoded, chosen among repeats, cut to what is asked for; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np

from schemas.clock import index_to_us, to_us
from schemas.samples import Lead, WaveformStretch
from storage.arrays import BIGINT, BYTEA, FLOAT8, INTEGER, SMALLINT, TEXT, UUIDS, Column, moments, uuids
from storage.rows import array_text
from storage.waveforms import Encoded, decode, encode

MAX_STRETCH_S: Final = 3600
"""No stretch is longer, so a search by time needs to look back no further."""


@dataclass(frozen=True, slots=True)
class StretchRow:
    """A row of ecg_waveforms as it is read."""

    recording_id: UUID
    device_id: UUID
    first_index: int
    sample_count: int
    started_at: datetime
    rate_hz: float
    leads: list[Lead]
    uv_per_lsb: list[float]
    codec: int
    data: bytes

    def stretch(self) -> WaveformStretch:
        return WaveformStretch(
            recording_id=self.recording_id,
            device_id=self.device_id,
            first_index=self.first_index,
            started_at_us=to_us(self.started_at),
            rate_hz=self.rate_hz,
            leads=tuple(self.leads),
            uv_per_lsb=tuple(self.uv_per_lsb),
            samples=decode(Encoded(self.codec, self.data), len(self.leads), self.sample_count),
        )


def stretch_columns(stretches: Sequence[WaveformStretch]) -> dict[str, Column]:
    """The stretches as rows of ecg_waveforms: an array for each column."""
    coded = [encode(each.samples) for each in stretches]
    counts = [each.samples.shape[1] for each in stretches]
    lasts_us = [index_to_us(n, each.rate_hz) for n, each in zip(counts, stretches, strict=True)]
    started_us = np.array([each.started_at_us for each in stretches], np.int64)
    return {
        "recording_id": Column(UUIDS, uuids([each.recording_id.bytes for each in stretches])),
        "device_id": Column(UUIDS, uuids([each.device_id.bytes for each in stretches])),
        "first_index": Column(BIGINT, np.array([each.first_index for each in stretches], np.int64)),
        "sample_count": Column(INTEGER, np.array(counts)),
        "started_at": moments(started_us),
        "ended_at": moments(started_us + np.array(lasts_us, np.int64)),
        "rate_hz": Column(FLOAT8, np.array([each.rate_hz for each in stretches])),
        "leads": Column(TEXT, [array_text(each.leads) for each in stretches]),
        "uv_per_lsb": Column(TEXT, [array_text(each.uv_per_lsb) for each in stretches]),
        "codec": Column(SMALLINT, np.array([each.codec for each in coded])),
        "data": Column(BYTEA, [each.data for each in coded]),
    }


def longest(stretches: Iterable[WaveformStretch]) -> list[WaveformStretch]:
    """One stretch per key, the longest, sorted by key so that two workers lock rows in one order.

    Raises ValueError for a stretch longer than MAX_STRETCH_S.
    """
    by_key: dict[tuple[bytes, int, int], WaveformStretch] = {}
    for stretch in stretches:
        seconds = stretch.samples.shape[1] / stretch.rate_hz
        if seconds > MAX_STRETCH_S:
            raise ValueError(f"a stretch lasts {seconds:.0f} s; cut it into parts of {MAX_STRETCH_S} s or less")
        key = (stretch.recording_id.bytes, stretch.first_index, stretch.started_at_us)
        if key not in by_key or by_key[key].samples.shape[1] < stretch.samples.shape[1]:
            by_key[key] = stretch
    return [by_key[key] for key in sorted(by_key)]


def cut(rows: Iterable[StretchRow], first_index: int, end_index: int) -> list[WaveformStretch]:
    """The samples [first_index, end_index) of rows sorted by their first index, in order and each once.

    Rows may overlap: a worker that started again may have cut the same samples at other places.
    """
    stretches = []
    for row in rows:
        row_end = min(row.first_index + row.sample_count, end_index)
        row_first = max(row.first_index, first_index)
        if row_first < row_end:
            stretches.append(_part(row.stretch(), row_first, row_end))
            first_index = row_end
    return stretches


def _part(stretch: WaveformStretch, first_index: int, end_index: int) -> WaveformStretch:
    skipped = first_index - stretch.first_index
    return replace(
        stretch,
        first_index=first_index,
        started_at_us=stretch.started_at_us + index_to_us(skipped, stretch.rate_hz),
        samples=stretch.samples[:, skipped : end_index - stretch.first_index],
    )
