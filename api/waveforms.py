"""Waveforms: stored stretches put together, cut and thinned out for drawing; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.clock import index_to_us
from schemas.samples import MAX_BLOCK_S, MISSING, Recording, SampleBlock, WaveformStretch
from storage.envelopes import Envelope, envelope


@dataclass(frozen=True, slots=True)
class Span:
    """Samples [first_index, end_index) of a recording."""

    first_index: int
    end_index: int

    @property
    def count(self) -> int:
        return self.end_index - self.first_index


@dataclass(frozen=True, slots=True)
class Strip:
    """A span of a recording without holes: int16 `samples` of shape (leads, count), MISSING where there are none.

    `gaps` are the spans of which nothing is stored; a device may mark samples inside what it sent as missing too.
    """

    recording: Recording
    span: Span
    started_at_us: int
    samples: NDArray[np.int16]
    gaps: list[Span]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A span of a recording by the lowest and highest of equal parts; otherwise as a Strip."""

    recording: Recording
    span: Span
    started_at_us: int
    envelope: Envelope
    gaps: list[Span]


def index_at(recording: Recording, at_us: int) -> int:
    """The first index whose sample is at `at_us` or later; 0 for moments before the recording."""
    offset_us = at_us - recording.started_at_us
    index = max(0, int(offset_us * recording.rate_hz / 1_000_000) - 1)
    while index_to_us(index, recording.rate_hz) < offset_us:
        index += 1
    return index


def assemble(
    recording: Recording, span: Span, stretches: Iterable[WaveformStretch], chosen: Sequence[int] | None = None
) -> Strip:
    """One strip of the stretches that overlap `span`; where two overlap, the later one is kept.

    `chosen` are the numbers of the stretches' leads that are the recording's; None for all of them.
    """
    samples = np.full((len(recording.leads), span.count), MISSING, np.int16)
    started_at_us = recording.started_at_us + index_to_us(span.first_index, recording.rate_hz)
    leads = slice(None) if chosen is None else list(chosen)
    covered = []
    for stretch in stretches:
        part = _overlap(stretch, span)
        if part.count <= 0:
            continue
        inside = slice(part.first_index - stretch.first_index, part.end_index - stretch.first_index)
        place = slice(part.first_index - span.first_index, part.end_index - span.first_index)
        samples[:, place] = stretch.samples[leads, inside]
        covered.append(part)
        if part.first_index == span.first_index:  # its own clock is nearer the truth than the recording's
            started_at_us = stretch.started_at_us + index_to_us(inside.start, stretch.rate_hz)
    return Strip(recording, span, started_at_us, samples, list(uncovered(span, covered)))


def drawn(strip: Strip, points: int) -> Drawn:
    """The strip thinned out: the lowest and highest of each of `points` equal parts."""
    thinned = envelope(strip.samples, points)
    return Drawn(strip.recording, strip.span, strip.started_at_us, thinned, strip.gaps)


def _overlap(stretch: WaveformStretch, span: Span) -> Span:
    end_index = stretch.first_index + stretch.samples.shape[1]
    return Span(max(stretch.first_index, span.first_index), min(end_index, span.end_index))


def uncovered(span: Span, covered: Iterable[Span]) -> Iterator[Span]:
    """What `covered` leaves of `span`, in order."""
    reached = span.first_index
    for part in sorted(covered, key=lambda part: part.first_index):
        if part.first_index > reached:
            yield Span(reached, part.first_index)
        reached = max(reached, part.end_index)
    if reached < span.end_index:
        yield Span(reached, span.end_index)


def blocks(strip: Strip) -> Iterator[SampleBlock]:
    """The strip as wire blocks of at most MAX_BLOCK_S, without its gaps."""
    recording = strip.recording
    longest = int(MAX_BLOCK_S * recording.rate_hz)
    for part in uncovered(strip.span, strip.gaps):
        for first_index in range(part.first_index, part.end_index, longest):
            offset = first_index - strip.span.first_index
            count = min(longest, part.end_index - first_index)
            yield SampleBlock(
                device_id=recording.device_id,
                recording_id=recording.recording_id,
                first_index=first_index,
                started_at_us=strip.started_at_us + index_to_us(offset, recording.rate_hz),
                rate_hz=recording.rate_hz,
                leads=recording.leads,
                uv_per_lsb=recording.uv_per_lsb,
                samples=strip.samples[:, offset : offset + count],
            )
