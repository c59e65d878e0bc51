"""A drawing made of rows' envelopes is the one that every sample makes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from schemas.samples import MISSING
from storage.envelopes import Drawing, Envelope, envelope, envelope_bytes

VALUES = st.lists(st.sampled_from([MISSING, -32767, -5, 0, 7, 32767]), min_size=1, max_size=120)
ROWS = st.lists(st.tuples(st.integers(0, 119), st.integers(1, 40)), max_size=12)


def parts_one_by_one(samples: NDArray[np.int16], points: int) -> Envelope:
    """What is meant, sample by sample."""
    count = samples.shape[1]
    parts = min(points, count)
    low, high = np.full((2, len(samples), parts), MISSING, np.int16)
    for part in range(parts):
        for lead, row in enumerate(samples):
            present = [v for v in row[part * count // parts : (part + 1) * count // parts].tolist() if v != MISSING]
            low[lead, part], high[lead, part] = (min(present), max(present)) if present else (MISSING, MISSING)
    return Envelope(low, high)


def assert_same(found: Envelope, expected: Envelope) -> None:
    assert np.array_equal(found.minimum, expected.minimum)
    assert np.array_equal(found.maximum, expected.maximum)


@given(VALUES, st.integers(1, 130))
def test_each_part_tells_its_lowest_and_highest(values: list[int], points: int) -> None:
    samples = np.array([values, values[::-1]], np.int16)
    assert_same(envelope(samples, points), parts_one_by_one(samples, points))


@given(VALUES, ROWS, st.data())
def test_rows_by_their_envelopes_draw_what_all_samples_draw(
    values: list[int], rows: list[tuple[int, int]], data: st.DataObject
) -> None:
    samples = np.array([values, values[::-1]], np.int16)
    first = data.draw(st.integers(0, len(values) - 1))
    end = data.draw(st.integers(first + 1, len(values)))
    drawing = Drawing(2, first, end, data.draw(st.integers(1, 20)))
    stored = np.full_like(samples, MISSING)
    for begin, count in rows:
        part = samples[:, begin : begin + count]
        if part.shape[1]:
            stored[:, begin : begin + count] = part
            add_as_a_reader_does(drawing, begin, part)
    assert_same(drawing.envelope(), parts_one_by_one(stored[:, first:end], drawing.points))


def add_as_a_reader_does(drawing: Drawing, begin: int, part: NDArray[np.int16]) -> None:
    at, end = np.array([begin]), np.array([begin + part.shape[1]])
    if drawing.within_one_part(at, end).all():
        drawing.add_rows(at, np.frombuffer(envelope_bytes(part), "<i2").reshape(1, 2, 2))
    else:
        drawing.add_samples(begin, part)


def test_a_row_without_samples_has_an_envelope_without_any() -> None:
    told = np.frombuffer(envelope_bytes(np.array([[MISSING, MISSING], [3, MISSING]], np.int16)), "<i2")
    assert told.tolist() == [MISSING, MISSING, 3, 3]
