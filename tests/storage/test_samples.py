"""Samples come back bit for bit, in order and each once, to whom they belong."""

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from psycopg import AsyncConnection

from schemas.errors import NotFound
from schemas.samples import Gap, WaveformStretch
from storage.access import everything
from storage.samples import (
    extent,
    gaps,
    kept,
    read_stretches,
    recording,
    recordings,
    write_gaps,
    write_recordings,
    write_stretches,
)
from storage.whereabouts import Extent, Kept
from tests.storage.made import RATE_HZ, START_US, a_patient, a_recording, a_stretch, a_user, access_of


def assert_same(found: list[WaveformStretch], expected: list[WaveformStretch]) -> None:
    nothing = np.empty((0, 0), np.int16)
    assert [replace(s, samples=nothing) for s in found] == [replace(s, samples=nothing) for s in expected]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(found, expected, strict=True))


async def test_a_recording_comes_back_to_the_microsecond(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    made = replace(a_recording(patient.device), started_at_us=START_US + 1)
    await write_recordings(conn, [made])
    assert await recording(conn, patient.access, made.recording_id) == made


async def test_the_first_word_on_a_recording_stays(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_recordings(conn, [replace(patient.recording, rate_hz=500)])
    assert await recording(conn, everything(), patient.recording.recording_id) == patient.recording


async def test_samples_written_in_stretches_are_read_back_whole(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    written = [a_stretch(patient.recording, first, 1000) for first in (2000, 0, 1000)]
    await write_stretches(conn, written)
    found = await read_stretches(conn, patient.access, patient.recording.recording_id, 0, 3000)
    assert_same(found, sorted(written, key=lambda s: s.first_index))


async def test_a_range_is_cut_to_the_sample(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_stretches(conn, [a_stretch(patient.recording, first, 1000) for first in (0, 1000)])
    found = await read_stretches(conn, patient.access, patient.recording.recording_id, 999, 1001)
    assert_same(found, [a_stretch(patient.recording, 999, 1), a_stretch(patient.recording, 1000, 1)])
    assert await read_stretches(conn, patient.access, patient.recording.recording_id, 2000, 3000) == []


async def test_overlapping_stretches_give_each_sample_once(conn: AsyncConnection) -> None:
    """A worker that starts again from its checkpoint cuts the same samples at other places."""
    patient = await a_patient(conn)
    pieces = [(0, 1000), (400, 1000), (600, 100), (1400, 600), (1000, 1000)]
    await write_stretches(conn, [a_stretch(patient.recording, *piece) for piece in pieces])
    found = await read_stretches(conn, patient.access, patient.recording.recording_id, 0, 5000)
    together = np.concatenate([s.samples for s in found], axis=1)
    assert np.array_equal(together, a_stretch(patient.recording, 0, 2000).samples)


async def test_the_longer_of_two_stretches_stays(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    for count in (500, 1000, 700):
        await write_stretches(conn, [a_stretch(patient.recording, 0, count)])
    assert await extent(conn, patient.access, patient.recording.recording_id) == Extent(0, 1000)
    found = await read_stretches(conn, patient.access, patient.recording.recording_id, 0, 1000)
    assert_same(found, [a_stretch(patient.recording, 0, 1000)])


async def test_the_longer_of_two_stretches_in_one_list_stays(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_stretches(conn, [a_stretch(patient.recording, 0, count) for count in (500, 1000, 700)])
    assert await extent(conn, patient.access, patient.recording.recording_id) == Extent(0, 1000)


async def test_a_stretch_that_no_search_would_find_is_refused(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    with pytest.raises(ValueError, match="cut it into parts of 3600 s"):
        await write_stretches(conn, [a_stretch(patient.recording, 0, int(RATE_HZ * 3601))])


async def test_samples_are_found_whatever_the_clock_said(conn: AsyncConnection) -> None:
    """A device without a battery begins in 1970 and learns the date later; another one is set back by a month."""
    patient = await a_patient(conn)
    recording_id = patient.recording.recording_id
    strays_us = (0, -56 * 365 * 86_400_000_000, 60_000, -31 * 86_400_000_000, 9 * 365 * 86_400_000_000)
    written = [a_stretch(patient.recording, 1000 * k, 1000) for k in range(len(strays_us))]
    written = [replace(s, started_at_us=s.started_at_us + us) for s, us in zip(written, strays_us, strict=True)]
    for stretch in written:
        await write_stretches(conn, [stretch])
    assert_same(await read_stretches(conn, patient.access, recording_id, 0, 10_000), written)
    found = await read_stretches(conn, patient.access, recording_id, 1500, 3500)
    assert [(s.first_index, s.samples.shape[1]) for s in found] == [(1500, 500), (2000, 1000), (3000, 500)]


async def test_a_long_row_is_found_from_its_last_sample(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    count = int(3600 * RATE_HZ)
    pieces = [a_stretch(patient.recording, 0, count), a_stretch(patient.recording, count, 10)]
    await write_stretches(conn, pieces[1:])
    await write_stretches(conn, pieces[:1])
    [found, _] = await read_stretches(conn, patient.access, patient.recording.recording_id, count - 1, count + 1)
    assert_same([found], [a_stretch(patient.recording, count - 1, 1)])


async def test_a_recording_tells_where_its_samples_are(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    recording_id = patient.recording.recording_id
    early = a_stretch(patient.recording, 500, 100)
    await write_stretches(conn, [replace(early, started_at_us=early.started_at_us - 3_000_000)])
    await write_stretches(conn, [a_stretch(patient.recording, 2000, 300)])
    assert await kept(conn, patient.access, recording_id) == Kept(
        patient.recording, Extent(500, 2300), 300, 3_000_000, 0
    )


async def test_recordings_are_found_by_the_time_of_their_samples(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    device_id, second = patient.device.device_id, 1_000_000
    await write_stretches(conn, [a_stretch(patient.recording, int(RATE_HZ), int(RATE_HZ))])
    found = [
        await recordings(conn, patient.access, device_id, START_US + a * second, START_US + b * second)
        for a, b in ((0, 1), (1, 2), (2, 3), (0, 3))
    ]
    assert found == [[], [patient.recording], [], [patient.recording]]


async def test_gaps_are_stored_once_and_found_where_they_are(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    recording_id = patient.recording.recording_id
    made = [Gap(recording_id, 10, 20), Gap(recording_id, 30, 40)]
    await write_gaps(conn, made[::-1])
    await write_gaps(conn, made)
    assert await gaps(conn, patient.access, recording_id, 0, 100) == made
    assert await gaps(conn, patient.access, recording_id, 20, 30) == []
    assert await gaps(conn, patient.access, recording_id, 19, 31) == made


async def test_nothing_to_write_is_fine(conn: AsyncConnection) -> None:
    await write_recordings(conn, [])
    await write_stretches(conn, [])
    await write_gaps(conn, [])


async def test_the_recording_of_another_has_nothing_to_show(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), access_of(await a_user(conn))
    recording_id = patient.recording.recording_id
    await write_stretches(conn, [a_stretch(patient.recording, 0, 100)])
    await write_gaps(conn, [Gap(recording_id, 100, 200)])
    assert await read_stretches(conn, stranger, recording_id, 0, 100) == []
    assert await gaps(conn, stranger, recording_id, 0, 200) == []
    assert await recordings(conn, stranger, patient.device.device_id, START_US, START_US + 10**9) == []
    with pytest.raises(NotFound):
        await recording(conn, stranger, recording_id)
    with pytest.raises(NotFound):
        await extent(conn, stranger, recording_id)


async def test_a_device_that_changes_hands_takes_no_history_with_it(conn: AsyncConnection) -> None:
    patient, heir = await a_patient(conn), await a_user(conn)
    moved = [heir.user_id, patient.device.device_id]
    await conn.execute("UPDATE devices SET user_id = %s WHERE device_id = %s", moved)
    assert await recording(conn, patient.access, patient.recording.recording_id) == patient.recording
    with pytest.raises(NotFound):
        await recording(conn, access_of(heir), patient.recording.recording_id)


async def test_an_empty_recording_has_an_empty_extent(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    assert await extent(conn, patient.access, patient.recording.recording_id) == Extent(0, 0)
    with pytest.raises(NotFound):
        await extent(conn, everything(), uuid4())
