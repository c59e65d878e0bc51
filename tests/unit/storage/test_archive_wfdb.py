"""Archived hours are WFDB records: wfdb opens them as they are, and every sample and beat is there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.beats import BeatClass
from schemas.clock import index_to_us
from schemas.samples import LEADS, MISSING, Recording
from storage.archive_spans import HeldSamples, Span, combined, from_runs, owned, to_runs
from storage.archive_wfdb import (
    MAX_PART_S,
    BeatMark,
    Part,
    beat_annotations,
    header,
    parts_of,
    read_signals,
    signal_files,
    signal_names,
)

NAME = "13-00000000-0000-0000-0000-0000000000a4-0"
START_US = 1_767_225_600_123_456
EXTREMES = st.sampled_from([MISSING, -32767, -1, 0, 1, 32767])
CLASSES: list[BeatClass] = ["N", "S", "V", "F", "Q"]


def a_recording(leads: int, rate_hz: float, uv_per_lsb: float = 5.0) -> Recording:
    return Recording(
        UUID(int=0xA4), UUID(int=0xA3), None, START_US, rate_hz, LEADS[:leads], tuple([uv_per_lsb] * leads)
    )


@st.composite
def parts(draw: st.DrawFn) -> tuple[Recording, Part]:
    leads, count = draw(st.integers(1, 12)), draw(st.integers(1, 60))
    rate_hz = draw(st.sampled_from([100.0, 128.0, 250.0, 257.3891, 360.0, 500.0, 1000.0]))
    values = draw(st.lists(EXTREMES | st.integers(-32768, 32767), min_size=leads * count, max_size=leads * count))
    first_index = draw(st.integers(0, 2**40))
    samples = np.array(values, np.int16).reshape(leads, count)
    recording = a_recording(leads, rate_hz, draw(st.sampled_from([1e-6, 1 / 3, 4.882813, 5.0, 1e6])))
    return recording, Part(first_index, (Span(first_index, count, START_US),), samples)


def written(folder: Path, recording: Recording, part: Part, beats: list[BeatMark]) -> str:
    names = signal_names(NAME, len(recording.leads))
    for name, data in zip(names, signal_files(part), strict=True):
        (folder / name).write_bytes(data)
    (folder / f"{NAME}.hea").write_bytes(header(NAME, recording, part, "fast-9"))
    (folder / f"{NAME}.atr").write_bytes(beat_annotations(part, beats))
    return str(folder / NAME)


@given(parts())
@settings(max_examples=60, deadline=None)
def test_wfdb_reads_what_was_written(made: tuple[Recording, Part]) -> None:
    recording, part = made
    with TemporaryDirectory() as folder:
        path = written(Path(folder), recording, part, [])
        digital = wfdb.rdrecord(path, physical=False, return_res=16)
        physical = wfdb.rdrecord(path)
    assert np.array_equal(digital.d_signal.T, part.samples)
    assert (digital.fs, digital.sig_name, set(digital.fmt)) == (recording.rate_hz, list(recording.leads), {"516"})
    assert [each % 65536 for each in digital.checksum] == digital.calc_checksum()
    assert physical.units == ["mV"] * len(recording.leads)
    missing = part.samples == MISSING
    assert np.array_equal(np.isnan(physical.p_signal.T), missing)
    expected_mv = part.samples[~missing] * recording.uv_per_lsb[0] / 1000
    np.testing.assert_allclose(physical.p_signal.T[~missing], expected_mv, rtol=1e-9)


@given(parts())
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back_bit_for_bit(made: tuple[Recording, Part]) -> None:
    _, part = made
    assert np.array_equal(read_signals(signal_files(part)), part.samples)


def test_the_header_tells_the_moment_to_the_microsecond_and_whose_samples_they_are(tmp_path: Path) -> None:
    part = Part(7, (Span(7, 3, START_US),), np.zeros((1, 3), np.int16))
    record = wfdb.rdrecord(written(tmp_path, a_recording(1, 250.0), part, []))
    assert record.base_datetime == datetime(2026, 1, 1, 0, 0, 0, 123_456, UTC).replace(tzinfo=None)
    assert record.comments == [
        f"device {UUID(int=0xA3)}", f"recording {UUID(int=0xA4)}", "first_index 7", "beats by engine fast-9"
    ]  # fmt: skip


@given(st.sets(st.integers(0, 200_000), max_size=50), st.integers(0, 2**40))
@settings(deadline=None)
def test_wfdb_reads_our_beats(places: set[int], first_index: int) -> None:
    part = Part(first_index, (Span(first_index, 200_001, START_US),), np.zeros((1, 200_001), np.int16))
    beats = [BeatMark(first_index + at, CLASSES[at % 5]) for at in places]
    outside = [BeatMark(first_index - 1, "N"), BeatMark(part.end_index, "N")]
    with TemporaryDirectory() as folder:
        (Path(folder) / "r.atr").write_bytes(beat_annotations(part, [*beats, *outside]))
        found = wfdb.rdann(f"{folder}/r", "atr")
    assert found.sample.tolist() == sorted(places)
    assert found.symbol == [CLASSES[at % 5] for at in sorted(places)]


def test_a_damaged_signal_file_is_told() -> None:
    part = Part(0, (Span(0, 999, START_US),), np.arange(999, dtype=np.int16)[None])
    [data] = signal_files(part)
    for damaged in (b"", data[:60], b"fLaC" + bytes(200)):
        with pytest.raises(ValueError, match="damaged"):
            assert read_signals([damaged]).shape == (1, 999)


spans = st.builds(Span, st.integers(0, 3000), st.integers(1, 500), st.integers(START_US, START_US + 9_000_000))


@given(st.lists(spans, max_size=20), st.sampled_from([250.0, 257.3891, 360.0]))
def test_spans_come_back_from_their_runs(made: list[Span], rate_hz: float) -> None:
    ordered = sorted(made, key=lambda span: span.order)
    assert from_runs(to_runs(made, rate_hz), rate_hz) == ordered


def test_an_hour_that_went_well_is_one_run() -> None:
    hour = [Span(2500 * k, 2500, START_US + index_to_us(2500 * k, 250.0)) for k in range(360)]
    assert to_runs(hour, 250.0) == [[0, 2500, START_US, 360]]


@given(st.lists(spans, min_size=1, max_size=12), st.randoms())
def test_of_overlapping_stretches_the_same_samples_are_kept_as_when_read(made: list[Span], random: object) -> None:
    held = [HeldSamples(span, np.full((2, span.count), number, np.int16)) for number, span in enumerate(made)]
    [part] = parts_of(held, 250.0)
    seen = np.zeros(part.samples.shape[1], bool)
    for each in owned(held):
        inside = slice(each.span.first_index - part.first_index, each.span.end_index - part.first_index)
        assert not seen[inside].any()
        assert np.array_equal(part.samples[:, inside], each.samples)
        seen[inside] = True
    assert (part.samples[:, ~seen] == MISSING).all()


def test_indices_that_jump_make_records_of_their_own() -> None:
    far = int(MAX_PART_S * 250)
    held = [HeldSamples(Span(at, 10, START_US), np.ones((1, 10), np.int16)) for at in (0, 20, far, 2**50)]
    assert [(p.first_index, p.end_index) for p in parts_of(held, 250.0)] == [
        (0, 30),
        (far, far + 10),
        (2**50, 2**50 + 10),
    ]


def test_of_two_stretches_of_one_beginning_the_longer_stays() -> None:
    def held(count: int, value: int) -> HeldSamples:
        return HeldSamples(Span(0, count, START_US), np.full((1, count), value, np.int16))

    assert [h.span.count for h in combined([held(10, 1)], [held(20, 2)])] == [20]
    assert [h.span.count for h in combined([held(20, 1)], [held(10, 2)])] == [20]
    [same] = combined([held(10, 1)], [held(10, 2)])
    assert same.samples[0, 0] == 1
