"""Strips hold every stored sample at its index, and thinning never hides a peak."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import waveform_json
from api.waveforms import Span, Strip, assemble, blocks, index_at, uncovered
from schemas import codec
from schemas.clock import index_to_us
from schemas.samples import MISSING
from storage.envelopes import envelope
from tests.unit.api.examples import START_US, a_recording, a_stretch, counted


@given(st.integers(0, 2**31), st.sampled_from([100.0, 250.0, 257.0, 360.0, 999.9]))
def test_the_index_at_a_samples_moment_is_that_sample(index: int, rate_hz: float) -> None:
    recording = a_recording(rate_hz)
    at_us = recording.started_at_us + index_to_us(index, rate_hz)
    assert index_at(recording, at_us) == index
    assert index_at(recording, at_us + 1) == index + 1


def test_a_moment_before_the_recording_is_its_first_sample() -> None:
    assert index_at(a_recording(), START_US - 10_000_000) == 0


def test_stretches_land_at_their_index_and_holes_are_gaps() -> None:
    recording = a_recording()
    stretches = [a_stretch(recording, 0, counted(2, 0, 10)), a_stretch(recording, 15, counted(2, 15, 10))]
    strip = assemble(recording, Span(5, 20), stretches)
    assert strip.samples[1].tolist() == [5, 6, 7, 8, 9, *[MISSING] * 5, 15, 16, 17, 18, 19]
    assert strip.gaps == [Span(10, 15)]


def test_a_strip_starts_at_the_clock_of_its_first_stretch() -> None:
    recording = a_recording(250.0)
    drifted = a_stretch(recording, 100, counted(2, 0, 50))
    strip = assemble(recording, Span(125, 150), [drifted])
    assert strip.started_at_us == drifted.started_at_us + 25 * 4000


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20))))
def test_gaps_are_exactly_what_is_not_covered(parts: list[tuple[int, int]]) -> None:
    spans = [Span(first, first + count) for first, count in parts]
    inside = {index for span in spans for index in range(span.first_index, span.end_index)}
    missing = [
        index for gap in uncovered(Span(0, 50), spans) for index in range(gap.first_index, min(gap.end_index, 50))
    ]
    assert missing == [index for index in range(50) if index not in inside]


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200), st.integers(1, 50))
def test_an_envelope_keeps_every_extreme(values: list[int], points: int) -> None:
    thinned = envelope(np.array([values], np.int16), points)
    present = [value for value in values if value != MISSING]
    parts = min(points, len(values))
    assert thinned.minimum.shape == thinned.maximum.shape == (1, parts)
    kept = thinned.minimum != MISSING
    if present:
        assert thinned.minimum[kept].min() == min(present)
        assert thinned.maximum.max() == max(present)
    else:
        assert not kept.any()


def test_a_part_without_samples_is_missing_in_both() -> None:
    thinned = envelope(np.array([[1, 2, MISSING, MISSING, 5, MISSING]], np.int16), 3)
    assert thinned.minimum.tolist() == [[1, MISSING, 5]]
    assert thinned.maximum.tolist() == [[2, MISSING, 5]]


async def _exact(*strips: Strip) -> dict[str, list[dict[str, object]]]:
    pieces = [piece async for piece in waveform_json.exact(strips)]
    document: dict[str, list[dict[str, object]]] = json.loads(b"".join(pieces))
    return document


@pytest.mark.parametrize("count", [1, 19_999, 20_000, 20_001, 45_000])
async def test_exact_json_has_every_sample_across_pieces(count: int) -> None:
    recording = a_recording()
    samples = np.random.default_rng(1).integers(-32768, 32767, (2, count), np.int16)
    [told] = (await _exact(assemble(recording, Span(0, count), [a_stretch(recording, 0, samples)])))["recordings"]
    assert told["samples"] == [waveform_json.channel(row) for row in samples]
    assert (told["first_index"], told["end_index"], told["count"]) == (0, count, count)


async def test_exact_json_is_what_the_model_says() -> None:
    recording = a_recording()
    strips = [assemble(recording, Span(0, 4), [a_stretch(recording, 1, counted(2, 1, 2))])] * 2
    told = waveform_json.Waveforms.model_validate(await _exact(*strips))
    assert isinstance(told.recordings[1], waveform_json.ExactStrip)
    assert told.recordings[1].samples[0] == [None, 1, 2, None]
    assert [gap.first_index for gap in told.recordings[1].gaps] == [0, 3]


def test_blocks_carry_every_sample_and_no_gap() -> None:
    recording = a_recording(100.0)
    stretches = [a_stretch(recording, 0, counted(2, 0, 9000)), a_stretch(recording, 9500, counted(2, 9500, 500))]
    sent = codec.decode_pack(codec.encode_pack(blocks(assemble(recording, Span(0, 10_000), stretches))))
    assert [(block.first_index, block.count) for block in sent] == [(0, 6000), (6000, 3000), (9500, 500)]
    assert all(block.samples[0, 0] == block.first_index for block in sent)
    assert sent[2].started_at_us == START_US + 95_000_000
