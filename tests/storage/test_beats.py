"""A beat is stored once, however often it is found."""

from dataclasses import replace

from psycopg import AsyncConnection

from schemas.beats import Beat
from schemas.clock import to_datetime
from schemas.pages import PageRequest
from storage.access import Access, everything
from storage.beats import ClassCount, count_classes, list_beats, newest
from tests.storage.made import START_US, Patient, a_beat, a_patient, a_user, access_of, write_beats

END_US = START_US + 3_600_000_000
ALL = PageRequest(limit=500)


async def beats_of(conn: AsyncConnection, patient: Patient, access: Access) -> list[Beat]:
    return (await list_beats(conn, access, patient.device.device_id, START_US, END_US, ALL)).items


async def test_beats_come_back_exactly_in_order(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    made = [a_beat(patient.recording, 100), a_beat(patient.recording, 300, "V"), a_beat(patient.recording, 500)]
    await write_beats(conn, made[::-1])
    assert await beats_of(conn, patient, patient.access) == made


async def test_the_same_beats_twice_are_the_same_rows(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    made = [a_beat(patient.recording, index) for index in (100, 300)]
    await write_beats(conn, made)
    await write_beats(conn, [*made, replace(made[0], beat_class="V"), a_beat(patient.recording, 500)])
    assert await beats_of(conn, patient, everything()) == [*made, a_beat(patient.recording, 500)]


async def test_a_beat_twice_in_one_list_is_one_row(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [a_beat(patient.recording, 100)] * 2)
    assert len(await beats_of(conn, patient, everything())) == 1


async def test_a_range_is_half_open(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    first, second = a_beat(patient.recording, 250), a_beat(patient.recording, 500)
    await write_beats(conn, [first, second])
    found = await list_beats(conn, patient.access, patient.device.device_id, first.at_us, second.at_us, ALL)
    assert found.items == [first]


async def test_beats_are_listed_by_recording_and_in_pages(conn: AsyncConnection) -> None:
    patient, other = await a_patient(conn), await a_patient(conn)
    made = [a_beat(patient.recording, index) for index in range(100, 600, 100)]
    await write_beats(conn, [*made, a_beat(other.recording, 100)])
    by_recording = {"recording_id": patient.recording.recording_id}
    pages = [
        await list_beats(conn, everything(), None, START_US, END_US, PageRequest(number, 2), **by_recording)
        for number in (1, 2, 3, 4)
    ]
    assert [page.items for page in pages] == [made[:2], made[2:4], made[4:], []]
    assert {page.total for page in pages} == {5}


async def test_the_beats_of_another_are_not_listed(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(conn, [a_beat(patient.recording, 100)])
    assert await beats_of(conn, patient, access_of(await a_user(conn))) == []


async def test_no_beats_are_no_work(conn: AsyncConnection) -> None:
    await write_beats(conn, [])


async def test_beats_are_counted_by_class_for_whom_they_belong_to(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_beats(
        conn, [a_beat(patient.recording, index, "V" if index == 300 else "N") for index in (100, 300, 500)]
    )
    period = (patient.device.device_id, START_US, END_US)
    assert await count_classes(conn, patient.access, *period) == [ClassCount("N", 2), ClassCount("V", 1)]
    assert await count_classes(conn, access_of(await a_user(conn)), *period) == []


async def test_the_newest_beat_is_the_callers_newest(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    assert await newest(conn, patient.access) is None
    await write_beats(conn, [a_beat(patient.recording, index) for index in (100, 500)])
    assert await newest(conn, patient.access) == to_datetime(a_beat(patient.recording, 500).at_us)
