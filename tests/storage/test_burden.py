"""Ectopic beats are counted by the hour, and in groups."""

from dataclasses import replace
from typing import cast

from psycopg import AsyncConnection

from schemas.beats import Beat, BeatClass
from schemas.burden import EctopicGroups
from schemas.clock import to_datetime
from storage.burden import hourly_burden
from tests.storage.made import RATE_HZ, START_US, Patient, a_beat, a_patient, a_user, access_of, write_beats

HOUR_US = 3_600_000_000


def rhythm(patient: Patient, letters: str, *, from_s: float) -> list[Beat]:
    """Beats of these classes, 800 ms from one to the next; x is a gap as long as a beat."""
    step, first = round(0.8 * RATE_HZ), round(from_s * RATE_HZ)
    beats = []
    for number, letter in enumerate(letters):
        if letter != "x":
            beat = a_beat(patient.recording, first + number * step, cast("BeatClass", letter))
            beats.append(replace(beat, rr_ms=None if letters[number - 1] == "x" else 800.0))
    return beats


async def test_each_hour_tells_its_ectopic_beats_and_their_share(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, rhythm(patient, "NNNVNNSNFQ", from_s=0) + rhythm(patient, "NNNV", from_s=3600))
    one, two = await hourly_burden(conn, patient.access, patient.device.device_id, START_US, START_US + 2 * HOUR_US)
    assert (one.at, two.at) == (to_datetime(START_US), to_datetime(START_US + HOUR_US))
    told = one.ectopy
    assert (told.beats, told.supraventricular, told.ventricular, told.fusion, told.unknown) == (10, 1, 1, 1, 1)
    assert (told.ventricular_percent, two.ectopy.ventricular_percent) == (10.0, 25.0)


async def test_two_in_a_row_are_a_couplet_and_more_a_run(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, rhythm(patient, "NVVNVVVNSSSSNVNVNSVVS", from_s=0))
    [hour] = await hourly_burden(conn, patient.access, patient.device.device_id, START_US, START_US + HOUR_US)
    assert hour.ectopy.ventricular_groups == EctopicGroups(couplets=2, runs=1)
    assert hour.ectopy.supraventricular_groups == EctopicGroups(couplets=0, runs=1)


async def test_a_gap_ends_a_group(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, rhythm(patient, "NVxVN", from_s=0))
    [hour] = await hourly_burden(conn, patient.access, patient.device.device_id, START_US, START_US + HOUR_US)
    assert hour.ectopy.ventricular_groups == EctopicGroups()


async def test_a_group_belongs_to_the_hour_it_begins_in(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, rhythm(patient, "NVVVN", from_s=3598))
    one, two = await hourly_burden(conn, patient.access, patient.device.device_id, START_US, START_US + 2 * HOUR_US)
    assert (one.ectopy.ventricular, one.ectopy.ventricular_groups.runs) == (2, 1)
    assert (two.ectopy.ventricular, two.ectopy.ventricular_groups.runs) == (1, 0)


async def test_only_hours_that_begin_in_the_period_count(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, rhythm(patient, "NV", from_s=0) + rhythm(patient, "NV", from_s=3600))
    found = await hourly_burden(conn, patient.access, patient.device.device_id, START_US + 1, START_US + HOUR_US + 1)
    assert [hour.at for hour in found] == [to_datetime(START_US + HOUR_US)]


async def test_the_beats_of_another_count_for_nothing(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), access_of(await a_user(conn))
    await write_beats(conn, rhythm(patient, "NVVN", from_s=0))
    assert await hourly_burden(conn, stranger, patient.device.device_id, START_US, START_US + HOUR_US) == []
