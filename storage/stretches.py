"""Stretches of samples as rows: encoded, chosen among repeats, cut to what is asked for; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from schemas.clock import index_to_us, to_us
from schemas.samples import Recording, WaveformStretch
from storage.arrays import BIGINT, BYTEA, INTEGER, SMALLINT, UUIDS, Column, moments, uuids
from storage.envelopes import envelope_bytes
from storage.waveforms import Encoded, decode_many, encode_many

MAX_STRETCH_S: Final = 3600
"""No stretch is longer, so that one row never fills the memory of who reads a second of it."""

PIECE: Final = 1996
"""Bytes of a piece of what lies outside its row: four fill a page of PostgreSQL (TOAST_MAX_CHUNK_SIZE)."""
_LONGEST_TAIL: Final = 1800
"""A row of 2032 bytes stays whole; a longer rest goes outside, where it fills its piece all but."""


@dataclass(frozen=True, slots=True)
class StretchRow:
    """A row of ecg_waveforms as it is read; `data` is the column data followed by tail."""

    first_index: int
    sample_count: int
    started_at: datetime
    codec: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """Stretches as rows: an array for each column of ecg_waveforms, and for each of their recordings' whereabouts."""

    rows: dict[str, Column]
    recordings: dict[str, Column]

    @property
    def count(self) -> int:
        return len(self.rows["codec"].values)


def pack(stretches: Iterable[WaveformStretch]) -> Packed:
    """The stretches as rows, of those with one key the longest, in the order of the key.

    Raises ValueError for a stretch longer than MAX_STRETCH_S. Its work is all numpy's and the codec's, which let other
    threads run: call it in one.
    """
    chosen = longest(stretches)
    return Packed(_row_columns(chosen), _whereabouts(chosen))


def _row_columns(stretches: Sequence[WaveformStretch]) -> dict[str, Column]:
    coded = encode_many([each.samples for each in stretches])
    cuts = [inside_from(len(each.data)) for each in coded]
    return {
        "device_id": Column(UUIDS, uuids([each.device_id.bytes for each in stretches])),
        "recording_id": Column(UUIDS, uuids([each.recording_id.bytes for each in stretches])),
        "first_index": Column(BIGINT, np.array([each.first_index for each in stretches], np.int64)),
        "sample_count": Column(INTEGER, np.array([each.samples.shape[1] for each in stretches], np.int64)),
        "started_at": moments(np.array([each.started_at_us for each in stretches], np.int64)),
        "codec": Column(SMALLINT, np.array([each.codec for each in coded], np.int64)),
        "data": Column(BYTEA, [each.data[:cut] for each, cut in zip(coded, cuts, strict=True)]),
        "envelope": Column(BYTEA, [envelope_bytes(each.samples) for each in stretches]),
        "tail": Column(BYTEA, [each.data[cut:] for each, cut in zip(coded, cuts, strict=True)]),
    }


def inside_from(size: int) -> int:
    """From which of `size` bytes on they stay inside the row: before it lie whole pieces, so that no page has holes."""
    tail = size % PIECE
    return size - tail if tail <= _LONGEST_TAIL else size


def _whereabouts(stretches: Sequence[WaveformStretch]) -> dict[str, Column]:
    """What the stretches, sorted by recording, say of where their recordings' samples are: a row per recording."""
    ids = [each.recording_id.bytes for each in stretches]
    begins = [at for at, one in enumerate(ids) if at == 0 or ids[at - 1] != one]
    first = np.array([each.first_index for each in stretches], np.int64)
    counts = np.array([each.samples.shape[1] for each in stretches], np.int64)
    started_us = np.array([each.started_at_us for each in stretches], np.int64)
    rates = np.array([each.rate_hz for each in stretches])
    ended_us = started_us + np.rint(counts * 1e6 / rates).astype(np.int64)
    origins_us = started_us - np.array([index_to_us(each.first_index, each.rate_hz) for each in stretches], np.int64)
    return {
        "recording_id": Column(UUIDS, uuids([ids[at] for at in begins])),
        "first_index": Column(BIGINT, np.minimum.reduceat(first, begins)),
        "end_index": Column(BIGINT, np.maximum.reduceat(first + counts, begins)),
        "first_at": moments(np.minimum.reduceat(started_us, begins)),
        "end_at": moments(np.maximum.reduceat(ended_us, begins)),
        "longest": Column(INTEGER, np.maximum.reduceat(counts, begins)),
        "earliest_origin": moments(np.minimum.reduceat(origins_us, begins)),
        "latest_origin": moments(np.maximum.reduceat(origins_us, begins)),
    }


def longest(stretches: Iterable[WaveformStretch]) -> list[WaveformStretch]:
    """One stretch per key, the longest, sorted by key so that two workers lock rows in one order.

    Raises ValueError for a stretch longer than MAX_STRETCH_S.
    """
    by_key: dict[tuple[bytes, bytes, int, int], WaveformStretch] = {}
    for stretch in stretches:
        seconds = stretch.samples.shape[1] / stretch.rate_hz
        if seconds > MAX_STRETCH_S:
            raise ValueError(f"a stretch lasts {seconds:.0f} s; cut it into parts of {MAX_STRETCH_S} s or less")
        key = (stretch.device_id.bytes, stretch.recording_id.bytes, stretch.first_index, stretch.started_at_us)
        if key not in by_key or by_key[key].samples.shape[1] < stretch.samples.shape[1]:
            by_key[key] = stretch
    return [by_key[key] for key in sorted(by_key)]


def cut(recording: Recording, rows: Sequence[StretchRow], first_index: int, end_index: int) -> list[WaveformStretch]:
    """The samples [first_index, end_index) of rows sorted by their first index, in order and each once.

    Rows may overlap: a worker that started again may have cut the same samples at other places. What is decoded is one
    array, of which the stretches' samples are parts. Raises ValueError for a damaged row.
    """
    needed, parts = [], []
    reached = first_index
    for row in rows:
        part_end = min(row.first_index + row.sample_count, end_index)
        part_first = max(row.first_index, reached)
        if part_first < part_end:
            needed.append(row)
            parts.append((part_first, part_end))
            reached = part_end
    if not needed:
        return []
    samples = decode_many(
        [Encoded(row.codec, row.data) for row in needed], len(recording.leads), [row.sample_count for row in needed]
    )
    stretches, at = [], 0
    for row, (part_first, part_end) in zip(needed, parts, strict=True):
        skipped = part_first - row.first_index
        stretches.append(
            WaveformStretch(
                recording.recording_id,
                recording.device_id,
                part_first,
                to_us(row.started_at) + index_to_us(skipped, recording.rate_hz),
                recording.rate_hz,
                recording.leads,
                recording.uv_per_lsb,
                samples[:, at + skipped : at + part_end - row.first_index],
            )
        )
        at += row.sample_count
    return stretches
