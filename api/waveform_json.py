"""Waveforms as JSON, written piece by piece so that a long strip neither fills memory nor holds up others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from api.waveforms import Drawn, Strip
from schemas.samples import MISSING, Lead

_PIECE: Final = 20_000
"""Samples per piece: about 2 ms of encoding, 100 kB of text."""

Channel = list[int | None]


class IndexSpan(BaseModel):
    """Samples [first_index, end_index)."""

    first_index: int
    end_index: int


class StripHead(BaseModel):
    """Where a strip is; microvolts = sample × uv_per_lsb of its lead."""

    recording_id: UUID
    device_id: UUID
    rate_hz: float
    leads: list[Lead]
    uv_per_lsb: list[float]
    first_index: int
    end_index: int
    count: int = Field(description="Samples per lead: end_index − first_index")
    started_at_us: int = Field(description="Moment of first_index, UTC microseconds of the device's clock")
    gaps: list[IndexSpan] = Field(description="Spans of which nothing is stored")


class ExactStrip(StripHead):
    """Every sample; null where there is none."""

    samples: list[Channel] = Field(description="One list per lead")


class DrawnStrip(StripHead):
    """Lowest and highest sample of each of `points` equal parts; null where a part has none."""

    points: int
    minimum: list[Channel]
    maximum: list[Channel]


class Waveforms(BaseModel):
    """One strip per recording of the range, in order of time."""

    recordings: list[ExactStrip | DrawnStrip]


def head(strip: Strip | Drawn) -> StripHead:
    recording, span = strip.recording, strip.span
    return StripHead(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        rate_hz=recording.rate_hz,
        leads=list(recording.leads),
        uv_per_lsb=list(recording.uv_per_lsb),
        first_index=span.first_index,
        end_index=span.end_index,
        count=span.count,
        started_at_us=strip.started_at_us,
        gaps=[IndexSpan(first_index=gap.first_index, end_index=gap.end_index) for gap in strip.gaps],
    )


def drawn(strip: Drawn) -> DrawnStrip:
    thinned = strip.envelope
    return DrawnStrip(
        **head(strip).model_dump(),
        points=thinned.minimum.shape[1],
        minimum=[channel(row) for row in thinned.minimum],
        maximum=[channel(row) for row in thinned.maximum],
    )


def is_short(strips: Sequence[Strip]) -> bool:
    """Whether the text of `exact` is written sooner than sent in pieces."""
    return sum(strip.samples.size for strip in strips) <= _PIECE


def exact_at_once(strips: Sequence[Strip]) -> bytes:
    """The text of `exact`, whole."""
    return b'{"recordings":[' + b",".join([b"".join(_strip(strip)) for strip in strips]) + b"]}"


async def exact(strips: Sequence[Strip]) -> AsyncIterator[bytes]:
    """The text of Waveforms with every sample of `strips`."""
    yield b'{"recordings":['
    for number, strip in enumerate(strips):
        yield b"," if number else b""
        for piece in _strip(strip):
            yield piece
            await asyncio.sleep(0)  # lets other requests in between two pieces
    yield b"]}"


def _strip(strip: Strip) -> Iterator[bytes]:
    yield head(strip).model_dump_json().encode()[:-1] + b',"samples":['
    for number, row in enumerate(strip.samples):
        yield b",[" if number else b"["
        for start in range(0, len(row), _PIECE):
            text = json.dumps(channel(row[start : start + _PIECE]), separators=(",", ":"))[1:-1]
            yield ("," + text if start else text).encode()
        yield b"]"
    yield b"]}"


def channel(row: NDArray[np.int16]) -> Channel:
    """One lead's samples as JSON values."""
    values: Channel = row.tolist()
    if (row == MISSING).any():
        return [None if value == MISSING else value for value in values]
    return values
