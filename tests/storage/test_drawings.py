"""A long range drawn from the rows' envelopes is what all its samples draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from psycopg import AsyncConnection

from schemas.samples import MISSING, WaveformStretch
from storage.drawings import read_drawing
from storage.envelopes import Envelope, envelope
from storage.samples import kept, read_kept, write_stretches
from storage.whereabouts import IndexWindow
from tests.storage.made import Patient, a_patient, a_stretch

ROWS = ((0, 1000), (1000, 1000), (1500, 1200), (4000, 1000), (5000, 999), (5999, 1000))
"""First index and count: two overlap, and [2700, 4000) is missing."""


def noisy(patient: Patient, first_index: int, count: int) -> WaveformStretch:
    """The same samples however they are cut; some are missing."""
    plain = a_stretch(patient.recording, first_index, count)
    index = np.arange(first_index, first_index + count)
    samples = np.stack([index * 7919 % 30_011 - 15_000, index * 104_729 % 20_011 - 10_000]).astype(np.int16)
    samples[:, index % 11 == 0] = MISSING
    return replace(plain, samples=samples)


async def written(conn: AsyncConnection) -> Patient:
    patient = await a_patient(conn)
    await write_stretches(conn, [noisy(patient, *row) for row in ROWS])
    return patient


async def by_samples(conn: AsyncConnection, patient: Patient, first: int, end: int, points: int) -> Envelope:
    found = await kept(conn, patient.access, patient.recording.recording_id)
    canvas = np.full((2, end - first), MISSING, np.int16)
    for stretch in await read_kept(conn, found, first, end):
        at = stretch.first_index - first
        canvas[:, at : at + stretch.samples.shape[1]] = stretch.samples
    return envelope(canvas, points)


@pytest.mark.parametrize(("first", "end", "points"), [
    (0, 6999, 1), (0, 6999, 3), (0, 7000, 7), (1, 6998, 2), (1499, 5001, 2), (2600, 4100, 40), (2800, 3900, 1),
])  # fmt: skip
async def test_a_drawing_is_what_its_samples_are(conn: AsyncConnection, first: int, end: int, points: int) -> None:
    patient = await written(conn)
    found = await kept(conn, patient.access, patient.recording.recording_id)
    drawn = await read_drawing(conn, found, first, end, points)
    expected = await by_samples(conn, patient, first, end, points)
    assert np.array_equal(drawn.envelope.minimum, expected.minimum)
    assert np.array_equal(drawn.envelope.maximum, expected.maximum)


async def test_rows_within_one_part_are_not_decoded(conn: AsyncConnection) -> None:
    patient = await written(conn)
    await conn.execute(
        "UPDATE ecg_waveforms SET data = '', tail = '' WHERE recording_id = %s AND first_index IN (0, 4000)",
        [patient.recording.recording_id],
    )
    found = await kept(conn, patient.access, patient.recording.recording_id)
    drawn = await read_drawing(conn, found, 0, 6999, 2)
    assert drawn.covered[:2] == [IndexWindow(0, 1000), IndexWindow(1000, 2000)]
    with pytest.raises(ValueError, match="restore"):
        await read_drawing(conn, found, 500, 6999, 2)


async def test_rows_without_an_envelope_are_decoded(conn: AsyncConnection) -> None:
    patient = await written(conn)
    expected = await by_samples(conn, patient, 0, 6999, 2)
    await conn.execute("UPDATE ecg_waveforms SET envelope = NULL")
    found = await kept(conn, patient.access, patient.recording.recording_id)
    assert np.array_equal((await read_drawing(conn, found, 0, 6999, 2)).envelope.maximum, expected.maximum)
