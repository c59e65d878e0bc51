"""An alarm only learns: ends, acknowledgements; nobody else's is ever seen."""

from dataclasses import replace
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from schemas.alarms import NO_DATA, AlarmEvent, AlarmLimits
from schemas.clock import now, to_us
from schemas.errors import NotFound
from schemas.pages import PageRequest
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY
from storage import alarm_limits
from storage.access import Access, everything
from storage.alarms import AlarmFilter, acknowledge, alarm, end_before, list_alarms, write_alarms
from storage.database import Database
from tests.storage.made import START_US, Patient, a_device, a_patient, a_user, access_of, alarm_of


def an_alarm(patient: Patient, kind: str = ASYSTOLE, at_s: int = 0, ended_s: int | None = None) -> AlarmEvent:
    return alarm_of(patient.recording, kind, START_US, at_s, ended_s)


async def kinds(conn: AsyncConnection, access: Access, page: PageRequest | None = None, **wanted: object) -> list[str]:
    found = await list_alarms(conn, access, AlarmFilter(**wanted), page or PageRequest())  # type: ignore[arg-type]  # fields
    return [event.kind for event in found.items]


async def test_an_alarm_comes_back_as_it_was_with_its_patient(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    event = an_alarm(patient)
    assert await write_alarms(conn, [replace(event, user_id=None)]) == [event]
    assert await alarm(conn, patient.access, event.alarm_id) == event


async def test_the_second_telling_of_the_same_changes_nothing(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    over = an_alarm(patient, BIGEMINY, ended_s=9)
    assert await write_alarms(conn, [an_alarm(patient, BIGEMINY), over]) == [over]
    assert await write_alarms(conn, [an_alarm(patient, BIGEMINY)]) == [over]


async def test_an_alarm_of_a_device_that_is_gone_is_not_kept(conn: AsyncConnection) -> None:
    stranger = replace(an_alarm(await a_patient(conn)), device_id=UUID(int=5), alarm_id=UUID(int=6))
    assert await write_alarms(conn, [stranger]) == []


async def test_an_older_one_of_the_kind_that_nobody_ended_is_over(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_alarms(conn, [an_alarm(patient, BIGEMINY), an_alarm(patient, ATRIAL_FIBRILLATION)])
    older, newer = await write_alarms(conn, [an_alarm(patient, BIGEMINY, 60)])
    assert (older.state, older.ended_at_us) == ("cleared", newer.began_at_us)
    assert await kinds(conn, patient.access, active=True) == [ATRIAL_FIBRILLATION, BIGEMINY]


async def test_a_device_that_returns_ends_what_was_open_before(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    before, since = an_alarm(patient, NO_DATA, 7), an_alarm(patient, ATRIAL_FIBRILLATION, 7)
    await write_alarms(conn, [before, since, an_alarm(patient, ASYSTOLE)])
    returned = {patient.device.device_id: START_US + 7_000_000}
    assert {event.kind for event in await end_before(conn, returned)} == {NO_DATA, ASYSTOLE}
    assert await end_before(conn, returned) == []


async def test_a_latched_alarm_is_active_until_it_is_over_and_acknowledged(conn: AsyncConnection) -> None:
    patient, doctor = await a_patient(conn), await a_user(conn)
    event = an_alarm(patient, ended_s=4)
    await write_alarms(conn, [event])
    assert await kinds(conn, patient.access, active=True) == [ASYSTOLE]
    noted = await acknowledge(conn, everything(), event.alarm_id, doctor.user_id, now())
    assert (noted.is_new, noted.alarm.state, noted.alarm.acknowledged_by) == (True, "cleared", doctor.user_id)
    assert await kinds(conn, patient.access, active=True) == []
    assert await kinds(conn, patient.access, active=False) == [ASYSTOLE]


async def test_an_acknowledged_alarm_clears_when_its_condition_ends(conn: AsyncConnection) -> None:
    patient, doctor = await a_patient(conn), await a_user(conn)
    event = an_alarm(patient)
    await write_alarms(conn, [event])
    assert (await acknowledge(conn, everything(), event.alarm_id, doctor.user_id, now())).alarm.state == "acknowledged"
    [over] = await write_alarms(conn, [an_alarm(patient, ended_s=30)])
    assert (over.state, over.acknowledged_by) == ("cleared", doctor.user_id)


async def test_the_first_acknowledgement_counts(conn: AsyncConnection) -> None:
    patient, first, second = await a_patient(conn), await a_user(conn), await a_user(conn)
    event = an_alarm(patient)
    await write_alarms(conn, [event])
    noted = await acknowledge(conn, everything(), event.alarm_id, first.user_id, now())
    again = await acknowledge(conn, everything(), event.alarm_id, second.user_id, now())
    assert (again.is_new, again.alarm) == (False, noted.alarm)


async def test_acknowledging_that_there_is_no_data_ends_it(conn: AsyncConnection) -> None:
    patient, at = await a_patient(conn), now()
    event = an_alarm(patient, NO_DATA)
    await write_alarms(conn, [event])
    noted = await acknowledge(conn, everything(), event.alarm_id, patient.user.user_id, at)
    assert (noted.alarm.state, noted.alarm.ended_at_us) == ("cleared", to_us(at))


async def test_another_s_alarm_does_not_exist(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), await a_user(conn)
    event = an_alarm(patient)
    await write_alarms(conn, [event])
    assert await kinds(conn, access_of(stranger)) == []
    with pytest.raises(NotFound, match="list them with GET ecg/alarms"):
        await alarm(conn, access_of(stranger), event.alarm_id)
    with pytest.raises(NotFound):
        await acknowledge(conn, access_of(stranger), event.alarm_id, stranger.user_id, now())


async def test_the_most_urgent_come_first_and_can_be_picked(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_alarms(conn, [an_alarm(patient, kind) for kind in (BIGEMINY, ASYSTOLE, ATRIAL_FIBRILLATION)])
    device_id, user_id = patient.device.device_id, patient.user.user_id
    assert await kinds(conn, everything(), device_id=device_id) == [ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY]
    assert await kinds(conn, everything(), user_id=user_id, priority="medium") == [ATRIAL_FIBRILLATION]
    assert await kinds(conn, everything(), PageRequest(2, 2), user_id=user_id) == [BIGEMINY]


async def test_limits_are_the_default_until_set_and_after_they_are_reset(conn: AsyncConnection) -> None:
    patient, doctor = await a_patient(conn), await a_user(conn, "admin")
    user_id, limits = patient.user.user_id, AlarmLimits(30, 180, 5, (ATRIAL_FIBRILLATION,))
    assert (await alarm_limits.limits_of(conn, patient.access, user_id)).is_default
    told = await alarm_limits.set_limits(conn, access_of(doctor), user_id, limits, doctor.user_id, now())
    assert (told.low_bpm, told.off, told.is_default, told.changed_by) == (
        30, [ATRIAL_FIBRILLATION], False, doctor.user_id
    )  # fmt: skip
    await alarm_limits.reset_limits(conn, access_of(doctor), user_id)
    assert (await alarm_limits.limits_of(conn, patient.access, user_id)).high_bpm == AlarmLimits().high_bpm


async def test_limits_hold_for_every_device_of_the_patient(conn: AsyncConnection) -> None:
    patient, limits = await a_patient(conn), AlarmLimits(45, 120, 0)
    second = await a_device(conn, patient.user.user_id)
    for _ in range(2):
        await alarm_limits.set_limits(conn, everything(), patient.user.user_id, limits, patient.user.user_id, now())
    known = await alarm_limits.by_device(conn)
    assert [known[device.device_id] for device in (patient.device, second)] == [limits, limits]


async def test_another_s_limits_do_not_exist(conn: AsyncConnection) -> None:
    patient, stranger = await a_patient(conn), access_of(await a_user(conn))
    with pytest.raises(NotFound):
        await alarm_limits.limits_of(conn, stranger, patient.user.user_id)
    with pytest.raises(NotFound):
        await alarm_limits.set_limits(conn, stranger, patient.user.user_id, AlarmLimits(), patient.user.user_id, now())
    with pytest.raises(NotFound):
        await alarm_limits.reset_limits(conn, stranger, patient.user.user_id)


async def test_the_api_s_role_reads_alarms_and_limits(database: Database, reading: Database) -> None:
    async with database.transaction() as conn:
        patient = await a_patient(conn)
        await write_alarms(conn, [an_alarm(patient)])
    async with reading.transaction() as conn:
        assert await kinds(conn, patient.access) == [ASYSTOLE]
        assert (await alarm_limits.limits_of(conn, patient.access, patient.user.user_id)).is_default
