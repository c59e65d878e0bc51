"""What is asked of a recording is cut to what is stored of it."""

from __future__ import annotations

import pytest

from api.stored_strips import Wanted, span_of
from api.waveforms import Span
from storage.whereabouts import Extent
from tests.unit.api.examples import START_US, a_recording

RECORDING = a_recording(250.0)
EXTENT = Extent(500, 2000)


def _wanted(**bounds: int) -> Wanted:
    plain: dict[str, int | None] = dict.fromkeys(("start", "end", "first_index", "end_index"))
    return Wanted(RECORDING.device_id, RECORDING.recording_id, limit=1, **(plain | bounds))  # type: ignore[arg-type]  # none of the bounds is leads


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        (_wanted(), Span(500, 2000)),
        (_wanted(first_index=0), Span(500, 2000)),
        (_wanted(first_index=600, end_index=700), Span(600, 700)),
        (_wanted(end_index=9000), Span(500, 2000)),
        (_wanted(start=START_US + 4_000_000), Span(1000, 2000)),
        (_wanted(start=START_US + 4_000_000, end=START_US + 4_000_001), Span(1000, 1001)),
        (_wanted(end=START_US + 4_000_000), Span(500, 1000)),
    ],
)
def test_a_range_is_cut_to_the_extent(wanted: Wanted, span: Span) -> None:
    assert span_of(RECORDING, EXTENT, wanted) == span


def test_a_range_outside_has_no_samples() -> None:
    assert span_of(RECORDING, EXTENT, _wanted(first_index=3000)).count <= 0
