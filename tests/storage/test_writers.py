"""Several workers that write the same samples at once neither wait for each other for ever nor lose any."""

from __future__ import annotations

import asyncio

import numpy as np

from schemas.samples import WaveformStretch
from storage.database import Database
from storage.samples import kept, read_stretches, write_stretches
from storage.whereabouts import Extent
from tests.storage.made import Patient, a_patient, a_stretch

DEVICES, ROUNDS, LENGTH = 6, 5, 250


def cut_at(patients: list[Patient], worker: int, number: int) -> list[WaveformStretch]:
    """The round's samples as this worker cuts them, in an order of its own."""
    first, count = number * LENGTH, LENGTH - worker * 20
    stretches = [a_stretch(patient.recording, first, count) for patient in patients]
    return stretches[worker % DEVICES :] + stretches[: worker % DEVICES][::-1]


async def test_workers_that_meet_end_with_the_longest_of_each(database: Database) -> None:
    async with database.transaction() as conn:
        patients = [await a_patient(conn) for _ in range(DEVICES)]

    async def work(worker: int) -> None:
        for number in range(ROUNDS):
            async with database.transaction() as conn:
                await write_stretches(conn, cut_at(patients, worker, number))

    await asyncio.gather(*(work(worker) for worker in range(4)))
    async with database.transaction() as conn:
        for patient in patients:
            recording_id = patient.recording.recording_id
            assert (await kept(conn, patient.access, recording_id)).extent == Extent(0, ROUNDS * LENGTH)
            found = await read_stretches(conn, patient.access, recording_id, 0, ROUNDS * LENGTH)
            together = np.concatenate([stretch.samples for stretch in found], axis=1)
            assert np.array_equal(together, a_stretch(patient.recording, 0, ROUNDS * LENGTH).samples)
