"""A stretch is due once it is over, until its beats are known; two processes never have the same one."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from schemas.beats import Beat
from schemas.clock import to_datetime
from schemas.hrv import STRETCH_S
from schemas.pages import PageRequest
from schemas.rhythms import ATRIAL_FIBRILLATION, NORMAL
from schemas.samples import Recording
from storage.access import everything
from storage.database import writer
from storage.hrv import DueStretch, DueTimes, claim, due, list_hrv, read_beats, write_hrv
from storage.migrate import migrate
from storage.samples import write_recordings
from tests.storage.conftest import settings_for
from tests.storage.made import (
    RATE_HZ,
    START_US,
    Patient,
    a_beat,
    a_hrv_stretch,
    a_patient,
    a_user,
    access_of,
    metrics_at,
    write_beats,
    write_metrics,
)

STRETCH_US = STRETCH_S * 1_000_000
SETTLE = timedelta(seconds=30)


def at(seconds: float) -> DueTimes:
    return DueTimes(to_datetime(START_US + round(seconds * 1e6)), SETTLE)


def beat_at(recording: Recording, seconds: float) -> Beat:
    return a_beat(recording, round(seconds * RATE_HZ))


async def due_of(conn: AsyncConnection, patient: Patient, seconds: float) -> list[int]:
    """The numbers of the patient's due stretches at so many seconds after START_US."""
    found = await due(conn, at(seconds), 100, devices=[patient.device.device_id])
    return [round((stretch.start - to_datetime(START_US)).total_seconds() / STRETCH_S) for stretch in found]


async def test_a_stretch_is_due_when_it_is_over_and_its_beats_had_time_to_arrive(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [beat_at(patient.recording, second) for second in (10, 290, 310)])
    assert await due_of(conn, patient, 329) == []
    assert await due_of(conn, patient, 331) == [0]


async def test_a_device_goes_on_from_its_newest_row(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [beat_at(patient.recording, second) for second in (10, 310, 1000)])
    await write_hrv(conn, [a_hrv_stretch(patient.recording)], at(331).now)
    assert await due_of(conn, patient, 340) == []
    assert await due_of(conn, patient, 631) == [1]
    await write_hrv(conn, [a_hrv_stretch(patient.recording, 1)], at(631).now)
    assert await due_of(conn, patient, 3000) == [3]


async def test_a_stretch_whose_beats_came_late_is_due_again_after_a_while(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_hrv(conn, [a_hrv_stretch(patient.recording)], at(331).now)
    await write_beats(conn, [beat_at(patient.recording, second) for second in (10, 200)])
    assert await due_of(conn, patient, 350) == []
    assert await due_of(conn, patient, 362) == [0]


async def test_what_was_sent_after_its_time_is_due_before_rows_that_are_there(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    later = a_hrv_stretch(patient.recording, 11)
    late = replace(patient.recording, recording_id=uuid4())
    await write_recordings(conn, [late])
    await _stored_at(conn, late, 3600)
    await write_beats(conn, [beat_at(late, 400), beat_at(patient.recording, 3310)])
    await write_hrv(conn, [later], at(3631).now)
    assert await due_of(conn, patient, 3700) == []
    assert await due_of(conn, patient, 4300) == [1]
    await write_hrv(conn, [a_hrv_stretch(patient.recording, 1)], at(4300).now)
    assert await due_of(conn, patient, 4400) == []


async def test_beats_older_than_a_day_and_a_bit_are_left(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [beat_at(patient.recording, 10)])
    assert await due_of(conn, patient, 25 * 3600) == [0]
    assert await due_of(conn, patient, 27 * 3600) == []


@pytest.mark.embedded
async def test_two_processes_never_claim_the_same_device(postgres_url: str) -> None:
    await migrate(postgres_url, settings_for(postgres_url))
    database = writer(settings_for(postgres_url))
    await database.open()
    async with database.transaction() as conn:
        patient = await a_patient(conn)
        await write_beats(conn, [beat_at(patient.recording, 10)])
    wanted = [DueStretch(patient.device.device_id, to_datetime(START_US))]
    async with database.transaction() as one:
        assert await claim(one, wanted, at(331)) == wanted
        async with database.transaction() as other:
            assert await claim(other, wanted, at(331)) == []
        await write_hrv(one, [a_hrv_stretch(patient.recording)], at(331).now)
    async with database.transaction() as other:
        assert await claim(other, wanted, at(340)) == []
    await database.close()


async def test_beats_are_read_by_recording_with_the_share_of_fibrillation(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [beat_at(patient.recording, 299), a_beat(patient.recording, 250, "V")])
    await write_beats(conn, [beat_at(patient.recording, 300)])
    seconds = [
        metrics_at(patient.recording, s, arrhythmia_type=ATRIAL_FIBRILLATION if s < 3 else NORMAL) for s in range(4)
    ]
    await write_metrics(conn, seconds, patient.owner)
    [stretch] = await read_beats(conn, [DueStretch(patient.device.device_id, to_datetime(START_US))])
    [beats] = stretch.recordings
    assert (beats.user_id, beats.classes, beats.rr_ms) == (patient.user.user_id, "VN", [800.25, 800.25])
    assert beats.at_us == [START_US + 1_000_000, START_US + 299_000_000]
    assert stretch.af_share == 0.75


async def test_a_stretch_without_fibrillation_says_so_and_one_without_labels_says_nothing(
    conn: AsyncConnection,
) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [beat_at(patient.recording, second) for second in (1, 301)])
    await write_metrics(conn, [metrics_at(patient.recording, 1)], patient.owner)
    wanted = [DueStretch(patient.device.device_id, to_datetime(START_US + n * STRETCH_US)) for n in (0, 1)]
    assert [stretch.af_share for stretch in await read_beats(conn, wanted)] == [0.0, None]


async def test_the_same_stretch_twice_is_one_row_and_the_later_one(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    for sdnn_ms in (50.5, 40.5):
        await write_hrv(conn, [a_hrv_stretch(patient.recording, sdnn_ms=sdnn_ms)], at(331).now)
    refused = a_hrv_stretch(patient.recording, 1, reason="little_nn", nn_share=0.2, sdnn_ms=None, rmssd_ms=None)
    await write_hrv(conn, [refused], at(631).now)
    page = await list_hrv(conn, patient.access, patient.device.device_id, START_US, START_US + 10**9, PageRequest())
    assert page.items == [refused, a_hrv_stretch(patient.recording, sdnn_ms=40.5)]


async def test_the_stretches_of_another_are_not_seen(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), access_of(await a_user(conn))
    await write_hrv(conn, [a_hrv_stretch(patient.recording)], at(331).now)
    period = (patient.device.device_id, START_US, START_US + 10**9, PageRequest())
    assert (await list_hrv(conn, stranger, *period)).items == []
    assert len((await list_hrv(conn, everything(), *period)).items) == 1


async def _stored_at(conn: AsyncConnection, recording: Recording, seconds: float) -> None:
    stored = [to_datetime(START_US + round(seconds * 1e6)), recording.recording_id]
    await conn.execute("UPDATE recordings SET created_at = %s WHERE recording_id = %s", stored)
